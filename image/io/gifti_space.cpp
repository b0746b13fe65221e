#include "image/io/gifti_space.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/mesh_arrays.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace nora {
namespace {

/// The names of SurfaceInfo::space; empty for no known world.
std::string worldName(std::string_view space) {
  if (space == "SCANNER_ANAT" || space == "SCANNER") return "scanner";
  if (space == "TALAIRACH") return "Talairach";
  if (space == "MNI_152") return "MNI152";
  return {};
}

std::optional<VolumeGeometry> freeSurferGeometry(const GiftiMeta& meta) {
  VolumeGeometry geometry;
  const std::pair<Vec3*, std::string> parts[] = {
      {&geometry.xRas, "X"}, {&geometry.yRas, "Y"}, {&geometry.zRas, "Z"}, {&geometry.centre, "C"}};
  for (const auto& [vector, letter] : parts) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const auto number = numberFrom<double>(valueOf(meta, "VolGeom" + letter + "_" + "RAS"[axis]));
      if (!number || !std::isfinite(*number)) return std::nullopt;
      (*vector)[axis] = *number;
    }
  }
  if (!inverse(scannerFromTkRas(geometry))) return std::nullopt;
  return geometry;
}

/// Connectome Workbench keeps meta data it does not know, also when it moves the points.
bool movedByWorkbench(const GiftiXml& xml, const GiftiArray& points) {
  for (const GiftiMeta* meta : {&xml.meta, &points.meta}) {
    for (const char* key : {"Provenance", "ParentProvenance"}) {
      if (valueOf(*meta, key).find("-surface-") != std::string_view::npos) return true;
    }
  }
  return false;
}

Affine fromMatrix(const GiftiTransform& transform) {
  Affine out;
  out.m = transform.matrix;
  return out;
}

}  // namespace

Affine worldFromGifti(const GiftiXml& xml, const GiftiArray& points, SurfaceInfo& info) {
  const auto& all = points.transforms;
  const auto known = std::find_if(all.begin(), all.end(), [](const GiftiTransform& t) {
    return !worldName(t.dataSpace).empty() || t.dataSpace == "ALIGNED_ANAT";
  });
  if (known != all.end()) {
    info.space = worldName(known->dataSpace);
    if (info.space.empty()) info.space = "unknown";
    info.fields.emplace_back("DataSpace", known->dataSpace);
    return {};
  }
  const auto isScanner = [](const GiftiTransform& t) { return worldName(t.transformedSpace) == "scanner"; };
  const auto toScanner = std::find_if(all.begin(), all.end(), [&](const GiftiTransform& t) {
    return isScanner(t) && t.complete && inverse(fromMatrix(t));
  });
  if (toScanner != all.end()) {
    info.space = "scanner";
    const Affine matrix = fromMatrix(*toScanner);
    if (!(matrix == Affine{})) info.warnings.emplace_back("the points were moved to scanner RAS by the file's matrix");
    return matrix;
  }
  info.space = "unknown";
  if (std::any_of(all.begin(), all.end(), isScanner)) {
    info.warnings.emplace_back("the file's matrix to scanner RAS is no transform and was not applied");
  }
  if (std::any_of(all.begin(), all.end(), [](const GiftiTransform& t) { return t.transformedSpace == "TALAIRACH"; })) {
    info.fields.emplace_back("transform to", "Talairach (not applied)");
  }
  const auto geometry = freeSurferGeometry(points.meta);
  if (!geometry) return {};
  info.space = "scanner";
  if (movedByWorkbench(xml, points)) {
    info.warnings.emplace_back(
        "FreeSurfer's volume geometry is not applied: Workbench has changed the points since it was written");
    return {};
  }
  const Affine scanner = scannerFromTkRas(*geometry);
  if (!(scanner == Affine{})) {
    info.warnings.emplace_back("the points were moved from FreeSurfer's tkRAS to scanner RAS by VolGeom meta data");
  }
  return scanner;
}

}  // namespace nora
