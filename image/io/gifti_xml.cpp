#include "image/io/gifti_xml.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace nora {
namespace {

constexpr std::size_t maxArrays = 100000;  // a time series has one a time point
constexpr std::size_t maxMeta = 1000;      // of one array, or of the file
constexpr std::size_t maxDims = 6;

std::string withoutPrefix(std::string_view text, std::string_view prefix) {
  text = trimmed(text);
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return std::string(text);
}

std::optional<VoxelType> typeOf(std::string_view name, int& components) {
  static constexpr std::pair<std::string_view, VoxelType> known[] = {
      {"UINT8", VoxelType::uint8},     {"INT8", VoxelType::int8},     {"INT16", VoxelType::int16},
      {"UINT16", VoxelType::uint16},   {"INT32", VoxelType::int32},   {"UINT32", VoxelType::uint32},
      {"INT64", VoxelType::int64},     {"UINT64", VoxelType::uint64}, {"FLOAT32", VoxelType::float32},
      {"FLOAT64", VoxelType::float64}, {"RGB24", VoxelType::uint8},   {"RGBA32", VoxelType::uint8}};
  components = name == "RGB24" ? 3 : name == "RGBA32" ? 4 : 1;
  const auto* found = std::find_if(std::begin(known), std::end(known), [&](const auto& k) { return k.first == name; });
  if (found == std::end(known)) return std::nullopt;
  return found->second;
}

std::optional<GiftiEncoding> encodingOf(std::string_view name) {
  // The upper-case names are those of an early library.
  if (name == "ASCII" || name == "GIFTI_ENCODING_ASCII") return GiftiEncoding::ascii;
  if (name == "Base64Binary" || name == "GIFTI_ENCODING_B64BIN") return GiftiEncoding::base64;
  if (name == "GZipBase64Binary" || name == "GIFTI_ENCODING_B64GZ") return GiftiEncoding::gzipBase64;
  if (name == "ExternalFileBinary" || name == "GIFTI_ENCODING_EXTBIN") return GiftiEncoding::external;
  return std::nullopt;
}

std::string readDims(const XmlElement& element, GiftiArray& array) {
  const auto dimensionality = numberFrom<std::size_t>(element.attribute("Dimensionality"));
  if (!dimensionality || *dimensionality < 1 || *dimensionality > maxDims) {
    return "an array has no usable Dimensionality (1 to " + std::to_string(maxDims) + ")";
  }
  for (std::size_t i = 0; i < *dimensionality; ++i) {
    const auto size = numberFrom<std::int64_t>(element.attribute("Dim" + std::to_string(i)));
    if (!size || *size < 0) return "an array has no usable Dim" + std::to_string(i);
    array.dims.push_back(*size);
  }
  return {};
}

std::string readArray(const XmlElement& element, GiftiArray& array) {
  array.intent = withoutPrefix(element.attribute("Intent"), "NIFTI_INTENT_");
  const std::string typeName = withoutPrefix(element.attribute("DataType"), "NIFTI_TYPE_");
  int components = 1;
  const auto type = typeOf(typeName, components);
  if (!type) return "an array has the DataType \"" + typeName + "\", which nora does not know";
  array.type = *type;
  const auto encoding = encodingOf(element.attribute("Encoding"));
  if (!encoding) return "an array has an Encoding that nora does not know";
  array.encoding = *encoding;
  const auto order = element.attribute("ArrayIndexingOrder");
  array.columnMajor = order == "ColumnMajorOrder" || order == "GIFTI_IND_ORD_COL_MAJOR";
  const auto endian = element.attribute("Endian");
  array.bigEndian = endian == "BigEndian" || endian == "GIFTI_ENDIAN_BIG";
  array.externalName = std::string(trimmed(element.attribute("ExternalFileName")));
  if (const auto text = trimmed(element.attribute("ExternalFileOffset")); !text.empty()) {
    const auto offset = numberFrom<std::size_t>(text);
    if (!offset && array.encoding == GiftiEncoding::external) {
      return "ExternalFileOffset is \"" + printable(text.substr(0, 40)) + "\", which is no place in " +
             printable(array.externalName);
    }
    array.externalOffset = offset.value_or(0);
  }
  if (std::string wrong = readDims(element, array); !wrong.empty()) return wrong;
  if (components > 1) array.dims.push_back(components);
  return {};
}

std::uint8_t colourByte(double value, bool bytes) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(bytes ? value : value * 255, 0.0, 255.0)));
}

void readMatrix(std::string_view text, GiftiTransform& transform) {
  const auto numbers = words(text);
  if (numbers.size() != transform.matrix.size()) return;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = numberFrom<double>(numbers[i]);
    if (!number || !std::isfinite(*number)) return;
    transform.matrix[i] = *number;
  }
  const auto& m = transform.matrix;
  transform.complete = m[12] == 0 && m[13] == 0 && m[14] == 0 && m[15] == 1;
}

/// The elements of a GIFTI file, one call each.
class Gatherer {
 public:
  explicit Gatherer(GiftiXml& xml) : xml_(xml) {}

  std::string open(const XmlElement& element, int depth) {
    if (depth == 1) return element.name == "GIFTI" ? "" : "this is XML, but no GIFTI file";
    if (element.name == "DataArray") {
      if (inArray_) return "an array lies within an array";
      if (xml_.arrays.size() >= maxArrays) return "the file has more than " + std::to_string(maxArrays) + " arrays";
      inArray_ = true;
      return readArray(element, xml_.arrays.emplace_back());
    }
    if (element.name == "Label") {
      if (xml_.labels.size() >= LabelTable::maxLabels) return {};
      return readGiftiLabel(element, xml_.labels.emplace_back());
    }
    if (element.name == "Data" && inArray_) array().dataBegin = element.contentBegin;
    if (element.name == "CoordinateSystemTransformMatrix" && inArray_ && array().transforms.size() < maxDims) {
      array().transforms.emplace_back();
    }
    return {};
  }

  std::string close(std::string_view name, std::string_view text, std::size_t end) {
    if (name == "DataArray") inArray_ = false;
    if (name == "Data" && inArray_) array().dataEnd = std::max(end, array().dataBegin);
    if (name == "Label" && !xml_.labels.empty()) xml_.labels.back().name = std::string(text);
    if (name == "Name") metaName_ = std::string(text);
    if (name == "Value") metaValue_ = std::string(text);
    if (name == "MD") closeMeta();
    if (inArray_ && !array().transforms.empty()) closeTransform(name, text);
    return {};
  }

 private:
  GiftiArray& array() { return xml_.arrays.back(); }

  void closeMeta() {
    GiftiMeta& meta = inArray_ ? array().meta : xml_.meta;
    if (meta.size() < maxMeta) meta.emplace_back(std::move(metaName_), std::move(metaValue_));
    metaName_.clear();
    metaValue_.clear();
  }
  void closeTransform(std::string_view name, std::string_view text) {
    GiftiTransform& transform = array().transforms.back();
    if (name == "DataSpace") transform.dataSpace = withoutPrefix(text, "NIFTI_XFORM_");
    if (name == "TransformedSpace") transform.transformedSpace = withoutPrefix(text, "NIFTI_XFORM_");
    if (name == "MatrixData") readMatrix(text, transform);
  }

  GiftiXml& xml_;
  bool inArray_ = false;
  std::string metaName_, metaValue_;
};

}  // namespace

std::string_view valueOf(const GiftiMeta& meta, std::string_view name) {
  for (const auto& [key, value] : meta) {
    if (key == name) return value;
  }
  return {};
}

std::string readGiftiLabel(const XmlElement& element, Label& label) {
  auto key = element.attribute("Key");
  if (key.empty()) key = element.attribute("Index");
  const auto value = numberFrom<std::int64_t>(key);
  if (!value) return "a label has no usable Key";
  label.value = *value;
  std::array<double, 4> rgba{0, 0, 0, 1};  // 0 to 1 as the standard says, or 0 to 255 as some write
  static constexpr std::array<std::string_view, 4> names{"Red", "Green", "Blue", "Alpha"};
  label.hasColour = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto part = numberFrom<double>(element.attribute(names[i]));
    if (!part || !std::isfinite(*part)) continue;
    label.hasColour = true;
    rgba[i] = *part;
  }
  const bool bytes = std::any_of(rgba.begin(), rgba.end(), [](double v) { return v > 1; });
  if (bytes && element.attribute("Alpha").empty()) rgba[3] = 255;
  for (std::size_t i = 0; i < rgba.size(); ++i) label.rgba[i] = colourByte(rgba[i], bytes);
  return {};
}

Result<std::int64_t> GiftiArray::components(const std::string& name) const {
  std::int64_t product = 1;
  for (std::size_t i = 1; i < dims.size(); ++i) {
    if (__builtin_mul_overflow(product, dims[i], &product)) {
      return fail(ErrorCode::invalidInput, "an array claims more numbers than can be counted", name);
    }
  }
  return product;
}

Result<GiftiXml> parseGifti(std::string_view text, const std::string& name) {
  GiftiXml xml;
  Gatherer gatherer(xml);
  XmlVisitor visitor;
  visitor.open = [&](const XmlElement& element, int depth) { return gatherer.open(element, depth); };
  visitor.close = [&](std::string_view element, std::string_view content, std::size_t end, int) {
    return gatherer.close(element, content, end);
  };
  visitor.skipTextOf = "Data";
  const auto walked = walkXml(text, visitor, name);
  if (!walked) return tl::make_unexpected(walked.error());
  return xml;
}

}  // namespace nora
