#include "app/scanner.hpp"

#include "image/io/companions.hpp"
#include "image/io/sidecars.hpp"
#include "image/io/trx_reader.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::size_t filesPerBatch = 256;    // walked, then looked at
constexpr std::size_t filesPerRequest = 128;  // descriptors open at once for one reader request
constexpr std::int64_t filesPerDicomFlush = 1000;

std::string nameOf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// Kinds that are listed by their name alone: their files are looked at when somebody opens them.
bool isListedByName(const std::string& kind) {
  return kind == "table" || kind == "document";
}

Entry failedEntry(const FoundFile& file, const Error& error) {
  const std::string kind = kindBySuffix(file.path);
  Entry entry = entryFor(file, kind == "image?" ? "image" : kind);
  entry.state = error.code == ErrorCode::unsupported ? EntryState::unsupported : EntryState::failed;
  entry.reason = error.what;
  return entry;
}

Entry imageEntry(const FoundFile& file, const FileSummary& summary) {
  Entry entry = entryFor(file, "image");
  entry.format = summary.format;
  const auto info = imageInfoFromJson(summary.header);
  if (!info) return failedEntry(file, info.error());
  entry.dims = {info->dims[0], info->dims[1], info->dims[2]};
  if (info->timePoints > 1 || info->components > 1) entry.dims.push_back(info->timePoints);
  if (info->components > 1) entry.dims.push_back(info->components);
  entry.timePoints = info->timePoints;
  entry.modality = info->modality;
  entry.description = info->description;
  entry.warnings = info->warnings;
  return entry;
}

}  // namespace

Entry entryFor(const FoundFile& file, std::string kind) {
  Entry entry;
  entry.path = file.path;
  entry.id = entryId(file.path, "");
  entry.subject = file.subject;
  entry.study = file.study;
  entry.name = nameOf(file.path);
  entry.kind = std::move(kind);
  entry.sizeBytes = file.stat.sizeBytes;
  entry.instances = 1;
  entry.files = {file.path};
  return entry;
}

Scanner::Scanner(const ServedRoot& root, ReaderPool& pool, Catalogue& catalogue, std::function<void()> changed)
    : root_(root), pool_(pool), catalogue_(catalogue), changed_(std::move(changed)) {}

void Scanner::scan(std::stop_token stop) {
  publish({}, true);
  walkTree(
      root_, filesPerBatch, [&](std::vector<FoundFile> files) { takeBatch(std::move(files), stop); },
      [&](const WalkProblem& problem) {
        FoundFile file;
        file.path = problem.path;
        const PathPlace place = placeFromPath(problem.path);
        file.subject = place.subject;
        file.study = place.study;
        Entry entry = entryFor(file, "folder");
        entry.state = EntryState::failed;
        entry.reason = problem.error.what;
        publish({std::move(entry)}, true);
      },
      stop);
  publish(dicom_.takeChanges(), false);
}

void Scanner::takeBatch(std::vector<FoundFile> files, std::stop_token stop) {
  std::vector<Entry> entries;
  std::vector<FoundFile> candidates;
  std::set<std::string> names;
  for (const auto& file : files) names.insert(file.path);
  for (auto& file : files) {
    const std::string kind = kindBySuffix(file.path);
    const auto isThere = [&](const std::string& name) { return names.contains(name) || root_.stat(name).has_value(); };
    const auto images = imagesOfSidecar(file.path);
    if (std::any_of(images.begin(), images.end(), isThere)) continue;
    if (kind == "image?" || kind == "surface" || kind == "tracts" || nameOf(file.path) == "header.json") {
      const auto companions = isSecondOfPair(file.path) ? companionsOf(file.path) : std::vector<std::string>{};
      if (std::none_of(companions.begin(), companions.end(), isThere)) candidates.push_back(std::move(file));
    } else if (isListedByName(kind)) {
      entries.push_back(entryFor(file, kind));
    }
  }
  for (std::size_t at = 0; at < candidates.size() && !stop.stop_requested(); at += filesPerRequest) {
    const auto end =
        candidates.begin() + static_cast<std::ptrdiff_t>(std::min(candidates.size(), at + filesPerRequest));
    lookAt(
        {std::make_move_iterator(candidates.begin() + static_cast<std::ptrdiff_t>(at)), std::make_move_iterator(end)},
        stop);
  }
  files_ += static_cast<std::int64_t>(files.size());
  if (files_ - filesAtFlush_ >= filesPerDicomFlush) {
    filesAtFlush_ = files_;
    auto changes = dicom_.takeChanges();
    std::move(changes.begin(), changes.end(), std::back_inserter(entries));
  }
  publish(std::move(entries), true);
}

void Scanner::lookAt(std::vector<FoundFile> files, std::stop_token stop) {
  std::vector<Entry> entries;
  std::vector<OpenedFile> opened;
  std::vector<FoundFile> openedFrom;
  for (auto& file : files) {
    auto fd = root_.openFile(file.path);
    if (!fd) {
      entries.push_back(failedEntry(file, fd.error()));
      continue;
    }
    opened.push_back({file.path, std::move(*fd)});
    openedFrom.push_back(std::move(file));
  }
  const auto summaries = pool_.peek(opened, stop);
  for (std::size_t i = 0; i < summaries.size() && i < openedFrom.size(); ++i) {
    const bool more = summaries[i] && summaries[i]->partsTell;
    takeSummary(openedFrom[i], more ? withParts(std::move(opened[i]), *summaries[i], stop) : summaries[i], entries);
  }
  publish(std::move(entries), true);
}

/// What the file says together with those of its parts that are there.
Result<FileSummary> Scanner::withParts(OpenedFile file, const FileSummary& alone, std::stop_token stop) {
  const std::string folder = file.name.substr(0, file.name.rfind('/') + 1);
  std::vector<OpenedFile> files;
  files.push_back(std::move(file));
  for (const std::string& part : alone.parts) {
    if (part.find('/') != std::string::npos) continue;
    if (auto fd = root_.openFile(folder + part)) files.push_back({folder + part, std::move(*fd)});
  }
  return files.size() > 1 ? pool_.peekTogether(files, std::move(stop)) : alone;
}

void Scanner::takeSummary(const FoundFile& file, const Result<FileSummary>& summary, std::vector<Entry>& entries) {
  if (!summary) {
    if (summary.error().code != ErrorCode::cancelled) entries.push_back(failedEntry(file, summary.error()));
    return;
  }
  if (summary->kind == "dicom") {
    auto header = dicomHeaderFromJson(summary->header);
    if (header) {
      dicom_.add(file, std::move(*header));
    } else {
      entries.push_back(failedEntry(file, header.error()));
    }
    return;
  }
  if (summary->kind == "other") return;
  if (summary->kind == "image") {
    entries.push_back(pairEntry(file, *summary));
    return;
  }
  Entry entry = entryFor(file, summary->kind);
  entry.format = summary->format;
  if (summary->format == trxFolderFormat) {
    entry.format = "TRX";
    const std::string folder = file.path.substr(0, file.path.size() - entry.name.size());
    if (!folder.empty()) entry.name = nameOf(folder.substr(0, folder.size() - 1));
  }
  entries.push_back(std::move(entry));
}

/// An image whose voxels may lie in a second file: without that it cannot be opened, whatever its header says. A header
/// file that is as large as the voxels holds them itself.
Entry Scanner::pairEntry(const FoundFile& file, const FileSummary& summary) const {
  Entry entry = imageEntry(file, summary);
  const auto companions = companionsOf(file.path);
  if (companions.empty() || entry.state != EntryState::ready) return entry;
  for (const auto& name : companions) {
    if (const auto data = root_.stat(name)) {
      entry.sizeBytes += data->sizeBytes;
      return entry;
    }
  }
  const auto info = imageInfoFromJson(summary.header);
  const auto voxels = info ? voxelCount(*info, file.path) : Result<std::uint64_t>(0);
  const auto needed = voxels ? *voxels * bytesPerVoxel(info->type) : 0;
  if (static_cast<std::uint64_t>(std::max<std::int64_t>(file.stat.sizeBytes, 0)) >= needed) return entry;
  const auto& missing = companions.front();
  return failedEntry(
      file, {ErrorCode::notFound, "its data file is missing: " + missing.substr(missing.rfind('/') + 1), file.path});
}

void Scanner::publish(std::vector<Entry> entries, bool scanning) {
  if (!entries.empty()) catalogue_.put(std::move(entries));
  catalogue_.setProgress(files_, scanning);
  changed_();
}

}  // namespace nora
