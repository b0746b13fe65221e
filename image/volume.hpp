// A loaded image: voxels in shared memory, their geometry and scale.
#pragma once

#include "base/mapped_bytes.hpp"
#include "image/image_info.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace nora {

/// The time points that a volume holds: all of its image, or a few that were read first.
struct TimeRange {
  std::int64_t first = 0;
  std::int64_t count = 1;
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

/// An image of up to five dimensions in RAS millimetre space.
///
/// Shape:  stored voxel (x, y, z, t, c) is number (((c*nt + t)*nz + z)*ny + y)*nx + x, x fastest (the NIfTI order);
///         where only some time points are held, t counts from the first of them and nt is their number.
///         Colour types are interleaved (RGBRGB...). Native byte order. The address is aligned to 16 bytes.
/// Padding: at least `paddingBytes` readable bytes follow the last voxel, so that kernels may load 4 bytes at any
/// voxel. Units:  value = slope * stored + inter; integer voxel coordinates are voxel centres. Owner:  owns its
/// mapping; moving is O(1). Immutable, so any number of threads may read it.
class Volume {
 public:
  static constexpr std::size_t paddingBytes = 64;

  /// Checks that `bytes` holds all voxels from `offset` plus the padding, and that the affine can be inverted.
  /// `held`: the time points that the bytes are; empty: all.
  [[nodiscard]] static Result<Volume> create(ImageInfo info, MappedBytes bytes, std::size_t offset, std::string name,
                                             std::optional<TimeRange> held = std::nullopt);

  /// For tests and generated images: copies `voxels` into shared memory of its own.
  [[nodiscard]] static Result<Volume> copyOf(ImageInfo info, std::span<const std::byte> voxels, std::string name);

  [[nodiscard]] const ImageInfo& info() const { return info_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Of its voxels; moving keeps it.
  [[nodiscard]] std::uint64_t contentNumber() const { return contentNumber_; }
  [[nodiscard]] const Affine& worldFromVoxel() const { return info_.worldFromVoxel; }
  [[nodiscard]] const Affine& voxelFromWorld() const { return voxelFromWorld_; }
  [[nodiscard]] const std::array<std::int64_t, 3>& dims() const { return info_.dims; }

  /// The same voxels with other statistics.
  [[nodiscard]] Volume withStatistics(const VoxelStatistics& statistics) &&;

  [[nodiscard]] const TimeRange& held() const { return held_; }
  [[nodiscard]] bool holds(std::int64_t t) const { return t >= held_.first && t - held_.first < held_.count; }
  [[nodiscard]] bool isComplete() const { return held_.count == info_.timePoints; }

  /// First voxel of time point t (which must be held), component c.
  [[nodiscard]] const std::byte* frame(std::int64_t t, std::int64_t c = 0) const;
  [[nodiscard]] std::size_t frameBytes() const;
  /// False once the file in which the voxels lie (large plain files are not copied) was changed: what was drawn or read
  /// of the volume since is worth nothing, and the image has to be read again.
  [[nodiscard]] bool isIntact() const { return bytes_.isIntact(); }
  /// All memory that the volume holds.
  [[nodiscard]] std::size_t memoryBytes() const { return bytes_.size(); }

  /// Scaled value at an integer voxel; NaN outside and at a time point that is not held. Colour: luminance.
  [[nodiscard]] double value(std::int64_t x, std::int64_t y, std::int64_t z, std::int64_t t = 0,
                             std::int64_t c = 0) const;
  /// Trilinear value at a continuous voxel position. Neighbours are clamped to the edge; NaN beyond half a voxel
  /// outside. A neighbour that is not finite makes the result NaN unless its weight is 0.
  [[nodiscard]] double trilinear(const Vec3& voxel, std::int64_t t = 0, std::int64_t c = 0) const;

 private:
  Volume(ImageInfo info, MappedBytes bytes, std::size_t offset, std::string name, const TimeRange& held,
         const Affine& voxelFromWorld);

  ImageInfo info_;
  MappedBytes bytes_;
  std::size_t offset_ = 0;
  std::uint64_t contentNumber_ = 0;
  std::string name_;
  TimeRange held_;
  Affine voxelFromWorld_;
};

/// Red, green, blue of a voxel inside a colour image.
[[nodiscard]] std::array<int, 3> colourAt(const Volume& volume, const std::array<std::int64_t, 3>& voxel,
                                          std::int64_t t, std::int64_t c = 0);

/// What `nora probe` prints and the page's read-out shows.
struct Probe {
  Vec3 mm{};
  std::array<std::int64_t, 3> voxel{};  // nearest voxel, half away from zero; may lie outside
  bool inside = false;
  double value = 0;      // scaled value at the nearest voxel; NaN outside
  double trilinear = 0;  // NaN outside
};

[[nodiscard]] Probe probeAtMm(const Volume& volume, const Vec3& mm, std::int64_t t, std::int64_t c = 0);
[[nodiscard]] Probe probeAtVoxel(const Volume& volume, const std::array<std::int64_t, 3>& voxel, std::int64_t t,
                                 std::int64_t c = 0);

}  // namespace nora
