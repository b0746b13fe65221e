// The way of the voxels of NIfTI and Analyze files into memory: plain or compressed, all or one time point.
#pragma once

#include "base/error.hpp"
#include "image/io/file_reader.hpp"
#include "image/io/nifti_layout.hpp"
#include "image/volume.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// True if `name` ends in `suffix`, which is in small letters, whatever the case.
[[nodiscard]] bool hasSuffix(std::string_view name, std::string_view suffix);

/// Voxels of a pair may begin with any bytes, those of gzip too: there the name has to agree.
[[nodiscard]] bool isCompressed(const InputFile& data, bool pair);

/// Holds the claimed size against what the file can have, before anything is inflated or allocated.
/// Errors: invalidInput.
[[nodiscard]] Result<void> checkClaim(const NiftiLayout& layout, const InputFile& data, bool compressed);

struct VoxelsInMemory {
  std::size_t offset = 0;       // of the first voxel in the sink
  std::span<std::byte> voxels;  // there; empty if they stay in the data file
  TimeRange held;
  std::span<const std::byte> sameVoxels;  // in the data file, if they are the same and aligned
  std::vector<std::byte> front;           // of the data file, what lies before the voxels; at most maxFrontBytes

  [[nodiscard]] bool stayInFile() const { return voxels.empty(); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return stayInFile() ? sameVoxels : voxels; }
};
inline constexpr std::size_t maxFrontBytes = std::size_t{1} << 20;

/// Brings the voxels of a layout whose claim was checked into the sink, in memory form: all, or those of
/// options.timePoint where that is quicker. Of a plain file they stay where they are if the sink can do with that, or
/// are copied in one pass. A compressed one is inflated straight
/// into the sink; voxels that have to be converted go through one megabyte at a time.
/// Errors: invalidInput (cut short, damaged); limitExceeded.
[[nodiscard]] Result<VoxelsInMemory> readVoxels(const NiftiLayout& layout, const InputFile& data, bool compressed,
                                                const ReadOptions& options, MemorySink& sink);

}  // namespace nora
