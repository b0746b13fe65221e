#include "app/project_scan.hpp"

#include "app/file_record.hpp"
#include "archive/files/content_hash.hpp"
#include "base/log.hpp"
#include "image/io/sidecars.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <unistd.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::size_t filesPerWalk = 1024;
constexpr std::size_t filesPerBatch = 128;  // descriptors open at once for one reader request, and one transaction
constexpr std::size_t filesPerDicomFlush = 5000;  // DICOM files after which the list gets their series
constexpr std::size_t mostProblems = 100;
constexpr int mostAttempts = 20;  // to put series together while others change their files

bool isSame(const FoundFile& file, std::int64_t size, std::int64_t mtimeUs) {
  return file.stat.sizeBytes == size && file.stat.modifiedNs / 1000 == mtimeUs;
}

FoundFileRecord unreadable(const std::string& path, std::string kind, const std::string& why) {
  FoundFileRecord out;
  out.facts.path = path;
  out.facts.kind = std::move(kind);
  out.facts.state = FileState::broken;
  out.facts.reason = why;
  return out;
}

std::string hostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? printable(name.data()) : "?";
}

}  // namespace

nlohmann::json toJson(const ScanReport& report) {
  return {{"added", report.files.added}, {"changed", report.files.changed}, {"unchanged", report.files.unchanged},
          {"moved", report.files.moved}, {"touched", report.touched},       {"vanished", report.vanished},
          {"broken", report.broken},     {"problems", report.problems}};
}

/// A DICOM file and what a reader said of it.
struct ProjectScan::Looked {
  FoundFile file;
  DicomHeader header;
};

void ProjectScan::problem(const std::string& path, const std::string& what) {
  if (report_.problems.size() < mostProblems) report_.problems.push_back(printable(path) + ": " + what);
}

Result<void> ProjectScan::takePattern() {
  const auto settings = nlohmann::json::parse(project_.settings, nullptr, false);
  if (!settings.is_object()) return {};
  isPlacedAnew_ = settings.value("placedBy", "") != settings.value("pattern", "");
  if (!settings.contains("pattern") || !settings["pattern"].is_string()) return {};
  const auto text = settings["pattern"].get<std::string>();
  auto pattern = PathPattern::parse(text);
  if (!pattern) return tl::make_unexpected(pattern.error());
  pattern_ = *std::move(pattern);
  dicom_ = DicomCollector(true);
  return {};
}

/// Where the file belongs: by the project's pattern, or by what its folders look like.
void ProjectScan::place(FoundFile& file) const {
  auto said = pattern_ ? pattern_->match(file.path) : placeFromPath(file.path);
  if (!said) said = PathPlace{".", ""};
  file.subject = said->subject;
  file.study = said->study;
}

void ProjectScan::meet(const ServedRoot& root, const FoundFile& found) {
  FoundFile file = found;
  if (pattern_ || file.path.find('/') == std::string::npos) place(file);
  if (const auto dicom = knownDicom_.find(file.path); dicom != knownDicom_.end()) {
    const bool same = !isPlacedAnew_ && isSame(file, dicom->second.size, dicom->second.mtimeUs);
    if (!same) goneDicom_.push_back(file.path);  // its header will be another, if it still is one
    if (!same) wanted_.push_back(file);
    knownDicom_.erase(dicom);
    return;
  }
  const auto known = known_.find(file.path);
  if (known != known_.end()) {
    const Archive::Known before = known->second;
    known_.erase(known);
    if (!isPlacedAnew_ && isSame(file, before.size, before.mtimeUs)) {
      ++report_.files.unchanged;
      if (file.path.ends_with(".nii.gz") || file.path.ends_with(".nii")) all_.insert(file.path);
      return;
    }
    if (!isPlacedAnew_ && file.stat.sizeBytes == before.size && isOfWholeContent(before.hash)) {
      touchedAlone_.push_back({file, before});
      return;
    }
    wasFile_[file.path] = before.id;
  }
  wanted_.push_back(file);
  touch(root, file.path);
}

/// Files whose time is another: those whose content is as it was are not read again, nor what depends on them.
Result<void> ProjectScan::settleTouched(const ServedRoot& root, const std::stop_token& stop) {
  std::vector<Archive::Unhashed> same;
  for (const auto& [file, before] : touchedAlone_) {
    const auto fd = root.openFile(file.path);
    const auto hash = fd ? contentHash(fd->get(), before.size, stop) : tl::make_unexpected(fd.error());
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the scan was stopped", project_.name);
    if (!hash || *hash != before.hash) {
      wasFile_[file.path] = before.id;
      wanted_.push_back(file);
      touch(root, file.path);
      continue;
    }
    same.push_back({before.id, before.size, file.stat.modifiedNs / 1000, file.path});
    ++report_.files.unchanged;
    ++report_.touched;
    if (file.path.ends_with(".nii.gz") || file.path.ends_with(".nii")) all_.insert(file.path);
  }
  touchedAlone_.clear();
  return same.empty() ? Result<void>() : archive_.setTimes(project_.id, same);
}

Result<void> ProjectScan::knowVanished() {
  auto sizes = archive_.hashedVanishedSizes(project_.id);
  if (!sizes) return tl::make_unexpected(sizes.error());
  vanishedSizes_ = std::move(*sizes);
  return {};
}

/// Images whose metadata comes from that file, too: they are looked at again.
void ProjectScan::touch(const ServedRoot& root, const std::string& path) {
  for (const std::string& image : imagesOfSidecar(path)) {
    if (root.stat(image)) touched_.insert(image);
  }
  if (mayBeInherited(path)) inherited_.push_back(path);
}

/// The same for metadata in folders above.
void ProjectScan::touchHeirs() {
  if (inherited_.empty() || all_.empty()) return;
  for (const std::string& path : inherited_) {
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    const std::vector<std::string> name{path.substr(folder.size())};
    for (auto at = all_.lower_bound(folder); at != all_.end() && at->starts_with(folder); ++at) {
      if (isBidsName(*at) && !inheritedSidecars(*at, name).empty()) touched_.insert(*at);
    }
  }
}

bool ProjectScan::mayBeThere(const std::string& path) const {
  return std::any_of(closed_.begin(), closed_.end(),
                     [&](const std::string& folder) { return path == folder || path.starts_with(folder + "/"); });
}

Result<void> ProjectScan::markGone(const ServedRoot& root) {
  for (const FoundFileRecord& record : unreadable_) known_.erase(record.facts.path);
  std::vector<std::int64_t> gone;
  for (const auto& [path, known] : known_) {
    if (mayBeThere(path)) continue;
    gone.push_back(known.id);
    touch(root, path);
  }
  for (const auto& [path, known] : knownDicom_) {
    if (!mayBeThere(path)) goneDicom_.push_back(path);
  }
  if (gone.empty()) return {};
  const auto marked = archive_.markVanished(gone);
  if (!marked) return tl::make_unexpected(marked.error());
  report_.vanished += *marked;
  return {};
}

void ProjectScan::count(const Archive::Registered& done) {
  report_.files.added += done.added;
  report_.files.changed += done.changed;
  report_.files.unchanged += done.unchanged;
  report_.files.moved += done.moved;
}

/// What the file says together with those of its parts that are there.
Result<FileSummary> ProjectScan::withParts(const ServedRoot& root, OpenedFile file, const FileSummary& alone,
                                           std::stop_token stop) {
  const std::string folder = file.name.substr(0, file.name.rfind('/') + 1);
  std::vector<OpenedFile> files;
  files.push_back(std::move(file));
  for (const std::string& part : alone.parts) {
    if (part.find('/') != std::string::npos) continue;
    if (auto fd = root.openFile(folder + part)) files.push_back({folder + part, std::move(*fd)});
  }
  return files.size() > 1 ? pool_.peekTogether(files, std::move(stop)) : alone;
}

Result<void> ProjectScan::take(const ServedRoot& root, std::span<const FoundFile> files, std::stop_token stop) {
  std::vector<FoundFileRecord> records;
  std::vector<OpenedFile> opened;
  std::vector<std::size_t> openedFrom;
  for (const FoundFile& file : files) {
    records.push_back(recordOf(root, file));
    if (auto right = checkPlace(records.back()); !right)
      problem(file.path, right.error().where + ": " + right.error().what);
    const bool mayHaveMoved = vanishedSizes_.contains(file.stat.sizeBytes) && !wasFile_.contains(file.path);
    const bool isRead = isLookedAt(records.back());
    if (!isRead && !mayHaveMoved) continue;
    auto fd = root.openFile(file.path);
    if (fd && mayHaveMoved) {
      if (auto hash = contentHash(fd->get(), file.stat.sizeBytes, stop)) records.back().facts.hash = *std::move(hash);
    }
    if (!isRead) continue;
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
  std::vector<Looked> dicom;
  std::set<std::size_t> isDicom;
  for (std::size_t i = 0; i < summaries.size() && i < openedFrom.size(); ++i) {
    const std::size_t at = openedFrom[i];
    if (summaries[i] && summaries[i]->kind == "dicom") {
      auto header = dicomHeaderFromJson(summaries[i]->header);
      if (header) {
        dicom.push_back({files[at], std::move(*header)});
        isDicom.insert(at);
      } else {
        takeSummary(root, *sidecars_, tl::make_unexpected(header.error()), records[at]);
      }
      continue;
    }
    const bool partsTell = summaries[i] && summaries[i]->partsTell;
    takeSummary(root, *sidecars_, partsTell ? withParts(root, std::move(opened[i]), *summaries[i], stop) : summaries[i],
                records[at]);
  }
  std::vector<FoundFileRecord> single;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!isDicom.contains(i)) single.push_back(std::move(records[i]));
  }
  for (const auto& record : single) report_.broken += record.facts.state == FileState::broken ? 1 : 0;
  const auto done = archive_.registerFiles(project_.id, single);
  if (!done) return tl::make_unexpected(done.error());
  count(*done);
  return dicom.empty() ? Result<void>() : takeDicom(dicom);
}

/// Fills the collector with the DICOM files that are as they were.
Result<void> ProjectScan::openDicom() {
  if (std::exchange(isDicomOpen_, true)) return {};
  const auto seen = archive_.dicomChanges(project_.id);
  if (!seen) return tl::make_unexpected(seen.error());
  dicomSeen_ = *seen;
  const std::set<std::string> gone(goneDicom_.begin(), goneDicom_.end());
  return archive_.eachDicom(project_.id, [&](const DicomFileRecord& record) {
    if (gone.contains(record.path)) return;
    auto header = dicomHeaderFromJson(nlohmann::json::parse(record.header, nullptr, false));
    if (!header) return;
    FoundFile file{record.path, {}, {}, {}};
    place(file);
    file.stat.sizeBytes = record.size;
    file.stat.modifiedNs = record.mtimeUs * 1000;
    dicom_.add(file, std::move(*header));
  });
}

Result<void> ProjectScan::takeDicom(std::span<const Looked> found) {
  if (auto opened = openDicom(); !opened) return opened;
  std::vector<DicomFileRecord> records;
  std::vector<std::int64_t> wereFiles;  // of another kind until now
  for (const Looked& one : found) {
    records.push_back({one.file.path, one.file.stat.sizeBytes, one.file.stat.modifiedNs / 1000,
                       toJson(one.header).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
    if (const auto was = wasFile_.find(one.file.path); was != wasFile_.end()) wereFiles.push_back(was->second);
    std::erase(goneDicom_, one.file.path);
    dicom_.add(one.file, one.header);
  }
  if (auto stored = archive_.storeDicom(project_.id, records, dicomSeen_); !stored) return stored;
  if (!wereFiles.empty()) {
    if (auto marked = archive_.markVanished(wereFiles); !marked) return tl::make_unexpected(marked.error());
  }
  dicomPending_ += records.size();
  if (dicomPending_ < filesPerDicomFlush) return {};
  dicomPending_ = 0;
  const auto done = archive_.registerFiles(project_.id, dicom_.series());
  if (!done) return tl::make_unexpected(done.error());
  return {};
}

/// At the end: the series are as the files are.
Result<void> ProjectScan::closeDicom() {
  if (!isDicomOpen_) {
    const auto isOpen = archive_.isDicomOpen(project_.id);
    if (!isOpen) return tl::make_unexpected(isOpen.error());
    if (goneDicom_.empty() && !*isOpen) {
      const auto series = archive_.seriesCount(project_.id);
      if (!series) return tl::make_unexpected(series.error());
      report_.files.unchanged += *series;
      return {};
    }
    if (auto opened = openDicom(); !opened) return opened;
  }
  for (int attempt = 0; attempt < mostAttempts; ++attempt) {
    const auto series = dicom_.series();
    const auto done = archive_.closeDicom(project_.id, series, goneDicom_, dicomSeen_, report_.vanished);
    if (!done) return tl::make_unexpected(done.error());
    if (*done) {
      for (const auto& record : series) report_.broken += record.facts.state == FileState::broken ? 1 : 0;
      count(**done);
      return {};
    }
    if (auto opened = reopenDicom(); !opened) return opened;
  }
  return fail(ErrorCode::unavailable, "other scans keep changing the DICOM files of this project: scan it again",
              project_.name);
}

/// Another server has changed what the collector was filled with.
Result<void> ProjectScan::reopenDicom() {
  dicom_ = DicomCollector(pattern_.has_value());
  isDicomOpen_ = false;
  return openDicom();
}

Result<void> ProjectScan::walk(const ServedRoot& root, const Progress& progress, std::stop_token stop) {
  auto known = archive_.knownFiles(project_.id);
  if (!known) return tl::make_unexpected(known.error());
  known_ = std::move(*known);
  auto dicom = archive_.knownDicom(project_.id);
  if (!dicom) return tl::make_unexpected(dicom.error());
  knownDicom_ = std::move(*dicom);
  const bool isFirst = known_.empty() && knownDicom_.empty();  // nothing can have moved: the list fills from the start
  Result<void> taken;
  walkTree(
      root, filesPerWalk,
      [&](const std::vector<FoundFile>& files) {
        for (const FoundFile& file : files) meet(root, file);
        if (isFirst && taken) taken = takeWanted(root, progress, stop);
      },
      [&](const WalkProblem& wrong) {
        closed_.push_back(wrong.path);
        problem(wrong.path, wrong.error.what);
        unreadable_.push_back(unreadable(wrong.path, "folder", wrong.error.what));
      },
      stop);
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the scan was stopped", project_.name);
  if (isFirst) touched_.clear();  // images were read with their sidecars
  return taken;
}

Result<void> ProjectScan::takeWanted(const ServedRoot& root, const Progress& progress, std::stop_token stop) {
  for (const FoundFile& file : wanted_) touched_.erase(file.path);
  const std::span<const FoundFile> all(wanted_);
  for (std::size_t i = 0; i < all.size(); i += filesPerBatch) {
    const auto some = all.subspan(i, std::min(filesPerBatch, all.size() - i));
    if (auto done = take(root, some, stop); !done) return done;
    looked_ += static_cast<std::int64_t>(some.size());
    if (progress) progress(looked_, looked_ + static_cast<std::int64_t>(all.size() - i - some.size()));
  }
  wanted_.clear();
  return {};
}

Result<ScanReport> ProjectScan::run(const Progress& progress, std::stop_token stop) {
  const auto begun = std::chrono::steady_clock::now();
  auto done = scan(progress, std::move(stop));
  if (!done && done.error().code == ErrorCode::cancelled) return done;
  nlohmann::json note = toJson(done.value_or(report_));
  note["failed"] = done ? nlohmann::json() : nlohmann::json(describe(done.error()));
  note["host"] = hostName();
  note["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const auto text = note.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (auto noted = archive_.noteScan(project_.id, text); !noted)
    log::warning("scan of " + project_.name + ": how it ended could not be noted: " + describe(noted.error()));
  return done;
}

Result<ScanReport> ProjectScan::scan(const Progress& progress, std::stop_token stop) {
  const auto root = ServedRoot::open(project_.root);
  if (!root) return tl::make_unexpected(root.error());
  sidecars_.emplace(*root);
  if (auto taken = takePattern(); !taken) return tl::make_unexpected(taken.error());
  if (auto known = knowVanished(); !known) return tl::make_unexpected(known.error());
  if (auto walked = walk(*root, progress, stop); !walked) return tl::make_unexpected(walked.error());
  if (auto settled = settleTouched(*root, stop); !settled) return tl::make_unexpected(settled.error());
  if (auto marked = markGone(*root); !marked) return tl::make_unexpected(marked.error());
  if (auto known = knowVanished(); !known) return tl::make_unexpected(known.error());
  touchHeirs();
  for (const FoundFile& file : wanted_) touched_.erase(file.path);
  for (const std::string& image : touched_) {
    const auto stat = root->stat(image);
    if (!stat) continue;
    wanted_.push_back({image, *stat, {}, {}});
    place(wanted_.back());
    --report_.files.unchanged;  // it was met as such
  }
  if (auto taken = takeWanted(*root, progress, stop); !taken) return tl::make_unexpected(taken.error());
  const auto told = archive_.registerFiles(project_.id, unreadable_);
  if (!told) return tl::make_unexpected(told.error());
  if (auto closed = closeDicom(); !closed) return tl::make_unexpected(closed.error());
  if (isPlacedAnew_) {
    auto settings = nlohmann::json::parse(project_.settings);
    settings["placedBy"] = settings.value("pattern", "");
    if (auto set = archive_.setSettings(project_.id, settings.dump()); !set) return tl::make_unexpected(set.error());
  }
  return report_;
}

}  // namespace nora
