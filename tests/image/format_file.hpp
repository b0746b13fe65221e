// The small files of tests/data/formats, as bytes.
#pragma once

#include <cstddef>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace nora::testing {

/// "mif/int8.mif". Throws if there is no such file.
inline std::vector<std::byte> formatFile(const std::string& name) {
  std::ifstream in(std::string(NORA_TEST_DATA) + "/formats/" + name, std::ios::binary);
  if (!in) throw std::runtime_error("no test file " + name);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

}  // namespace nora::testing
