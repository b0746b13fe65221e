// The elements of a VTK XML file: what arrays there are and where their data lie, before any is decoded.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

using VtkAttributes = std::map<std::string, std::string, std::less<>>;

struct VtkElement {
  std::string section;  // the element around it: "PointData", "Points", "Lines", "FieldData", ...
  VtkAttributes attributes;
  std::string_view text;  // inside the element, if any
};

struct VtkXml {
  VtkAttributes file;     // of VTKFile: type, byte_order, header_type, compressor
  VtkAttributes dataset;  // of ImageData, PolyData, ...
  VtkAttributes piece;    // of the first piece: the counts
  std::size_t pieces = 0;
  std::string scalars, normals;  // the active point data
  std::vector<VtkElement> arrays;
  bool appendedRaw = false;
  std::span<const std::byte> appended;  // behind its underscore, up to the end of the file
};

[[nodiscard]] std::string_view valueOf(const VtkAttributes& attributes, std::string_view key);

/// With `headOnly` it stops at the first piece. Entities are not expanded. Errors: invalidInput (no sound XML).
[[nodiscard]] Result<VtkXml> readVtkElements(std::span<const std::byte> bytes, bool headOnly, const std::string& name);

}  // namespace nora
