// Voxels that lie in a file in any order of axes, type and byte order: the way from there into the order of Volume.
// Shared by the formats that leave the order open (MIF, MINC) or scale each slice or volume on its own (AFNI, PAR/REC).
#pragma once

#include "base/error.hpp"
#include "image/image_info.hpp"
#include "image/io/file_reader.hpp"
#include "image/voxel_type.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace nora {

/// One voxel as it lies in the file.
struct StoredVoxel {
  enum class Kind { number, bit, half, complex, complexHalf };
  Kind kind = Kind::number;
  VoxelType number = VoxelType::uint8;  // number: of the voxel, colour too; complex: of each part (float32, float64)
  bool swapped = false;                 // the file has the other byte order than this machine

  [[nodiscard]] std::size_t bits() const;
  /// What it becomes: a bit uint8, half precision float32, complex its magnitude.
  [[nodiscard]] VoxelType inMemory() const;
};

/// x, y, z, time, component.
using Axes = std::array<std::int64_t, 5>;

[[nodiscard]] Axes axesOf(const ImageInfo& info);

/// Where the voxels lie, in bytes from the beginning of the file (Kind::bit: in bits).
struct VoxelOrder {
  std::int64_t first = 0;  // the voxel (0, 0, 0, 0, 0)
  Axes strides{};          // from a voxel to its neighbour along each axis; may be negative
};

/// x fastest, nothing between the voxels. Errors: invalidInput (the sizes overflow).
[[nodiscard]] Result<VoxelOrder> packedOrder(const Axes& dims, const StoredVoxel& stored, std::int64_t first,
                                             const std::string& name);

struct VoxelScale {
  double slope = 1;
  double inter = 0;
  friend bool operator==(const VoxelScale&, const VoxelScale&) = default;
};

/// What is done to the values on their way; nothing as a rule, because a scale of the whole image stays in ImageInfo.
struct VoxelScales {
  /// Applied to the stored values, which become float32 (float64 stays). Empty: none.
  std::vector<VoxelScale> table;
  Axes strides{};  // of the table; 0 along x
  /// Stored values beyond these become these.
  std::optional<std::pair<double, double>> clamp;

  [[nodiscard]] bool none() const { return table.empty() && !clamp; }
  /// The voxel type in memory of voxels stored so.
  [[nodiscard]] VoxelType inMemory(const StoredVoxel& stored) const;
};

/// First byte and end of what the order touches. Errors: invalidInput (before the file's beginning, overflow).
[[nodiscard]] Result<std::pair<std::uint64_t, std::uint64_t>> extentOf(const Axes& dims, const VoxelOrder& order,
                                                                       const StoredVoxel& stored,
                                                                       const std::string& name);

/// Brings the voxels from `from` (the file's bytes) to `to`, x fastest. `from` must hold the whole extent and `to` have
/// room for all voxels; broken, the program ends.
void placeVoxels(const Axes& dims, const VoxelOrder& order, const StoredVoxel& stored, const VoxelScales& scales,
                 std::span<const std::byte> from, std::span<std::byte> to, const std::function<void(double)>& progress);

/// An image as a header describes it: all that is needed to get its voxels out of one plain or gzip file.
struct StridedImage {
  ImageInfo info;  // with dims; type is set by finish()
  StoredVoxel stored;
  VoxelOrder order;
  VoxelScales scales;

  /// Sets info.type; checks the number of voxels. Errors: invalidInput.
  [[nodiscard]] Result<void> finish(const std::string& name);
};

/// True if the voxels of the file are those in memory, but for the byte order.
[[nodiscard]] bool isPacked(const StridedImage& image);
/// Brings packed voxels into the byte order of this machine.
void swapInPlace(const StoredVoxel& stored, std::span<std::byte> voxels);

enum class Packing { plain, gzip };
/// By the first bytes.
[[nodiscard]] Packing packingOf(const InputFile& file);

/// Holds what the header claims against the bytes there are. Errors: invalidInput.
[[nodiscard]] Result<void> checkClaim(const StridedImage& image, const InputFile& data);

/// Reads the voxels into the sink: straight from the mapping or the inflater where file and memory agree. A plain file
/// gives one time point if that was asked for. Errors: invalidInput (too short, damaged), limitExceeded.
[[nodiscard]] Result<ReadImage> readStrided(StridedImage image, const InputFile& data, Packing packing,
                                            const ReadOptions& options, MemorySink& sink);

/// The first `size` bytes of a plain or gzip file: the mapping itself, or memory of its own.
class FileContent {
 public:
  /// Errors: invalidInput (too short, damaged); limitExceeded.
  [[nodiscard]] static Result<FileContent> open(const InputFile& file, Packing packing, std::uint64_t size);
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::unique_ptr<std::byte[]> inflated_;
  std::span<const std::byte> bytes_;
};

/// An Error if the file cannot hold `size` bytes, seen from its own size alone.
[[nodiscard]] Result<void> checkHolds(const InputFile& file, Packing packing, std::uint64_t size);

}  // namespace nora
