// Voxels that come in parts: raw, compressed or as text, in one file or cut into several that a header names. What NRRD
// and MetaImage have in common.
#pragma once

#include "base/error.hpp"
#include "image/io/file_reader.hpp"
#include "image/io/strided_voxels.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

enum class PartCoding {
  raw,
  gzip,
  zlib,   // RFC 1950, or gzip
  ascii,  // numbers between blanks or commas
  hex,    // two digits a byte; blanks are skipped
};

/// A run of stored voxels. The parts of an image follow each other.
struct VoxelPart {
  const InputFile* file = nullptr;
  PartCoding coding = PartCoding::raw;
  std::uint64_t offset = 0;       // bytes of the file before the coded voxels
  std::uint64_t codedBytes = 0;   // 0: up to the end of the file
  std::uint64_t decodedSkip = 0;  // gzip: bytes to be skipped once inflated
  std::uint64_t bytes = 0;        // of voxels, decoded
};

/// Holds what the parts claim against the bytes there are. Errors: invalidInput (names the part).
[[nodiscard]] Result<void> checkParts(const StridedImage& image, std::span<const VoxelPart> parts);

/// Reads the voxels. image.order counts from the first byte of the first part, decoded; the parts hold all of it.
/// One raw part gives one time point if that was asked for. Voxels stored in the order of Volume are decoded straight
/// into the sink. Errors: invalidInput (too short, damaged, no number); limitExceeded.
[[nodiscard]] Result<ReadImage> readParts(StridedImage image, std::span<const VoxelPart> parts,
                                          const ReadOptions& options, MemorySink& sink);

/// The names that a printf pattern with one number ("slice%03d.raw") gives for first, first + step, ... last. "%%" is a
/// percent sign. Errors: invalidInput (no such pattern, step 0); limitExceeded (more than `most`).
[[nodiscard]] Result<std::vector<std::string>> numberedNames(std::string_view pattern, std::int64_t first,
                                                             std::int64_t last, std::int64_t step, std::size_t most,
                                                             const std::string& where);

/// The name of a data file as nora looks for it, relative to the header's folder: "/" for "\\", no "./"; of an absolute
/// path only the last part, because files move together.
[[nodiscard]] std::string localName(std::string_view name);

/// The Error for a data file that is not there: one outside the header's folder was not looked for.
[[nodiscard]] Error missingPart(std::string_view part, const std::string& header);

/// The file that the header means by `part`: by its path, else by its name alone, else (`sole`) the only other file.
/// Errors: notFound.
[[nodiscard]] Result<const InputFile*> findPart(std::span<const InputFile> files, const InputFile& header,
                                                std::string_view part, bool sole);

}  // namespace nora
