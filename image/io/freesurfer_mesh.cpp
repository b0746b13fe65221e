// FreeSurfer's meshes: binary triangles and quadrangles, and text.
#include "image/io/byte_reader.hpp"
#include "image/io/freesurfer_format.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_text.hpp"

#include <bit>
#include <cmath>
#include <optional>

namespace nora {
namespace {

constexpr std::int32_t realRasTag = 2;    // followed by 1 if the points are scanner RAS already
constexpr std::int32_t geometryTag = 20;  // followed by text

tl::unexpected<Error> claims(std::uint64_t vertices, std::uint64_t faces, const std::string& name) {
  return fail(ErrorCode::invalidInput,
              "the header claims " + std::to_string(vertices) + " vertices and " + std::to_string(faces) +
                  " faces, more than the file holds",
              name);
}

/// "xras   = -1 0 0"
std::optional<Vec3> vectorIn(std::string_view value) {
  const auto numbers = words(value, " \t\r\n", 4);
  Vec3 out{};
  if (numbers.size() != out.size()) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto number = numberFrom<double>(numbers[i]);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    out[i] = *number;
  }
  return out;
}

struct Tags {
  bool realRas = false;
  std::optional<VolumeGeometry> geometry;  // empty: none, or of no valid volume
  bool damaged = false;                    // a geometry that is cut short
};

/// The lines behind the geometry tag.
void readGeometry(ByteReader& reader, SurfaceInfo& info, Tags& tags) {
  VolumeGeometry geometry;
  bool valid = false;
  std::size_t found = 0;
  constexpr int lines = 8;
  for (int i = 0; i < lines && reader.left() > 0; ++i) {
    const std::string_view line = reader.line();
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) break;
    const auto key = trimmed(line.substr(0, equals));
    const auto value = trimmed(line.substr(equals + 1));
    if (key == "valid") valid = value.starts_with('1');
    if (key == "filename") info.fields.emplace_back("volume", std::string(value));
    const std::pair<std::string_view, Vec3*> parts[] = {
        {"xras", &geometry.xRas}, {"yras", &geometry.yRas}, {"zras", &geometry.zRas}, {"cras", &geometry.centre}};
    for (const auto& [name, vector] : parts) {
      const auto numbers = key == name ? vectorIn(value) : std::nullopt;
      if (!numbers) continue;
      *vector = *numbers;
      ++found;
    }
  }
  tags.damaged = valid && (found != 4 || !inverse(scannerFromTkRas(geometry)));
  if (valid && !tags.damaged) tags.geometry = geometry;
}

/// Tags behind the faces.
Tags readTags(ByteReader reader, SurfaceInfo& info) {
  Tags tags;
  while (reader.left() >= sizeof(std::int32_t)) {
    const auto tag = reader.number<std::int32_t>();
    if (tag == geometryTag) readGeometry(reader, info, tags);
    if (tag != realRasTag) break;
    tags.realRas = reader.number<std::int32_t>() != 0;
  }
  return tags;
}

/// Checks the mesh and places its points in the world.
Result<ReadSurface> finished(ByteReader reader, SurfaceInfo info, const MeshArrays& arrays, const std::string& name) {
  if (auto good = checkMesh(arrays, info, name); !good) return tl::make_unexpected(good.error());
  const Tags tags = readTags(reader, info);
  if (tags.damaged) {
    return fail(ErrorCode::invalidInput, "the volume geometry at the end of the file is damaged or cut short", name);
  }
  if (tags.realRas || tags.geometry) {
    info.space = "scanner";
    if (!tags.realRas) transformMesh(arrays, info, scannerFromTkRas(*tags.geometry));
  } else {
    info.space = "tkRAS";
    info.warnings.emplace_back(
        "the file does not describe its volume: the points stay in FreeSurfer's tkRAS, which may be shifted against "
        "the images");
  }
  return ReadSurface{std::move(info), arrays.plan.arrays()};
}

Result<ReadSurface> readTriangles(const FreeSurferInput& input, MemorySink& sink) {
  ByteReader reader(input.bytes, std::endian::big);
  reader.skip(3);
  SurfaceInfo info;
  info.description = std::string(trimmed(reader.line()));
  if (reader.left() > 0 && input.bytes[reader.position()] == std::byte{'\n'}) reader.skip(1);
  const auto vertices = reader.number<std::int32_t>();
  const auto triangles = reader.number<std::int32_t>();
  constexpr std::uint64_t bytesEach = 12;
  if (!reader.good() || vertices < 0 || triangles < 0 ||
      (static_cast<std::uint64_t>(vertices) + static_cast<std::uint64_t>(triangles)) * bytesEach > reader.left()) {
    return claims(static_cast<std::uint32_t>(vertices), static_cast<std::uint32_t>(triangles), input.name);
  }
  MeshArrays arrays;
  planMesh(arrays, info, vertices, triangles);
  if (auto made = arrays.allocate(sink, input.name); !made) return tl::make_unexpected(made.error());
  for (float& v : arrays.as<float>(*info.points)) v = reader.number<float>();
  for (std::uint32_t& v : arrays.as<std::uint32_t>(*info.triangleCorners)) v = reader.number<std::uint32_t>();
  return finished(reader, std::move(info), arrays, input.name);
}

std::uint32_t threeBytes(ByteReader& reader) {
  const std::uint32_t high = reader.number<std::uint8_t>();
  return high << 16 | reader.number<std::uint16_t>();
}

/// Each quadrangle is two triangles; which diagonal is kept depends on its first corner, as in FreeSurfer.
void splitQuad(const std::array<std::uint32_t, 4>& q, std::span<std::uint32_t> to) {
  const bool even = q[0] % 2 == 0;
  const std::array<std::uint32_t, 6> corners =
      even ? std::array{q[0], q[1], q[3], q[2], q[3], q[1]} : std::array{q[0], q[1], q[2], q[0], q[2], q[3]};
  std::copy(corners.begin(), corners.end(), to.begin());
}

Result<ReadSurface> readQuads(bool asFloat, const FreeSurferInput& input, MemorySink& sink) {
  ByteReader reader(input.bytes, std::endian::big);
  reader.skip(3);
  const std::uint64_t vertices = threeBytes(reader), quads = threeBytes(reader);
  constexpr std::uint64_t quadBytes = 12;
  if (!reader.good() || vertices * (asFloat ? 12 : 6) + quads * quadBytes > reader.left()) {
    return claims(vertices, quads, input.name);
  }
  SurfaceInfo info;
  MeshArrays arrays;
  planMesh(arrays, info, static_cast<std::int64_t>(vertices), static_cast<std::int64_t>(2 * quads));
  if (auto made = arrays.allocate(sink, input.name); !made) return tl::make_unexpected(made.error());
  constexpr float hundredth = 100;
  for (float& v : arrays.as<float>(*info.points)) {
    v = asFloat ? reader.number<float>() : static_cast<float>(reader.number<std::int16_t>()) / hundredth;
  }
  const auto corners = arrays.as<std::uint32_t>(*info.triangleCorners);
  for (std::size_t at = 0; at < corners.size(); at += 6) {
    std::array<std::uint32_t, 4> quad{};
    for (std::uint32_t& corner : quad) corner = threeBytes(reader);
    splitQuad(quad, corners.subspan(at, 6));
  }
  return finished(reader, std::move(info), arrays, input.name);
}

Result<ReadSurface> readAscii(const FreeSurferInput& input, MemorySink& sink) {
  TextCursor cursor(asText(input.bytes));
  SurfaceInfo info;
  info.description = std::string(trimmed(cursor.restOfLine()));
  const auto vertices = cursor.number<std::uint32_t>();
  const auto triangles = cursor.number<std::uint32_t>();
  constexpr std::uint64_t shortestLine = 8;  // "0 0 0 0\n"
  if (!vertices || !triangles ||
      (std::uint64_t{*vertices} + *triangles) * shortestLine > cursor.left() + shortestLine) {
    return claims(vertices.value_or(0), triangles.value_or(0), input.name);
  }
  MeshArrays arrays;
  planMesh(arrays, info, *vertices, *triangles);
  if (auto made = arrays.allocate(sink, input.name); !made) return tl::make_unexpected(made.error());
  const auto points = arrays.as<float>(*info.points);
  const auto corners = arrays.as<std::uint32_t>(*info.triangleCorners);
  bool good = true;
  for (std::size_t i = 0; good && i < points.size(); ++i) {
    const auto number = cursor.real();
    points[i] = static_cast<float>(number.value_or(0));
    good = number && (i % 3 != 2 || cursor.real());  // the fourth number is a mark
  }
  for (std::size_t i = 0; good && i < corners.size(); ++i) {
    const auto number = cursor.number<std::int32_t>();
    corners[i] = static_cast<std::uint32_t>(number.value_or(0));
    good = number && (i % 3 != 2 || cursor.real());
  }
  if (!good) {
    return fail(ErrorCode::invalidInput,
                "line " + std::to_string(cursor.line()) + " does not have the numbers it should", input.name);
  }
  return finished(ByteReader({}), std::move(info), arrays, input.name);
}

}  // namespace

Result<ReadSurface> readFreeSurferMesh(FreeSurferFormat format, const FreeSurferInput& input, MemorySink& sink) {
  if (format == FreeSurferFormat::triangles) return readTriangles(input, sink);
  if (format == FreeSurferFormat::asciiSurface) return readAscii(input, sink);
  return readQuads(format == FreeSurferFormat::newQuads, input, sink);
}

}  // namespace nora
