#include "image/io/freesurfer_format.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/mesh_arrays.hpp"

#include <bit>

namespace nora {
namespace {

std::uint64_t bigEndian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size && at + i < bytes.size(); ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

/// New curv files and old quad surfaces begin with the same three bytes; their sizes tell them apart.
FreeSurferFormat curvOrQuads(std::string_view beginning, std::size_t size) {
  constexpr std::size_t curvHeader = 15, quadHeader = 9;
  const std::uint64_t values = bigEndian(beginning, 3, 4), each = bigEndian(beginning, 11, 4);
  if (values > 0 && each > 0 && each < 65536 && size >= curvHeader && (size - curvHeader) / 4 == values * each &&
      (size - curvHeader) % 4 == 0) {
    return FreeSurferFormat::curv;
  }
  const std::uint64_t vertices = bigEndian(beginning, 3, 3), quads = bigEndian(beginning, 6, 3);
  return vertices > 0 && size >= quadHeader + vertices * 6 + quads * 12 &&
                 size < 2 * (quadHeader + vertices * 6 + quads * 12)
             ? FreeSurferFormat::quads
             : FreeSurferFormat::none;
}

bool ofHemisphere(const std::string& name) {
  const std::string base = meshBaseName(name);
  return base.starts_with("lh.") || base.starts_with("rh.");
}

FreeSurferFormat withoutMagic(const std::string& name, std::string_view beginning, std::size_t size) {
  constexpr std::size_t oldCurvHeader = 6, paintHeader = 5, paintEntry = 7;
  const std::uint64_t entries = bigEndian(beginning, 2, 3);
  if (hasMeshSuffix(name, ".w") && size == paintHeader + paintEntry * entries) return FreeSurferFormat::paint;
  if (!ofHemisphere(name)) return FreeSurferFormat::none;
  const std::uint64_t vertices = bigEndian(beginning, 0, 3);
  if (vertices > 0 && size == oldCurvHeader + 2 * vertices) return FreeSurferFormat::oldCurv;
  return FreeSurferFormat::none;
}

}  // namespace

FreeSurferFormat freeSurferFormatOf(const std::string& name, std::string_view beginning, std::size_t size) {
  if (beginning.starts_with("\xff\xff\xfe")) return FreeSurferFormat::triangles;
  if (beginning.starts_with("\xff\xff\xfd")) return FreeSurferFormat::newQuads;
  if (beginning.starts_with("\xff\xff\xff")) {
    const FreeSurferFormat told = curvOrQuads(beginning, size);
    return told == FreeSurferFormat::none && ofHemisphere(name) ? FreeSurferFormat::curv : told;  // cut short
  }
  if (hasMeshSuffix(name, ".annot")) return FreeSurferFormat::annotation;
  if (hasMeshSuffix(name, ".label") && beginning.starts_with("#!ascii")) return FreeSurferFormat::label;
  if (hasMeshSuffix(name, ".asc")) {
    if (beginning.starts_with("#!ascii")) return FreeSurferFormat::asciiSurface;
    constexpr std::size_t columns = 5;
    const auto firstLine = beginning.substr(0, beginning.find('\n'));
    const auto row = words(firstLine);
    return row.size() == columns && numberFrom<double>(row.back()) ? FreeSurferFormat::asciiValues
                                                                   : FreeSurferFormat::none;
  }
  return withoutMagic(name, beginning, size);
}

std::string freeSurferFormatName(FreeSurferFormat format) {
  switch (format) {
    case FreeSurferFormat::triangles:
    case FreeSurferFormat::quads:
    case FreeSurferFormat::newQuads:
    case FreeSurferFormat::asciiSurface: return "FreeSurfer surface";
    case FreeSurferFormat::curv:
    case FreeSurferFormat::oldCurv:
    case FreeSurferFormat::asciiValues: return "FreeSurfer curv";
    case FreeSurferFormat::paint: return "FreeSurfer paint";
    case FreeSurferFormat::annotation: return "FreeSurfer annotation";
    case FreeSurferFormat::label: return "FreeSurfer label";
    case FreeSurferFormat::none: break;
  }
  return {};
}

}  // namespace nora
