// The bytes of a mesh file, inflated where it is a .gz; zlib streams inside other formats.
#pragma once

#include "base/error.hpp"
#include "image/io/file_reader.hpp"

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nora {

/// Either the mapped bytes themselves or memory of its own. The file has to live as long.
class MeshContent {
 public:
  /// Errors: invalidInput (empty, damaged, cut short); limitExceeded (inflates to far more than real meshes do: 64 MiB
  /// and 200 times its size; no memory).
  [[nodiscard]] static Result<MeshContent> of(const InputFile& file);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  [[nodiscard]] static Result<MeshContent> inflated(const InputFile& file);

  std::span<const std::byte> bytes_;
  std::unique_ptr<std::byte, Free> own_;
};

/// The first bytes of a file, inflated: for recognising it.
[[nodiscard]] std::string beginningOf(const InputFile& file, std::size_t size);

/// Inflates a zlib or gzip stream into `out`, which it has to fill exactly. Errors: invalidInput.
[[nodiscard]] Result<void> inflateExactly(std::span<const std::byte> compressed, std::span<std::byte> out,
                                          const std::string& name);

}  // namespace nora
