// Which arrays of a GIFTI file become which data of the surface.
#pragma once

#include "image/io/gifti_xml.hpp"
#include "image/surface.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// One or more arrays of the file that become one array of nora: one tuple a vertex.
struct GiftiColumn {
  std::vector<std::size_t> sources;  // in the file
  AttachedData data;                 // without the index of its array
  VoxelType type = VoxelType::float32;
  std::int64_t count = 0;       // as in the file; more once it is spread over all vertices
  std::int64_t components = 1;  // of all sources together
};

struct GiftiContents {
  std::optional<std::size_t> points, triangles, nodeIndex;
  std::vector<GiftiColumn> columns;
  std::vector<std::string> warnings;
};

/// Points and triangles: the first of each. Arrays of a time series become the components of one; others stay one each.
/// Errors: invalidInput (dimensions); unsupported (triangles without points).
[[nodiscard]] Result<GiftiContents> sortGifti(const GiftiXml& xml, const std::string& name);

}  // namespace nora
