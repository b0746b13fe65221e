// The XML of a GIFTI file as plain values: what arrays there are and where in the file their data lie.
#pragma once

#include "base/error.hpp"
#include "image/io/mesh_xml.hpp"
#include "image/label_table.hpp"
#include "image/voxel_type.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

using GiftiMeta = std::vector<std::pair<std::string, std::string>>;

/// The value of a name, or empty.
[[nodiscard]] std::string_view valueOf(const GiftiMeta& meta, std::string_view name);

enum class GiftiEncoding : std::uint8_t { ascii, base64, gzipBase64, external };

/// A matrix that leads from one space to another. Space names without their prefix "NIFTI_XFORM_".
struct GiftiTransform {
  std::string dataSpace, transformedSpace;
  std::array<double, 16> matrix{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  bool complete = false;  // sixteen finite numbers and a last row of 0 0 0 1
};

struct GiftiArray {
  std::string intent;  // without its prefix: "POINTSET"
  VoxelType type = VoxelType::float32;
  std::vector<std::int64_t> dims;
  bool columnMajor = false;
  GiftiEncoding encoding = GiftiEncoding::ascii;
  bool bigEndian = false;
  std::string externalName;
  std::size_t externalOffset = 0;
  GiftiMeta meta;
  std::vector<GiftiTransform> transforms;
  std::size_t dataBegin = 0, dataEnd = 0;  // of the text between <Data> and </Data>, in the file

  /// Tuples and numbers a tuple; GIFTI's first dimension is the tuples, also in column-major order.
  [[nodiscard]] std::int64_t count() const { return dims.empty() ? 0 : dims.front(); }
  /// Errors: invalidInput (overflow).
  [[nodiscard]] Result<std::int64_t> components(const std::string& name) const;
};

struct GiftiXml {
  GiftiMeta meta;
  std::vector<Label> labels;
  std::vector<GiftiArray> arrays;
};

/// The key and colour of a <Label>; its name is the text of the element. The answer is what is wrong, or empty.
[[nodiscard]] std::string readGiftiLabel(const XmlElement& element, Label& label);

/// Errors: invalidInput (no GIFTI, no sound XML, says the line; a wrong attribute; nested or long beyond measure);
/// unsupported (a DTD that declares entities, an unknown type).
/// Source: GIFTI Surface Data Format 1.0.
[[nodiscard]] Result<GiftiXml> parseGifti(std::string_view text, const std::string& name);

}  // namespace nora
