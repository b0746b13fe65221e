#include "app/project_scan.hpp"

#include "base/utf8.hpp"
#include "image/io/companions.hpp"
#include "image/io/dicom_header.hpp"
#include "image/io/sidecars.hpp"

#include <algorithm>

#include <unistd.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::size_t filesPerWalk = 1024;
constexpr std::size_t filesPerBatch = 128;  // descriptors open at once for one reader request, and one transaction
constexpr std::size_t mostProblems = 100;
constexpr std::int64_t longestSidecar = std::int64_t{1} << 20;

bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8Length(text, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

std::int64_t microseconds(std::int64_t ns) {
  return ns / 1000;
}

/// What the path says. A file that lies in no folder belongs to the project.
FoundFileRecord recordOf(const FoundFile& file) {
  FoundFileRecord out;
  out.facts.path = file.path;
  out.facts.size = file.stat.sizeBytes;
  out.facts.mtimeUs = microseconds(file.stat.modifiedNs);
  const std::string kind = kindBySuffix(file.path);
  out.facts.kind = !imagesOfSidecar(file.path).empty() ? "sidecar"
                   : kind == "image?"                  ? "other"
                   : kind == "tracts"                  ? "streamlines"
                                                       : kind;
  const bool isAlone = file.path.find('/') == std::string::npos;
  const PathPlace place = isAlone ? placeFromPath(file.path) : PathPlace{file.subject, file.study};
  if (place.subject == ".") return out;
  out.subject = place.subject;
  out.study = place.study;
  return out;
}

/// 20240317 of DICOM as 2024-03-17; empty for what is none.
std::string dateOf(const std::string& dicom) {
  const bool isDate =
      dicom.size() == 8 && std::all_of(dicom.begin(), dicom.end(), [](char c) { return c >= '0' && c <= '9'; });
  return isDate ? dicom.substr(0, 4) + "-" + dicom.substr(4, 2) + "-" + dicom.substr(6, 2) : "";
}

void takeImage(const ImageInfo& info, FoundFileRecord& out) {
  out.facts.kind = "image";
  out.facts.modality = info.modality;
  out.facts.sequence = info.description;
  out.facts.dims = {info.dims[0], info.dims[1], info.dims[2], info.timePoints};
  const Vec3 spacing = spacingMm(info.worldFromVoxel);
  out.facts.spacingMm = {spacing[0], spacing[1], spacing[2]};
}

void takeDicom(const DicomHeader& header, FoundFileRecord& out) {
  out.facts.kind = "dicom";
  out.facts.modality = header.modality;
  out.facts.sequence = header.seriesDescription;
  out.facts.dims = {header.columns, header.rows, header.hasPixels ? header.frames : 0, 1};
  if (header.pixelSpacing)
    out.facts.spacingMm = {(*header.pixelSpacing)[1], (*header.pixelSpacing)[0], header.sliceThickness};
  out.facts.date = dateOf(header.studyDate);
  out.studyDate = out.facts.date;
  out.studyUid = header.studyUid;
  if (header.damage.empty()) return;
  out.facts.state = FileState::broken;
  out.facts.reason = header.damage;
}

void takeSummary(const Result<FileSummary>& summary, FoundFileRecord& out) {
  const auto isBroken = [&](const Error& error) {
    if (error.code != ErrorCode::unsupported) out.facts.state = FileState::broken;
    out.facts.reason = error.what;
  };
  if (!summary) return isBroken(summary.error());
  out.facts.format = summary->format;
  if (summary->kind == "image") {
    const auto info = imageInfoFromJson(summary->header);
    return info ? takeImage(*info, out) : isBroken(info.error());
  }
  if (summary->kind == "dicom") {
    const auto header = dicomHeaderFromJson(summary->header);
    return header ? takeDicom(*header, out) : isBroken(header.error());
  }
  if (summary->kind == "tracts") out.facts.kind = "streamlines";
  if (summary->kind == "surface" || summary->kind == "table" || summary->kind == "document")
    out.facts.kind = summary->kind;
}

/// The JSON beside an image (BIDS), if it is there and is an object.
std::string sidecarOf(const ServedRoot& root, const std::string& image) {
  for (const std::string& name : sidecarsOf(image)) {
    if (!name.ends_with(".json")) continue;
    const auto stat = root.stat(name);
    if (!stat || stat->type != FileType::regular || stat->sizeBytes > longestSidecar) continue;
    auto fd = root.openFile(name);
    if (!fd) continue;
    std::string text(static_cast<std::size_t>(stat->sizeBytes), '\0');
    const ssize_t got = ::pread(fd->get(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_object()) return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  return "{}";
}

bool isLookedAt(const std::string& path) {
  const std::string kind = kindBySuffix(path);
  return (kind == "image?" || kind == "surface" || kind == "tracts") && imagesOfSidecar(path).empty();
}

}  // namespace

void ProjectScan::problem(const std::string& path, const std::string& what) {
  if (report_.problems.size() < mostProblems) report_.problems.push_back(printable(path) + ": " + what);
}

void ProjectScan::meet(const ServedRoot& root, const FoundFile& file) {
  if (!isUtf8(file.path)) return problem(file.path, "the name is not UTF-8: rename the file");
  const auto known = known_.find(file.path);
  const bool isSame = known != known_.end() && known->second.size == file.stat.sizeBytes &&
                      known->second.mtimeUs == microseconds(file.stat.modifiedNs);
  if (known != known_.end()) known_.erase(known);
  if (isSame) {
    ++report_.files.unchanged;
    return;
  }
  wanted_.push_back(file);
  for (const std::string& image : imagesOfSidecar(file.path)) {
    if (root.stat(image)) touched_.insert(image);
  }
}

/// Folders may have names that subjects and studies cannot have: their files are the project's then.
void ProjectScan::checkPlace(FoundFileRecord& record) {
  for (const bool isSubject : {true, false}) {
    std::string& name = isSubject ? record.subject : record.study;
    if (name.empty()) continue;
    const auto right = checkItemName(name, isSubject ? "subject" : "study");
    if (right) continue;
    problem(record.facts.path, right.error().where + ": " + right.error().what);
    name.clear();
    if (isSubject) record.study.clear();
  }
}

Result<void> ProjectScan::markGone() {
  std::vector<std::int64_t> gone;
  for (const auto& [path, known] : known_) {
    const bool mayBeThere = std::any_of(closed_.begin(), closed_.end(), [&](const std::string& folder) {
      return path == folder || path.starts_with(folder + "/");
    });
    if (!mayBeThere) gone.push_back(known.id);
  }
  const auto marked = archive_.markVanished(gone);
  if (!marked) return tl::make_unexpected(marked.error());
  report_.vanished = *marked;
  return {};
}

Result<void> ProjectScan::take(const ServedRoot& root, std::span<const FoundFile> files, std::stop_token stop) {
  std::vector<FoundFileRecord> records;
  std::vector<OpenedFile> opened;
  std::vector<std::size_t> openedFrom;
  for (const FoundFile& file : files) {
    records.push_back(recordOf(file));
    checkPlace(records.back());
    if (!isLookedAt(file.path)) continue;
    auto fd = root.openFile(file.path);
    if (!fd) {
      records.back().facts.state = FileState::broken;
      records.back().facts.reason = fd.error().what;
      continue;
    }
    opened.push_back({file.path, std::move(*fd)});
    openedFrom.push_back(records.size() - 1);
  }
  const auto summaries = pool_.peek(opened, stop);
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the scan was stopped", project_.name);
  for (std::size_t i = 0; i < summaries.size() && i < openedFrom.size(); ++i) {
    FoundFileRecord& record = records[openedFrom[i]];
    takeSummary(summaries[i], record);
    if (record.facts.kind == "image") record.facts.sidecar = sidecarOf(root, record.facts.path);
  }
  for (const auto& record : records) report_.broken += record.facts.state == FileState::broken ? 1 : 0;
  const auto done = archive_.registerFiles(project_.id, records);
  if (!done) return tl::make_unexpected(done.error());
  report_.files.added += done->added;
  report_.files.changed += done->changed;
  report_.files.unchanged += done->unchanged;
  report_.files.moved += done->moved;
  return {};
}

Result<ScanReport> ProjectScan::run(const Progress& progress, std::stop_token stop) {
  const auto root = ServedRoot::open(project_.root);
  if (!root) return tl::make_unexpected(root.error());
  auto known = archive_.knownFiles(project_.id);
  if (!known) return tl::make_unexpected(known.error());
  known_ = std::move(*known);
  walkTree(
      *root, filesPerWalk,
      [&](const std::vector<FoundFile>& files) {
        for (const FoundFile& file : files) meet(*root, file);
      },
      [&](const WalkProblem& wrong) {
        closed_.push_back(wrong.path);
        problem(wrong.path, wrong.error.what);
      },
      stop);
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the scan was stopped", project_.name);
  if (auto marked = markGone(); !marked) return tl::make_unexpected(marked.error());
  for (const FoundFile& file : wanted_) touched_.erase(file.path);
  for (const std::string& image : touched_) {
    const auto stat = root->stat(image);
    const PathPlace place = placeFromPath(image);
    if (!stat) continue;
    wanted_.push_back({image, *stat, place.subject, place.study});
    --report_.files.unchanged;  // it was met as such
  }
  const std::span<const FoundFile> all(wanted_);
  for (std::size_t i = 0; i < all.size(); i += filesPerBatch) {
    if (progress) progress(static_cast<std::int64_t>(i), static_cast<std::int64_t>(all.size()));
    const auto some = all.subspan(i, std::min(filesPerBatch, all.size() - i));
    if (auto taken = take(*root, some, stop); !taken) return tl::make_unexpected(taken.error());
  }
  return report_;
}

}  // namespace nora
