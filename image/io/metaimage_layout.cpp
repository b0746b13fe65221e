#include "image/io/byte_reader.hpp"
#include "image/io/metaimage_header.hpp"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <optional>
#include <utility>

namespace nora {
namespace {

constexpr std::size_t maxAxes = 5;
constexpr std::size_t maxDataFiles = 65536;

bool isTrue(const std::string& value) {
  return !value.empty() && (value[0] == 'T' || value[0] == 't' || value[0] == '1');
}

/// The numbers of a field; empty if one of them is none.
std::vector<double> numbersOf(const std::string& value) {
  std::vector<double> out;
  for (const std::string_view word : words(value, " \t,")) {
    const auto number = numberFrom<double>(word);
    if (!number || !std::isfinite(*number)) return {};
    out.push_back(*number);
  }
  return out;
}

std::optional<VoxelType> typeNamed(std::string name) {
  for (const std::string_view ending : {"_ARRAY", "_MATRIX"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  static constexpr std::pair<std::string_view, VoxelType> names[] = {
      {"MET_CHAR", VoxelType::int8},       {"MET_ASCII_CHAR", VoxelType::int8},   {"MET_UCHAR", VoxelType::uint8},
      {"MET_SHORT", VoxelType::int16},     {"MET_USHORT", VoxelType::uint16},     {"MET_INT", VoxelType::int32},
      {"MET_UINT", VoxelType::uint32},     {"MET_LONG", VoxelType::int32},        {"MET_ULONG", VoxelType::uint32},
      {"MET_LONG_LONG", VoxelType::int64}, {"MET_ULONG_LONG", VoxelType::uint64}, {"MET_FLOAT", VoxelType::float32},
      {"MET_DOUBLE", VoxelType::float64}};
  const auto* found = std::find_if(std::begin(names), std::end(names), [&](const auto& n) { return n.first == name; });
  if (found == std::end(names)) return std::nullopt;
  return found->second;
}

struct Shape {
  std::size_t axes = 3;
  Axes dims{1, 1, 1, 1, 1};
  std::int64_t channels = 1;
};

Result<Shape> shapeOf(const MetaImageHeader& header, const std::string& name) {
  Shape shape;
  const auto axes = numberFrom<std::size_t>(header.value("ndims"));
  if (!axes || *axes < 1) return fail(ErrorCode::invalidInput, "the header has no NDims of 1 or more", name);
  if (*axes > maxAxes) return fail(ErrorCode::unsupported, "images of more than 5 axes are not supported", name);
  shape.axes = *axes;
  const auto sizes = words(header.value("dimsize"), " \t,");
  for (std::size_t i = 0; i < shape.axes; ++i) {
    const auto size = i < sizes.size() ? numberFrom<std::int64_t>(sizes[i]) : std::nullopt;
    if (!size || *size < 1) {
      return fail(ErrorCode::invalidInput, "DimSize has no number of 1 or more for each axis", name);
    }
    shape.dims[i] = *size;
  }
  if (const std::string& channels = header.value("elementnumberofchannels"); !channels.empty()) {
    const auto count = numberFrom<std::int64_t>(channels);
    if (!count || *count < 1)
      return fail(ErrorCode::invalidInput, "ElementNumberOfChannels is no number above 0", name);
    shape.channels = *count;
  }
  return shape;
}

Result<void> setVoxels(const MetaImageHeader& header, const Shape& shape, const std::string& name,
                       MetaImageLayout& layout) {
  const std::string& typeName = header.value("elementtype");
  const auto type = typeNamed(typeName);
  if (!type) {
    return fail(ErrorCode::unsupported, "the element type \"" + printable(typeName) + "\" is not supported", name);
  }
  StridedImage& image = layout.image;
  image.stored.number = *type;
  std::int64_t channels = shape.channels;
  if (*type == VoxelType::uint8 && (channels == 3 || channels == 4)) {
    image.stored.number = channels == 3 ? VoxelType::rgb24 : VoxelType::rgba32;
    channels = 1;
  }
  const bool big = isTrue(header.value({"binarydatabyteordermsb", "elementbyteordermsb"}));
  image.stored.swapped = big == (std::endian::native == std::endian::little);
  image.info.dims = {shape.dims[0], shape.dims[1], shape.dims[2]};
  image.info.timePoints = shape.dims[3];
  auto stride = static_cast<std::int64_t>(image.stored.bits() / 8);
  bool overflow = __builtin_mul_overflow(stride, channels, &stride);
  for (std::size_t a = 0; a < shape.dims.size(); ++a) {
    image.order.strides[a] = stride;
    overflow |= __builtin_mul_overflow(stride, shape.dims[a], &stride);
  }
  if (overflow) return fail(ErrorCode::invalidInput, "the sizes overflow", name);
  if (channels > 1) {
    if (shape.dims[4] > 1) {
      return fail(ErrorCode::unsupported, "images of five axes and several channels are not supported", name);
    }
    image.order.strides[4] = static_cast<std::int64_t>(image.stored.bits() / 8);
    image.info.components = channels;
    image.info.intent = "vector";
  } else {
    image.info.components = shape.dims[4];
  }
  layout.bytes = static_cast<std::uint64_t>(stride);
  return image.finish(name);
}

double millimetresPer(const std::string& unit, ImageInfo& info) {
  const double factor = unit == "um" ? 1e-3 : unit == "cm" ? 10 : 1;
  if (factor != 1) info.warnings.push_back("the header is in " + unit + "; scaled to millimetres");
  return factor;
}

/// Rows of the matrix are directions of axes; the axes that the image does not have stay those of LPS.
std::array<Vec3, 3> directionsOf(const MetaImageHeader& header, std::size_t axes, ImageInfo& info) {
  std::array<Vec3, 3> out{Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}};
  const std::string& value = header.value({"transformmatrix", "orientation", "rotation"});
  const auto matrix = numbersOf(value);
  if (matrix.size() != axes * axes) {
    info.warnings.emplace_back(value.empty()
                                   ? "no orientation in the header: the axes are taken as LPS, as ITK does"
                                   : "TransformMatrix is no matrix of the image's axes; they are taken as LPS");
    return out;
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(3, axes); ++i) {
    for (std::size_t k = 0; k < 3; ++k) out[i][k] = k < axes ? matrix[i * axes + k] : 0;
  }
  return out;
}

Result<void> place(const MetaImageHeader& header, std::size_t axes, const std::string& name, ImageInfo& info) {
  const auto directions = directionsOf(header, axes, info);
  const auto spacing = numbersOf(header.value({"elementspacing", "elementsize"}));
  const auto offset = numbersOf(header.value({"offset", "position", "origin"}));
  if (spacing.size() < axes) info.warnings.emplace_back("no ElementSpacing in the header; taken as 1 mm");
  const double scale = millimetresPer(header.value("distanceunits"), info);
  for (std::size_t row = 0; row < 3; ++row) {
    const double sign = row < 2 ? -scale : scale;  // LPS to RAS
    const int r = static_cast<int>(row);
    for (std::size_t c = 0; c < 3; ++c) {
      const double size = c < axes && spacing.size() >= axes ? spacing[c] : 1;
      info.worldFromVoxel(r, static_cast<int>(c)) = sign * size * directions[c][row];
    }
    info.worldFromVoxel(r, 3) = row < axes && offset.size() >= axes ? sign * offset[row] : 0;
  }
  info.affineSource = "TransformMatrix";
  if (inverse(info.worldFromVoxel)) return {};
  return fail(ErrorCode::invalidInput, "TransformMatrix and ElementSpacing span no volume: the image has no place",
              name);
}

void setTexts(const MetaImageHeader& header, ImageInfo& info) {
  constexpr std::size_t maxFieldBytes = 1000;
  info.format = "MetaImage";
  info.description = printable(header.value({"comment", "name"}).substr(0, maxFieldBytes));
  const std::string& modality = header.value("modality");
  if (modality == "MET_MOD_CT") info.modality = "CT";
  if (modality == "MET_MOD_MR") info.modality = "MR";
  if (modality == "MET_MOD_NM") info.modality = "NM";
  if (modality == "MET_MOD_US") info.modality = "US";
  for (const char* field : {"anatomicalorientation", "centerofrotation", "elementtointensityfunctionslope",
                            "elementtointensityfunctionoffset", "acquisitiondate"}) {
    if (const std::string& value = header.value(field); !value.empty()) {
      info.fields.emplace_back(field, printable(value.substr(0, maxFieldBytes)));
    }
  }
  const auto slope = numberFrom<double>(header.value("elementtointensityfunctionslope")).value_or(1);
  const auto offset = numberFrom<double>(header.value("elementtointensityfunctionoffset")).value_or(0);
  if (slope != 1 || offset != 0) {
    info.warnings.emplace_back("the header has an intensity function; values are shown as stored, as ITK does");
  }
}

/// "LIST [n]" with names behind it; "a%03d.raw first last [step]"; one name, which may hold blanks; LOCAL: none.
Result<std::vector<std::string>> dataFilesOf(const MetaImageHeader& header, const std::string& name) {
  const std::string& value = header.value("elementdatafile");
  const auto pieces = words(value);
  if (value == "LOCAL" || value == "Local" || value == "local") return std::vector<std::string>{};
  if (pieces[0] == "LIST") {
    if (header.listedFiles.empty()) return fail(ErrorCode::invalidInput, "the list of data files is empty", name);
    if (header.listedFiles.size() <= maxDataFiles) return header.listedFiles;
    return fail(ErrorCode::limitExceeded, "the header names more than 65536 data files", name);
  }
  if (pieces.size() >= 2 && pieces[0].find('%') != std::string_view::npos) {
    const auto number = [&](std::size_t i, std::int64_t other) {
      return i < pieces.size() ? numberFrom<std::int64_t>(pieces[i]) : std::optional(other);
    };
    const auto first = number(1, 1);
    const auto last = number(2, 1);
    const auto step = number(3, 1);
    if (!first || !last || !step || pieces.size() < 3) {
      return fail(ErrorCode::invalidInput, "ElementDataFile is no pattern with first, last and step", name);
    }
    return numberedNames(pieces[0], *first, *last, *step, maxDataFiles, name);
  }
  return std::vector<std::string>{value};
}

Result<void> setData(const MetaImageHeader& header, const std::string& name, MetaImageLayout& layout) {
  auto files = dataFilesOf(header, name);
  if (!files) return tl::make_unexpected(files.error());
  for (const std::string& data : *files) layout.dataFiles.push_back(localName(data));
  const std::string& binary = header.value("binarydata");
  if (isTrue(header.value("compresseddata"))) {
    layout.coding = PartCoding::zlib;
    layout.codedBytes = numberFrom<std::uint64_t>(header.value("compresseddatasize")).value_or(0);
  } else if (!binary.empty() && !isTrue(binary)) {
    layout.coding = PartCoding::ascii;
  }
  if (const std::string& size = header.value("headersize"); !size.empty()) {
    const auto bytes = numberFrom<std::int64_t>(size);
    constexpr std::int64_t most = std::int64_t{1} << 48;
    if (!bytes || *bytes < -1 || *bytes > most) {
      return fail(ErrorCode::invalidInput, "HeaderSize is " + printable(size), name);
    }
    layout.headerSize = *bytes;
  }
  const std::uint64_t voxelBytes = layout.image.stored.bits() / 8;
  if (layout.dataFiles.empty() || layout.bytes / voxelBytes % layout.dataFiles.size() == 0) return {};
  return fail(ErrorCode::invalidInput,
              "the voxels cannot be shared evenly by the " + std::to_string(layout.dataFiles.size()) + " data files",
              name);
}

}  // namespace

Result<MetaImageLayout> describeMetaImage(const MetaImageHeader& header, const std::string& name) {
  MetaImageLayout layout;
  setTexts(header, layout.image.info);
  const auto shape = shapeOf(header, name);
  if (!shape) return tl::make_unexpected(shape.error());
  auto done = setVoxels(header, *shape, name, layout);
  if (done) done = place(header, shape->axes, name, layout.image.info);
  if (done) done = setData(header, name, layout);
  if (!done) return tl::make_unexpected(done.error());
  return layout;
}

}  // namespace nora
