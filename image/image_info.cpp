#include "image/image_info.hpp"

#include <nlohmann/json.hpp>

namespace nora {

Result<std::uint64_t> voxelCount(const ImageInfo& info, const std::string& name) {
  std::uint64_t count = 1;
  for (const std::int64_t n : {info.dims[0], info.dims[1], info.dims[2], info.timePoints, info.components}) {
    if (n < 1)
      return fail(ErrorCode::invalidInput, "a dimension is " + std::to_string(n) + "; it must be 1 or more", name);
    // Half of the range leaves room for the size of a voxel and offsets.
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(n), &count) || count > (std::uint64_t{1} << 56)) {
      return fail(ErrorCode::invalidInput, "the dimensions overflow", name);
    }
  }
  return count;
}

}  // namespace nora
