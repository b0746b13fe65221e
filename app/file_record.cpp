#include "app/file_record.hpp"

#include "archive/index/archive.hpp"
#include "image/io/companions.hpp"
#include "image/io/sidecars.hpp"
#include "image/io/trx_reader.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

std::string nameOf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool anyIsThere(const ServedRoot& root, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return root.stat(name).has_value(); });
}

/// The voxels of another file's header, or what explains an image.
bool belongsToAnother(const ServedRoot& root, const std::string& path) {
  if (anyIsThere(root, imagesOfSidecar(path))) return true;
  return isSecondOfPair(path) && anyIsThere(root, companionsOf(path));
}

std::string kindOf(const ServedRoot& root, const std::string& path) {
  const std::string kind = kindBySuffix(path);
  if (belongsToAnother(root, path)) return "sidecar";
  if (kind == "image?" || nameOf(path) == "header.json") return "image";
  return kind == "tracts" ? "streamlines" : kind;
}

void takeBroken(const Error& error, FoundFileRecord& out) {
  if (error.code != ErrorCode::unsupported) out.facts.state = FileState::broken;
  out.facts.reason = error.what;
}

/// An image whose voxels may lie in a second file: without that it cannot be opened, whatever its header says. A header
/// file that is as large as the voxels holds them itself.
void takeCompanion(const ServedRoot& root, const ImageInfo& info, FoundFileRecord& out) {
  const auto companions = companionsOf(out.facts.path);
  if (companions.empty()) return;
  if (anyIsThere(root, companions)) return;
  const auto voxels = voxelCount(info, out.facts.path);
  const auto needed = voxels ? *voxels * bytesPerVoxel(info.type) : 0;
  if (static_cast<std::uint64_t>(std::max<std::int64_t>(out.facts.size, 0)) >= needed) return;
  takeBroken({ErrorCode::notFound, "its data file is missing: " + nameOf(companions.front()), {}}, out);
}

void takeImage(const ServedRoot& root, SidecarMetadata& sidecars, const ImageInfo& info, FoundFileRecord& out) {
  out.facts.kind = "image";
  out.facts.modality = info.modality;
  out.facts.sequence = info.description;
  out.facts.dims = {info.dims[0], info.dims[1], info.dims[2], info.timePoints};
  const Vec3 spacing = spacingMm(info.worldFromVoxel);
  out.facts.spacingMm = {spacing[0], spacing[1], spacing[2]};
  out.facts.warnings = nlohmann::json(info.warnings).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  out.facts.sidecar = sidecars.of(out.facts.path);
  takeCompanion(root, info, out);
}

}  // namespace

FoundFileRecord recordOf(const ServedRoot& root, const FoundFile& file) {
  FoundFileRecord out;
  out.facts.path = file.path;
  out.facts.size = file.stat.sizeBytes;
  out.facts.mtimeUs = file.stat.modifiedNs / 1000;
  out.facts.kind = kindOf(root, file.path);
  if (file.subject == ".") return out;
  out.subject = file.subject;
  out.study = file.study;
  return out;
}

bool isLookedAt(const FoundFileRecord& record) {
  const std::string& kind = record.facts.kind;
  return kind == "image" || kind == "surface" || kind == "streamlines";
}

void takeSummary(const ServedRoot& root, SidecarMetadata& sidecars, const Result<FileSummary>& summary,
                 FoundFileRecord& record) {
  if (!summary) return takeBroken(summary.error(), record);
  record.facts.format = summary->format;
  if (summary->kind == "image") {
    const auto info = imageInfoFromJson(summary->header);
    return info ? takeImage(root, sidecars, *info, record) : takeBroken(info.error(), record);
  }
  record.facts.kind = summary->kind == "tracts" ? "streamlines" : summary->kind;
  if (summary->format != trxFolderFormat) return;
  record.facts.format = "TRX";
  const std::string folder = record.facts.path.substr(0, record.facts.path.rfind('/') + 1);
  if (!folder.empty()) record.facts.label = nameOf(folder.substr(0, folder.size() - 1));
}

Result<void> checkPlace(FoundFileRecord& record) {
  for (const bool isSubject : {true, false}) {
    std::string& name = isSubject ? record.subject : record.study;
    if (name.empty()) continue;
    const auto right = checkItemName(name, isSubject ? "subject" : "study");
    if (right) continue;
    name.clear();
    if (isSubject) record.study.clear();
    return right;
  }
  return {};
}

}  // namespace nora
