#include "image/io/nifti_vectors.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstring>
#include <string_view>

namespace nora {
namespace {

constexpr std::int64_t vectorLength = 3;

bool namesVectors(const std::string& path) {
  static constexpr std::array<std::string_view, 3> stems{"v", "dyads", "evec"};
  std::string name = path.substr(path.rfind('/') + 1);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  for (const std::string_view word : words(name, "_-. ")) {
    for (const std::string_view stem : stems) {
      const bool fits = word.size() == stem.size() + 1 && word.starts_with(stem);
      if (fits && word.back() >= '1' && word.back() <= '3') return true;
    }
  }
  return false;
}

}  // namespace

bool mayBeUnitVectors(const ImageInfo& info, const std::string& name) {
  return info.timePoints == vectorLength && info.components == 1 && isFloat(info.type) && info.slope == 1 &&
         info.inter == 0 && info.intent.empty() && namesVectors(name);
}

bool areUnitVectors(const ImageInfo& info, std::span<const std::byte> voxels) {
  constexpr std::size_t sampled = 8192;
  constexpr std::size_t fewest = 16;
  constexpr double rounding = 0.02;
  const auto frame = static_cast<std::size_t>(info.dims[0] * info.dims[1] * info.dims[2]);
  const std::size_t step = std::max<std::size_t>(1, frame / sampled);
  return visitScalar(info.type, [&](auto zero) {
    using T = decltype(zero);
    if (voxels.size() < vectorLength * frame * sizeof(T)) return false;
    std::size_t units = 0;
    for (std::size_t i = 0; i < frame; i += step) {
      double squares = 0;
      for (std::size_t c = 0; c < vectorLength; ++c) {
        T value;
        std::memcpy(&value, voxels.data() + (c * frame + i) * sizeof(T), sizeof value);
        squares += static_cast<double>(value) * static_cast<double>(value);
      }
      if (squares == 0) continue;
      if (!(std::abs(std::sqrt(squares) - 1) < rounding)) return false;
      ++units;
    }
    return units >= fewest;
  });
}

void takeAsVectors(ImageInfo& info) {
  std::swap(info.timePoints, info.components);
  info.timeStepSeconds = 0;
  info.intent = "vector";
  info.fields.emplace_back("intent", "none in the header; unit vectors by name and values");
}

}  // namespace nora
