// Segments of one segmentation laid into as few label maps as possible: where two lie on one another, the later goes
// into a further component. Used for DICOM SEG and for structure sets.
#pragma once

#include "base/error.hpp"
#include "image/voxel_type.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// The voxels of one segment: a bit a pixel (pixel i is bit i % 64 of word i / 64), and only planes that have any.
class SegmentMask {
 public:
  using Words = std::vector<std::uint64_t>;

  explicit SegmentMask(std::size_t pixelsAPlane) : pixels_(pixelsAPlane) {}

  /// The words of plane z, zero at first.
  [[nodiscard]] Words& plane(std::int64_t z);
  /// Sets the pixels begin to end (not included).
  static void setRun(Words& words, std::size_t begin, std::size_t end);

  [[nodiscard]] const std::map<std::int64_t, Words>& planes() const { return planes_; }
  [[nodiscard]] std::size_t pixelsAPlane() const { return pixels_; }
  [[nodiscard]] std::uint64_t count() const;

 private:
  std::size_t pixels_;
  std::map<std::int64_t, Words> planes_;
};

/// Greedy: each segment joins the first component where it overlaps nothing.
class SegmentPacking {
 public:
  static constexpr std::size_t maxComponents = 256;

  /// The component of the segment. Errors: limitExceeded (more than maxComponents at one place).
  [[nodiscard]] Result<std::size_t> add(const SegmentMask& mask, const std::string& name);
  /// At least 1.
  [[nodiscard]] std::size_t components() const { return taken_.empty() ? 1 : taken_.size(); }

 private:
  std::vector<std::map<std::int64_t, SegmentMask::Words>> taken_;
};

/// Writes `value` into all voxels of the mask. `volume` is one component: planes of uint8 or uint16.
void writeMask(const SegmentMask& mask, std::int64_t value, VoxelType type, std::span<std::byte> volume);

}  // namespace nora
