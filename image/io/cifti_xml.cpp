#include "image/io/cifti_xml.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/gifti_xml.hpp"
#include "image/io/mesh_text.hpp"
#include "image/io/mesh_xml.hpp"

#include <cctype>
#include <cmath>
#include <limits>
#include <optional>

namespace nora {
namespace {

constexpr std::size_t maxModels = 4096, maxMaps = 1U << 20;

/// "CIFTI_STRUCTURE_CORTEX_LEFT" -> "CortexLeft"
std::string structureName(std::string_view text) {
  constexpr std::string_view prefix = "CIFTI_STRUCTURE_";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  std::string out;
  bool start = true;
  for (const char c : text) {
    const auto letter = static_cast<unsigned char>(c);
    if (c != '_') out.push_back(static_cast<char>(start ? std::toupper(letter) : std::tolower(letter)));
    start = c == '_';
  }
  return out;
}

CiftiAxis axisOf(std::string_view name) {
  if (name == "CIFTI_INDEX_TYPE_BRAIN_MODELS") return CiftiAxis::brainModels;
  if (name == "CIFTI_INDEX_TYPE_PARCELS") return CiftiAxis::parcels;
  if (name == "CIFTI_INDEX_TYPE_SCALARS") return CiftiAxis::scalars;
  if (name == "CIFTI_INDEX_TYPE_LABELS") return CiftiAxis::labels;
  if (name == "CIFTI_INDEX_TYPE_SERIES") return CiftiAxis::series;
  return CiftiAxis::none;
}

/// All numbers of a text; empty if one is none.
std::optional<std::vector<std::int64_t>> wholeNumbers(std::string_view text) {
  std::vector<std::int64_t> out;
  TextCursor cursor(text);
  while (!cursor.atEnd()) {
    const auto number = cursor.number<std::int64_t>();
    if (!number || *number < 0) return std::nullopt;
    out.push_back(*number);
  }
  return out;
}

bool readVoxels(std::string_view text, std::vector<CiftiVoxel>& voxels) {
  const auto numbers = wholeNumbers(text);
  if (!numbers || numbers->size() % 3 != 0) return false;
  for (std::size_t i = 0; i < numbers->size(); i += 3) {
    voxels.push_back({(*numbers)[i], (*numbers)[i + 1], (*numbers)[i + 2]});
  }
  return true;
}

/// The elements of a CIFTI file, one call each. An answer that is not empty is what is wrong.
class Gatherer {
 public:
  explicit Gatherer(CiftiXml& xml) : xml_(xml) {}

  bool unsupported = false;

  std::string open(const XmlElement& element, int depth) {
    if (depth == 1) return openRoot(element);
    if (element.name == "MatrixIndicesMap") return openDimension(element);
    if (element.name == "BrainModel") return openModel(element);
    if (element.name == "Volume") return openVolume(element);
    if (element.name == "TransformationMatrixVoxelIndicesIJKtoXYZ") {
      meterExponent_ = numberFrom<int>(element.attribute("MeterExponent")).value_or(-3);
    }
    if (element.name == "NamedMap" && current_.maps.size() < maxMaps) current_.maps.emplace_back();
    if (element.name == "Label" && !current_.maps.empty()) {
      auto& labels = current_.maps.back().labels;
      return labels.size() < LabelTable::maxLabels ? readGiftiLabel(element, labels.emplace_back()) : "";
    }
    if (element.name == "Parcel" && current_.parcels.size() < maxMaps) {
      current_.parcels.push_back({std::string(element.attribute("Name")), {}, {}});
    }
    if (element.name == "Vertices" && !current_.parcels.empty()) {
      current_.parcels.back().vertices.emplace_back(structureName(element.attribute("BrainStructure")),
                                                    std::vector<std::int64_t>{});
    }
    if (element.name == "Surface") {
      const auto count = numberFrom<std::int64_t>(element.attribute("SurfaceNumberOfVertices"));
      current_.surfaces.emplace_back(structureName(element.attribute("BrainStructure")), count.value_or(0));
    }
    return {};
  }

  std::string close(std::string_view name, std::string_view text) {
    const bool inModel = !current_.models.empty();
    if (name == "VertexIndices" && inModel) {
      auto numbers = wholeNumbers(text);
      if (!numbers) return "the vertex indices of a brain model are no numbers";
      current_.models.back().indices = std::move(*numbers);
    }
    if (name == "VoxelIndicesIJK") {
      auto* voxels = !current_.parcels.empty() ? &current_.parcels.back().voxels
                     : inModel                 ? &current_.models.back().voxels
                                               : nullptr;
      if (voxels != nullptr && !readVoxels(text, *voxels)) return "the voxel indices of a brain model are no numbers";
    }
    if (name == "Vertices" && !current_.parcels.empty() && !current_.parcels.back().vertices.empty()) {
      auto numbers = wholeNumbers(text);
      if (!numbers) return "the vertices of a parcel are no numbers";
      current_.parcels.back().vertices.back().second = std::move(*numbers);
    }
    if (name == "MapName" && !current_.maps.empty()) current_.maps.back().name = std::string(text);
    if (name == "Label" && !current_.maps.empty() && !current_.maps.back().labels.empty()) {
      current_.maps.back().labels.back().name = std::string(text);
    }
    if (name == "TransformationMatrixVoxelIndicesIJKtoXYZ") return readMatrix(text);
    if (name == "MatrixIndicesMap") closeDimension();
    return {};
  }

 private:
  std::string openRoot(const XmlElement& element) {
    if (element.name != "CIFTI") return "the file's extension is XML, but not of CIFTI";
    xml_.version = std::string(element.attribute("Version"));
    if (xml_.version.starts_with("2")) return {};
    unsupported = true;
    return "this is CIFTI version " + xml_.version + "; convert it to version 2 with wb_command -file-convert";
  }

  std::string openDimension(const XmlElement& element) {
    current_ = {};
    applies_.clear();
    for (const auto word : words(element.attribute("AppliesToMatrixDimension"), ", ")) {
      const auto dimension = numberFrom<std::size_t>(word);
      if (!dimension) return "a map of the matrix has no usable AppliesToMatrixDimension";
      if (*dimension >= xml_.dimensions.size()) {
        unsupported = true;
        return "the matrix has more than two dimensions";
      }
      applies_.push_back(*dimension);
    }
    current_.axis = axisOf(element.attribute("IndicesMapToDataType"));
    if (current_.axis != CiftiAxis::series) return {};
    current_.seriesLength = numberFrom<std::int64_t>(element.attribute("NumberOfSeriesPoints")).value_or(0);
    const int exponent = numberFrom<int>(element.attribute("SeriesExponent")).value_or(0);
    current_.seriesStep = numberFrom<double>(element.attribute("SeriesStep")).value_or(0) * std::pow(10.0, exponent);
    current_.seriesUnit = std::string(element.attribute("SeriesUnit"));
    return {};
  }

  /// One map may serve both dimensions (dense connectivity).
  void closeDimension() {
    for (const std::size_t dimension : applies_) xml_.dimensions[dimension] = current_;
  }

  std::string openModel(const XmlElement& element) {
    if (current_.models.size() >= maxModels) return "the file has too many brain models";
    CiftiModel& model = current_.models.emplace_back();
    model.structure = structureName(element.attribute("BrainStructure"));
    model.surface = element.attribute("ModelType") == "CIFTI_MODEL_TYPE_SURFACE";
    const auto offset = numberFrom<std::int64_t>(element.attribute("IndexOffset"));
    const auto count = numberFrom<std::int64_t>(element.attribute("IndexCount"));
    if (!offset || !count || *offset < 0 || *count < 0) return "a brain model has no usable IndexOffset and IndexCount";
    model.offset = *offset;
    model.count = *count;
    if (!model.surface) return {};
    const auto vertices = numberFrom<std::int64_t>(element.attribute("SurfaceNumberOfVertices"));
    if (!vertices || *vertices < 0) return "a brain model has no usable SurfaceNumberOfVertices";
    model.vertices = *vertices;
    return {};
  }

  std::string openVolume(const XmlElement& element) {
    const auto dims = words(element.attribute("VolumeDimensions"), ", ");
    if (dims.size() != 3) return "the volume has no usable VolumeDimensions";
    for (std::size_t i = 0; i < 3; ++i) {
      const auto size = numberFrom<std::int64_t>(dims[i]);
      constexpr std::int64_t most = 1 << 16;
      if (!size || *size < 1 || *size > most) return "the volume has no usable VolumeDimensions";
      current_.volumeDims[i] = *size;
    }
    return {};
  }

  std::string readMatrix(std::string_view text) {
    const auto numbers = words(text);
    Affine matrix;
    if (numbers.size() != matrix.m.size()) return "the matrix of the volume has not sixteen numbers";
    constexpr int millimetre = -3;
    const double scale = std::pow(10.0, meterExponent_ - millimetre);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto number = numberFrom<double>(numbers[i]);
      if (!number) return "the matrix of the volume has not sixteen numbers";
      matrix.m[i] = i < 12 ? *number * scale : *number;
    }
    if (!inverse(matrix) || matrix.m[12] != 0 || matrix.m[13] != 0 || matrix.m[14] != 0 || matrix.m[15] != 1) {
      return "the matrix of the volume cannot be inverted";
    }
    current_.worldFromVoxel = matrix;
    current_.hasVolume = true;
    return {};
  }

  CiftiXml& xml_;
  CiftiDimension current_;
  std::vector<std::size_t> applies_;
  int meterExponent_ = -3;
};

}  // namespace

std::string_view toString(CiftiAxis axis) {
  switch (axis) {
    case CiftiAxis::brainModels: return "brain models";
    case CiftiAxis::parcels: return "parcels";
    case CiftiAxis::scalars: return "scalars";
    case CiftiAxis::labels: return "labels";
    case CiftiAxis::series: return "series";
    case CiftiAxis::none: break;
  }
  return "nothing known";
}

Result<CiftiXml> parseCifti(std::string_view text, const std::string& name) {
  CiftiXml xml;
  Gatherer gatherer(xml);
  XmlVisitor visitor;
  visitor.open = [&](const XmlElement& element, int depth) { return gatherer.open(element, depth); };
  visitor.close = [&](std::string_view element, std::string_view content, std::size_t, int) {
    return gatherer.close(element, content);
  };
  visitor.mostText = std::numeric_limits<std::size_t>::max();  // indices of all vertices; the file bounds it
  auto walked = walkXml(text, visitor, name);
  if (walked) return xml;
  if (gatherer.unsupported) walked.error().code = ErrorCode::unsupported;
  return tl::make_unexpected(walked.error());
}

}  // namespace nora
