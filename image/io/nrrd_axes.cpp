#include "image/io/nrrd_axes.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <bit>
#include <cctype>
#include <utility>

namespace nora {
namespace {

constexpr std::size_t maxAxes = 16;  // NRRD_DIM_MAX

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::optional<VoxelType> typeNamed(const std::string& name) {
  static constexpr std::pair<std::string_view, VoxelType> names[] = {
      {"signed char", VoxelType::int8},
      {"int8", VoxelType::int8},
      {"int8_t", VoxelType::int8},
      {"char", VoxelType::int8},
      {"uchar", VoxelType::uint8},
      {"unsigned char", VoxelType::uint8},
      {"uint8", VoxelType::uint8},
      {"uint8_t", VoxelType::uint8},
      {"short", VoxelType::int16},
      {"short int", VoxelType::int16},
      {"signed short", VoxelType::int16},
      {"signed short int", VoxelType::int16},
      {"int16", VoxelType::int16},
      {"int16_t", VoxelType::int16},
      {"ushort", VoxelType::uint16},
      {"unsigned short", VoxelType::uint16},
      {"unsigned short int", VoxelType::uint16},
      {"uint16", VoxelType::uint16},
      {"uint16_t", VoxelType::uint16},
      {"int", VoxelType::int32},
      {"signed int", VoxelType::int32},
      {"int32", VoxelType::int32},
      {"int32_t", VoxelType::int32},
      {"uint", VoxelType::uint32},
      {"unsigned int", VoxelType::uint32},
      {"uint32", VoxelType::uint32},
      {"uint32_t", VoxelType::uint32},
      {"longlong", VoxelType::int64},
      {"long long", VoxelType::int64},
      {"long long int", VoxelType::int64},
      {"signed long long", VoxelType::int64},
      {"signed long long int", VoxelType::int64},
      {"int64", VoxelType::int64},
      {"int64_t", VoxelType::int64},
      {"ulonglong", VoxelType::uint64},
      {"unsigned long long", VoxelType::uint64},
      {"unsigned long long int", VoxelType::uint64},
      {"uint64", VoxelType::uint64},
      {"uint64_t", VoxelType::uint64},
      {"float", VoxelType::float32},
      {"double", VoxelType::float64},
  };
  const auto* found = std::find_if(std::begin(names), std::end(names), [&](const auto& n) { return n.first == name; });
  if (found == std::end(names)) return std::nullopt;
  return found->second;
}

Result<VoxelType> typeOf(const NrrdHeader& header, const std::string& name) {
  const std::string* field = header.field("type");
  if (field == nullptr) return fail(ErrorCode::invalidInput, "the header has no \"type\"", name);
  std::string text;  // one blank between words
  for (const std::string_view word : words(*field)) text += (text.empty() ? "" : " ") + lower(word);
  if (text == "block") {
    return fail(ErrorCode::unsupported, "the voxels are blocks of bytes without a meaning (type: block)", name);
  }
  const auto type = typeNamed(text);
  if (!type) return fail(ErrorCode::unsupported, "the voxel type \"" + printable(*field) + "\" is unknown", name);
  return *type;
}

std::optional<double> numberOrNone(const std::string& piece) {
  const auto number = numberFrom<double>(piece);
  if (!number || !(*number >= -1e300 && *number <= 1e300)) return std::nullopt;  // "nan": not known
  return number;
}

/// One piece an axis; none if the field is absent or has another number of pieces (then with a warning).
std::vector<std::string> piecesOf(const NrrdHeader& header, const char* field, std::size_t axes, ImageInfo& info) {
  const std::string* text = header.field(field);
  if (text == nullptr) return {};
  auto pieces = nrrdPieces(*text);
  if (pieces.size() == axes) return pieces;
  info.warnings.push_back("the header field \"" + std::string(field) + "\" has " + std::to_string(pieces.size()) +
                          " entries for " + std::to_string(axes) + " axes; ignored");
  return {};
}

/// Everything of the axes but their sizes.
void readAxisFields(const NrrdHeader& header, std::vector<NrrdAxis>& axes, ImageInfo& info) {
  const auto forEach = [&](const char* field, auto&& take) {
    const auto entries = piecesOf(header, field, axes.size(), info);
    for (std::size_t i = 0; i < entries.size(); ++i) take(axes[i], entries[i]);
  };
  forEach("kinds", [](NrrdAxis& axis, const std::string& text) {
    axis.kind = lower(text);
    if (axis.kind == "???" || axis.kind == "none") axis.kind.clear();
  });
  forEach("spacedirections", [](NrrdAxis& axis, const std::string& text) {
    axis.direction = nrrdVector(text);
    const bool zero =
        axis.direction && std::all_of(axis.direction->begin(), axis.direction->end(), [](double v) { return v == 0; });
    if (zero || (!axis.direction && lower(text) != "none")) axis.wrongDirection = text;
  });
  forEach("spacings", [](NrrdAxis& axis, const std::string& text) { axis.spacing = numberOrNone(text); });
  forEach("axismins", [](NrrdAxis& axis, const std::string& text) { axis.min = numberOrNone(text); });
  forEach("axismaxs", [](NrrdAxis& axis, const std::string& text) { axis.max = numberOrNone(text); });
  forEach("units", [](NrrdAxis& axis, const std::string& text) { axis.unit = text; });
  forEach("centers", [](NrrdAxis& axis, const std::string& text) { axis.centering = lower(text); });
}

Result<std::vector<NrrdAxis>> axesOfHeader(const NrrdHeader& header, const std::string& name, ImageInfo& info) {
  const std::string* dimension = header.field("dimension");
  const std::string* sizes = header.field("sizes");
  const auto count = dimension != nullptr ? numberFrom<std::size_t>(*dimension) : std::nullopt;
  if (!count || *count < 1 || *count > maxAxes) {
    return fail(ErrorCode::invalidInput, "the header has no \"dimension\" from 1 to 16", name);
  }
  const auto pieces = sizes != nullptr ? words(*sizes) : std::vector<std::string_view>{};
  if (pieces.size() != *count) {
    return fail(ErrorCode::invalidInput,
                "the header has " + std::to_string(pieces.size()) + " sizes for " + std::to_string(*count) + " axes",
                name);
  }
  std::vector<NrrdAxis> axes(*count);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto size = numberFrom<std::int64_t>(pieces[i]);
    if (!size || *size < 1) {
      return fail(ErrorCode::invalidInput, "the size \"" + printable(pieces[i]) + "\" is no number of 1 or more", name);
    }
    axes[i].size = *size;
  }
  readAxisFields(header, axes, info);
  return axes;
}

bool isSegmentation(const NrrdHeader& header) {
  return !header.value("Segment0_ID").empty() || !header.value("Segment0_Name").empty() ||
         !header.value("Segment0_LabelValue").empty();
}

/// What the kind says; empty if it leaves it open.
std::optional<NrrdRole> roleOfKind(const NrrdAxis& axis, bool diffusion, bool segmentation) {
  const std::string& kind = axis.kind;
  if (kind.empty() || kind == "domain" || kind == "space") return std::nullopt;
  if (kind == "time") return NrrdRole::time;
  if (diffusion && (kind == "list" || kind == "vector")) return NrrdRole::time;
  if (kind == "list") return segmentation ? NrrdRole::component : NrrdRole::time;
  if ((kind == "rgb-color" || kind == "3-color") && axis.size == 3) return NrrdRole::colour;
  if ((kind == "rgba-color" || kind == "4-color") && axis.size == 4) return NrrdRole::colour;
  return NrrdRole::component;  // vectors, matrices, points, other colours, scalar, stub, complex
}

/// Directions say which axes are space, unless none has one. At least one axis is space if any can be.
void assignRoles(const NrrdHeader& header, std::vector<NrrdAxis>& axes, ImageInfo& info) {
  const bool diffusion = lower(header.value("modality")) == "dwmri";
  const bool segmentation = isSegmentation(header);
  const bool directed =
      std::any_of(axes.begin(), axes.end(), [](const NrrdAxis& a) { return a.direction.has_value(); });
  int spaces = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    NrrdAxis& axis = axes[i];
    const auto stated = roleOfKind(axis, diffusion, segmentation);
    const bool timeDirection = axis.direction && axis.direction->size() == 4 && (*axis.direction)[3] != 0 &&
                               (*axis.direction)[0] == 0 && (*axis.direction)[1] == 0 && (*axis.direction)[2] == 0;
    if (stated) {
      axis.role = *stated;
    } else if (timeDirection) {
      axis.role = NrrdRole::time;
    } else if (directed && !axis.direction && axis.wrongDirection.empty() && axis.kind.empty()) {
      axis.role = !diffusion && (segmentation || i == 0) ? NrrdRole::component : NrrdRole::time;
    } else if (spaces < 3) {
      axis.role = static_cast<NrrdRole>(spaces++);
    } else {
      axis.role = spaces++ == 3 ? NrrdRole::time : NrrdRole::component;
      if (axis.size > 1) info.warnings.emplace_back("the fourth axis of space is taken as time");
    }
  }
}

/// The stride of a role; several axes of one role have to lie side by side, as one.
bool addAxis(std::int64_t size, std::int64_t stride, std::int64_t& count, std::int64_t& step) {
  if (size > 1) {
    if (count > 1 && step * count != stride) return false;
    if (count == 1) step = stride;
  }
  return !__builtin_mul_overflow(count, size, &count);
}

bool isColourAxis(const NrrdLayout& layout) {
  const NrrdAxis& first = layout.axes.front();
  return first.role == NrrdRole::colour && layout.image.stored.number == VoxelType::uint8;
}

void describeComponents(const NrrdLayout& layout, ImageInfo& info) {
  for (const NrrdAxis& axis : layout.axes) {
    if ((axis.role != NrrdRole::component && axis.role != NrrdRole::colour) || axis.kind.empty()) continue;
    if (axis.kind.find("vector") != std::string::npos) info.intent = "vector";
    if (axis.kind.find("color") != std::string::npos) info.intent = axis.size == 4 ? "rgba vector" : "rgb vector";
    if (axis.kind.find("matrix") == std::string::npos) continue;
    info.intent = axis.kind.find("symmetric") != std::string::npos ? "symmetric matrix" : "general matrix";
    // NIfTI's symmetric matrices go by rows of the lower triangle; these by rows of the upper one.
    if (axis.kind == "3d-symmetric-matrix") info.fields.emplace_back("components", "xx xy xz yy yz zz");
    if (axis.kind == "3d-masked-symmetric-matrix") info.fields.emplace_back("components", "mask xx xy xz yy yz zz");
  }
}

Result<void> layOut(NrrdLayout& layout, const std::string& name) {
  if (std::none_of(layout.axes.begin(), layout.axes.end(), [](const NrrdAxis& a) { return a.role <= NrrdRole::z; })) {
    return fail(ErrorCode::unsupported, "this is no image: none of the axes is an axis of space", name);
  }
  StoredVoxel& stored = layout.image.stored;
  ImageInfo& info = layout.image.info;
  const bool colour = isColourAxis(layout);
  const bool complex = layout.axes.front().kind == "complex" && layout.axes.front().size == 2 && isFloat(stored.number);
  if (colour) stored.number = layout.axes.front().size == 3 ? VoxelType::rgb24 : VoxelType::rgba32;
  if (complex) {
    stored.kind = StoredVoxel::Kind::complex;
    info.warnings.emplace_back("complex voxels are shown by their magnitude");
  }
  Axes counts{1, 1, 1, 1, 1};
  Axes strides{};
  auto stride = static_cast<std::int64_t>(stored.bits() / 8);
  for (std::size_t i = colour || complex ? 1 : 0; i < layout.axes.size(); ++i) {
    const NrrdAxis& axis = layout.axes[i];
    const auto role = std::min(static_cast<std::size_t>(axis.role), std::size_t{4});
    if (!addAxis(axis.size, stride, counts[role], strides[role])) {
      return fail(ErrorCode::unsupported, "the axes of the file are more, or in another order, than nora can show",
                  name);
    }
    if (__builtin_mul_overflow(stride, axis.size, &stride)) {
      return fail(ErrorCode::invalidInput, "the sizes overflow", name);
    }
  }
  info.dims = {counts[0], counts[1], counts[2]};
  info.timePoints = counts[3];
  info.components = counts[4];
  layout.image.order.strides = strides;
  layout.bytes = static_cast<std::uint64_t>(stride);
  if (info.components > 1) describeComponents(layout, info);
  return layout.image.finish(name);
}

Result<void> setByteOrder(const NrrdHeader& header, const std::string& name, StridedImage& image) {
  const std::string* field = header.field("endian");
  const std::string endian = field != nullptr ? lower(*field) : "";
  if (endian != "little" && endian != "big") {
    if (field != nullptr) return fail(ErrorCode::invalidInput, "\"endian\" is neither little nor big", name);
    const std::string* encoding = header.field("encoding");
    const std::string coded = encoding != nullptr ? lower(*encoding) : "";
    const bool text = coded == "ascii" || coded == "text" || coded == "txt";
    if (bytesPerVoxel(image.stored.number) > 1 && !text) {
      image.info.warnings.emplace_back("the header does not state the byte order; taken as little");
    }
  }
  image.stored.swapped = (endian == "big") == (std::endian::native == std::endian::little);
  return {};
}

}  // namespace

Result<NrrdLayout> describeNrrd(const NrrdHeader& header, const std::string& name) {
  NrrdLayout layout;
  ImageInfo& info = layout.image.info;
  info.format = "NRRD";
  info.warnings = header.warnings;
  const auto type = typeOf(header, name);
  if (!type) return tl::make_unexpected(type.error());
  layout.image.stored.number = *type;
  auto axes = axesOfHeader(header, name, info);
  if (!axes) return tl::make_unexpected(axes.error());
  layout.axes = std::move(*axes);
  assignRoles(header, layout.axes, info);
  auto done = setByteOrder(header, name, layout.image);
  if (done) done = layOut(layout, name);
  if (!done) return tl::make_unexpected(done.error());
  if (isSegmentation(header)) info.intent = "label";
  return layout;
}

}  // namespace nora
