// The text header of a MetaImage (.mha, .mhd) as an image description: the step between bytes and voxels.
// Own parser: MetaIO, as ITK has it, opens files itself, which a reader process cannot.
#pragma once

#include "base/error.hpp"
#include "image/io/strided_voxels.hpp"
#include "image/io/voxel_parts.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace nora {

struct MetaImageHeader {
  std::map<std::string, std::string> fields;  // name in small letters: value
  std::vector<std::string> listedFiles;       // the lines behind "ElementDataFile = LIST"
  std::uint64_t end = 0;                      // where LOCAL voxels begin

  /// Empty if the file does not have the field.
  [[nodiscard]] const std::string& value(const char* name) const;
  /// The first of several names that the file has.
  [[nodiscard]] const std::string& value(std::initializer_list<const char*> names) const;
};

/// True if the bytes begin with fields of a MetaImage: "ObjectType = Image" or "NDims = ".
[[nodiscard]] bool looksLikeMetaImage(std::span<const std::byte> bytes);

/// Errors: invalidInput (no fields, no ElementDataFile at their end); unsupported (an object that is no image).
[[nodiscard]] Result<MetaImageHeader> parseMetaImageHeader(std::span<const std::byte> bytes, const std::string& name);

struct MetaImageLayout {
  StridedImage image;  // order from the first voxel byte
  PartCoding coding = PartCoding::raw;
  std::uint64_t codedBytes = 0;        // CompressedDataSize; 0: to the end of the file
  std::int64_t headerSize = 0;         // of the data file; -1: the voxels are its last bytes
  std::vector<std::string> dataFiles;  // none: LOCAL
  std::uint64_t bytes = 0;             // of all voxels
};

/// World:  LPS, as ITK reads it: the rows of TransformMatrix are the directions of the axes, Offset is the centre of
///         the first voxel. CenterOfRotation, AnatomicalOrientation and the intensity function have no effect there.
/// Axes:   the fourth is time, the fifth components; channels are interleaved (3 or 4 uint8: colour).
/// Types:  MET_LONG has 4 bytes and MET_LONG_LONG 8, as in MetaIO.
/// Errors: invalidInput (missing or senseless fields); unsupported (element type, more than 5 axes).
[[nodiscard]] Result<MetaImageLayout> describeMetaImage(const MetaImageHeader& header, const std::string& name);

}  // namespace nora
