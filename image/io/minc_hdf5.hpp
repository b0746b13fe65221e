// MINC 2 files through libhdf5: the library reads the structure from the mapped bytes; voxels are taken from there and
// inflated by us, because libhdf5's own filter inflates without a bound.
#pragma once

#include "base/error.hpp"
#include "image/io/minc_file.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nora {

[[nodiscard]] bool hasHdf5Magic(std::span<const std::byte> bytes);

struct MincStorage;  // where the bytes of the image are

/// An opened MINC 2 file. `bytes` must outlive it.
class Minc2File {
 public:
  /// Errors: invalidInput (damaged, no MINC); unsupported (filters and types that MINC does not use, external data).
  [[nodiscard]] static Result<Minc2File> open(std::span<const std::byte> bytes, const std::string& name);

  /// Variables without the group's path; `voxels.first` is 0 unless the image is contiguous.
  [[nodiscard]] const MincFile& file() const { return file_; }

  /// True if the voxels lie in the file in one piece, uncompressed.
  [[nodiscard]] bool isContiguous() const;
  /// All voxels in the file's order and byte order, into zeroed memory. Errors: invalidInput (damaged, cut off).
  [[nodiscard]] Result<void> readVoxels(std::span<std::byte> to, const std::function<void(double)>& progress) const;

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
  MincFile file_;
  std::shared_ptr<const MincStorage> storage_;
};

}  // namespace nora
