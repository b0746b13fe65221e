#include "image/io/mesh_arrays.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace nora {
namespace {

std::string lowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string cornerText(std::uint32_t corner) {
  // Formats with signed indices come here as they are.
  return std::to_string(static_cast<std::int32_t>(corner));
}

}  // namespace

Result<void> MeshArrays::allocate(MemorySink& sink, const std::string& name) {
  const auto size = plan.totalBytes();
  if (!size) return fail(size.error().code, size.error().what, name);
  auto made = sink.allocate(std::max<std::size_t>(*size, 1));
  if (!made) return tl::make_unexpected(made.error());
  memory = *made;
  return {};
}

void planMesh(MeshArrays& arrays, SurfaceInfo& info, std::int64_t vertices, std::int64_t triangles) {
  constexpr int coordinates = 3;
  info.vertices = vertices;
  info.triangles = triangles;
  info.points = arrays.plan.add(VoxelType::float32, vertices, coordinates);
  info.triangleCorners = arrays.plan.add(VoxelType::uint32, triangles, coordinates);
}

Result<void> checkMesh(const MeshArrays& arrays, const SurfaceInfo& info, const std::string& name) {
  if (!info.points || !info.triangleCorners) return {};
  const auto points = arrays.as<float>(*info.points);
  const auto bad = std::find_if(points.begin(), points.end(), [](float v) { return !std::isfinite(v); });
  if (bad != points.end()) {
    return fail(ErrorCode::invalidInput,
                "vertex " + std::to_string((bad - points.begin()) / 3) + " has a coordinate that is no finite number",
                name);
  }
  const auto corners = arrays.as<std::uint32_t>(*info.triangleCorners);
  const auto outside =
      std::find_if(corners.begin(), corners.end(), [&](std::uint32_t c) { return c >= info.vertices; });
  if (outside != corners.end()) {
    return fail(ErrorCode::invalidInput,
                "triangle " + std::to_string((outside - corners.begin()) / 3) + " names vertex " +
                    cornerText(*outside) + ", but there are only " + std::to_string(info.vertices),
                name);
  }
  return {};
}

void transformMesh(const MeshArrays& arrays, const SurfaceInfo& info, const Affine& worldFromFile) {
  enum class Kind { point, unit, arrow };
  const auto move = [&](std::size_t array, const Affine& by, Kind kind) {
    const auto values = arrays.as<float>(array);
    for (std::size_t i = 0; i + 2 < values.size(); i += 3) {
      const Vec3 from{values[i], values[i + 1], values[i + 2]};
      const Vec3 to = kind == Kind::point  ? by.point(from)
                      : kind == Kind::unit ? normalised(by.direction(from))
                                           : by.direction(from);
      for (std::size_t axis = 0; axis < 3; ++axis) values[i + axis] = static_cast<float>(to[axis]);
    }
  };
  if (info.points) move(*info.points, worldFromFile, Kind::point);
  Affine turned = worldFromFile;  // normals go by the inverse transposed
  if (const auto back = inverse(worldFromFile)) {
    for (int r = 0; r < 3; ++r) {
      for (int c = 0; c < 3; ++c) turned(r, c) = (*back)(c, r);
    }
  }
  for (const AttachedData& data : info.data) {
    if (data.role == DataRole::normal) move(data.array, turned, Kind::unit);
    if (data.role == DataRole::vector) move(data.array, worldFromFile, Kind::arrow);
  }
}

Affine rasFromLps() {
  Affine flip;
  flip(0, 0) = -1;
  flip(1, 1) = -1;
  return flip;
}

Affine scannerFromTkRas(const VolumeGeometry& geometry) {
  // tkRAS: x runs against the volume's x, y along its z, z against its y; its origin is the volume's centre.
  Affine scanner;
  scanner.setColumn(0, geometry.xRas * -1);
  scanner.setColumn(1, geometry.zRas);
  scanner.setColumn(2, geometry.yRas * -1);
  scanner.setColumn(3, geometry.centre);
  return scanner;
}

std::string meshBaseName(const std::string& fileName) {
  std::string name = fileName.substr(fileName.find_last_of('/') + 1);
  if (lowerCase(name).ends_with(".gz")) name.resize(name.size() - 3);
  return name;
}

bool hasMeshSuffix(const std::string& fileName, std::string_view suffix) {
  return lowerCase(meshBaseName(fileName)).ends_with(suffix);
}

std::string structureOfName(const std::string& fileName) {
  const std::string name = lowerCase(meshBaseName(fileName));
  const auto says = [&](std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return name.find(part) != std::string::npos; });
  };
  if (name.starts_with("lh.") || says({".lh.", "_lh.", "_lh_", "hemi-l", ".l.", "_left."})) return "CortexLeft";
  if (name.starts_with("rh.") || says({".rh.", "_rh.", "_rh_", "hemi-r", ".r.", "_right."})) return "CortexRight";
  return {};
}

std::string dataNameOf(const std::string& fileName) {
  std::string name = meshBaseName(fileName);
  for (const std::string_view suffix : {".gii", ".shape", ".func", ".label", ".surf", ".mz3", ".asc"}) {
    if (lowerCase(name).ends_with(suffix) && name.size() > suffix.size()) name.resize(name.size() - suffix.size());
  }
  const std::string lower = lowerCase(name);
  constexpr std::size_t hemisphere = 3;  // "lh."
  const bool hemi = lower.starts_with("lh.") || lower.starts_with("rh.");
  if (hemi && name.size() > hemisphere) name.erase(0, hemisphere);
  return name.empty() ? "values" : name;
}

bool applySpaceComment(SurfaceInfo& info, std::string_view header) {
  const bool lps = header.find("SPACE=LPS") != std::string_view::npos;
  if (header.find("SPACE=RAS") == std::string_view::npos && !lps) {
    info.space = "unknown";
    info.warnings.emplace_back("the file does not say in which space its points lie; they are taken as RAS mm");
    return false;
  }
  info.space = "scanner";
  info.fields.emplace_back("space", lps ? "LPS in the file, shown in RAS" : "RAS");
  return lps;
}

}  // namespace nora
