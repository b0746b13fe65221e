#include "image/io/mgh_header.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/freesurfer_colours.hpp"

#include <bit>
#include <cmath>
#include <cstdio>
#include <optional>

namespace nora {
namespace {

constexpr std::int32_t formatVersion = 1;  // in the lowest byte; above it FreeSurfer 7.4 keeps an intent

struct Fields {
  std::int32_t version = 0;
  std::array<std::int32_t, 4> dims{};
  std::int32_t type = 0;
  bool goodRas = false;
  Vec3 spacing{1, 1, 1};
  std::array<Vec3, 3> directions{Vec3{-1, 0, 0}, Vec3{0, 0, -1}, Vec3{0, 1, 0}};
  Vec3 centre{};
};

Vec3 threeFloats(ByteReader& in) {
  Vec3 out{};
  for (double& v : out) v = in.number<float>();
  return out;
}

Fields fieldsOf(std::span<const std::byte> header) {
  ByteReader in(header, std::endian::big);
  Fields out;
  out.version = in.number<std::int32_t>();
  for (std::int32_t& d : out.dims) d = in.number<std::int32_t>();
  out.type = in.number<std::int32_t>();
  in.skip(sizeof(std::int32_t));  // degrees of freedom
  out.goodRas = in.number<std::int16_t>() > 0;
  if (!out.goodRas) return out;
  out.spacing = threeFloats(in);
  for (Vec3& d : out.directions) d = threeFloats(in);
  out.centre = threeFloats(in);
  return out;
}

std::optional<VoxelType> typeOf(std::int32_t type) {
  switch (type) {
    case 0: return VoxelType::uint8;
    case 1: return VoxelType::int32;
    case 3: return VoxelType::float32;
    case 4: return VoxelType::int16;
    case 10: return VoxelType::uint16;
    default: return std::nullopt;
  }
}

std::string nameOfType(std::int32_t type) {
  switch (type) {
    case 2: return "long";
    case 5: return "bitmap";
    case 6: return "tensor";
    case 7: return "complex float";
    case 8: return "complex double";
    case 9: return "RGB";
    default: return std::to_string(type);
  }
}

/// Columns scaled by the spacing, the centre of the volume (dims / 2, as FreeSurfer has it) at `centre`.
Affine centred(const Fields& fields, const std::array<Vec3, 3>& directions, const Vec3& centre) {
  Affine out;
  Vec3 origin = centre;
  for (std::size_t c = 0; c < 3; ++c) {
    const Vec3 column = directions[c] * fields.spacing[c];
    out.setColumn(static_cast<int>(c), column);
    origin = origin - column * (static_cast<double>(fields.dims[c]) / 2);
  }
  out.setColumn(3, origin);
  return out;
}

std::string numbers(std::span<const double> values) {
  std::string out;
  std::array<char, 32> text{};
  for (const double v : values) {
    std::snprintf(text.data(), text.size(), "%s%.9g", out.empty() ? "" : " ", v);
    out += text.data();
  }
  return out;
}

void place(const Fields& fields, ImageInfo& info) {
  info.worldFromVoxel = centred(fields, fields.directions, fields.centre);
  info.affineSource = fields.goodRas ? "vox2ras" : "default";
  if (!fields.goodRas) {
    info.warnings.emplace_back("no orientation in the header: taken as FreeSurfer's default, coronal slices of 1 mm");
  }
  const Affine surface = centred(fields, Fields{}.directions, {});
  info.fields.emplace_back("tkr vox2ras", numbers(std::span(surface.m).first(12)));
  info.fields.emplace_back("c_ras", numbers(fields.centre));
}

/// Repetition, echo and inversion time in milliseconds, flip angle in radians: 0 if not known.
void applyScan(ByteReader& in, ImageInfo& info) {
  const std::array<double, 4> scan{in.number<float>(), in.number<float>(), in.number<float>(), in.number<float>()};
  in.skip(sizeof(float));  // field of view
  if (!in.good()) return;
  constexpr double degrees = 180 / 3.14159265358979323846;
  constexpr const char* names[] = {"repetition time (ms)", "flip angle (degrees)", "echo time (ms)",
                                   "inversion time (ms)"};
  for (std::size_t i = 0; i < scan.size(); ++i) {
    const double value = i == 1 ? scan[i] * degrees : scan[i];
    if (!std::isfinite(value) || value == 0) continue;
    info.fields.emplace_back(names[i], numbers(std::span(&value, 1)));
  }
  if (info.timePoints > 1 && std::isfinite(scan[0]) && scan[0] > 0) info.timeStepSeconds = scan[0] / 1000;
}

/// Length of a tag's content. Three old tags have none; their content has a form of its own.
std::int64_t lengthOf(std::int32_t tag, ByteReader& in) {
  constexpr std::int32_t oldTransform = 30;
  constexpr std::int32_t oldSurfaceGeometry = 20;
  constexpr std::int32_t oldRealRas = 2;
  if (tag == oldTransform) return std::int64_t{in.number<std::int32_t>()} - 1;
  if (tag == oldSurfaceGeometry || tag == oldRealRas) return 0;
  return in.number<std::int64_t>();
}

}  // namespace

Result<StridedImage> describeMgh(std::span<const std::byte> header, const std::string& name) {
  if (header.size() < mghHeaderBytes) {
    return fail(ErrorCode::invalidInput, "the file is too short for an MGH header", name);
  }
  const Fields fields = fieldsOf(header);
  if ((fields.version & 0xff) != formatVersion || (fields.version >> 24) != 0) {
    return fail(ErrorCode::invalidInput, "this is no MGH volume: its version is " + std::to_string(fields.version),
                name);
  }
  const auto type = typeOf(fields.type);
  if (!type) {
    return fail(ErrorCode::unsupported, "MGH volumes of type " + nameOfType(fields.type) + " are not supported", name);
  }
  StridedImage image;
  image.info.format = "MGH";
  for (std::size_t i = 0; i < 3; ++i) image.info.dims[i] = fields.dims[i];
  image.info.timePoints = fields.dims[3];
  image.stored.number = *type;
  image.stored.swapped = std::endian::native != std::endian::big;
  const auto order = packedOrder(axesOf(image.info), image.stored, mghHeaderBytes, name);
  if (!order) return tl::make_unexpected(order.error());
  image.order = *order;
  const auto finished = image.finish(name);
  if (!finished) return tl::make_unexpected(finished.error());
  place(fields, image.info);
  if (!inverse(image.info.worldFromVoxel)) {
    return fail(ErrorCode::invalidInput, "the direction cosines of the header span no volume: the image has no place",
                name);
  }
  return image;
}

void applyMghFooter(std::span<const std::byte> footer, ImageInfo& info) {
  constexpr std::int32_t commandLine = 3;
  constexpr std::int32_t colourTable = 1;
  constexpr std::int32_t transform = 31;
  constexpr std::size_t maxTextBytes = 1000;
  ByteReader in(footer, std::endian::big);
  applyScan(in, info);
  while (in.good() && in.left() >= sizeof(std::int32_t)) {
    const auto tag = in.number<std::int32_t>();
    if (tag == 0) return;
    if (tag == colourTable) {
      auto labels = readFreeSurferColours(in);
      if (!labels) {
        info.warnings.emplace_back("the colour table of the file is damaged; ignored");
        return;
      }
      if (labels->empty()) continue;
      info.labels = LabelTable(std::move(*labels), "in the image");
      info.intent = "label";
      continue;
    }
    const std::int64_t length = lengthOf(tag, in);
    if (length < 0 || static_cast<std::uint64_t>(length) > in.left()) return;
    const std::string_view text = in.text(static_cast<std::size_t>(length));
    if (tag == transform) info.fields.emplace_back("transform", printable(text.substr(0, maxTextBytes)));
    if (tag == commandLine) info.fields.emplace_back("command", printable(text.substr(0, maxTextBytes)));
  }
}

}  // namespace nora
