#include "app/scanner.hpp"

#include "image/io/dicom_rtstruct.hpp"
#include "image/io/dicom_support.hpp"

#include <algorithm>

namespace nora {
namespace {

std::string folderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// The deepest folder that holds both.
std::string commonFolder(const std::string& a, const std::string& b) {
  std::size_t common = 0;
  for (std::size_t i = 0;; ++i) {
    const bool endA = i == a.size() || a[i] == '/';
    const bool endB = i == b.size() || b[i] == '/';
    if (endA && endB) common = i;
    if (i == a.size() || i == b.size() || a[i] != b[i]) break;
  }
  return a.substr(0, common);
}

/// What tells patients of one folder apart; empty if a file does not say whose it is.
std::string patientOf(const DicomHeader& header) {
  return header.patientId.empty() ? header.patientName : header.patientId;
}

/// "2006-10-10 Brain" from "20061010" and "Brain".
std::string studyLabel(const DicomHeader& header) {
  std::string date = header.studyDate;
  if (date.size() == 8) date = date.substr(0, 4) + "-" + date.substr(4, 2) + "-" + date.substr(6, 2);
  if (date.empty()) return header.studyDescription;
  return header.studyDescription.empty() ? date : date + " " + header.studyDescription;
}

/// As the reader calls it.
std::string formatOf(const DicomHeader& header) {
  if (!isDicomOverlay(header)) return "DICOM";
  return header.sopClassUid == rtStructureSetClassUid ? "RTSTRUCT" : "DICOM SEG";
}

}  // namespace

void DicomCollector::add(const FoundFile& file, DicomHeader header) {
  auto& patients = patientsInFolder_[file.subject];
  const std::size_t before = patients.size();
  if (const std::string patient = patientOf(header); !patient.empty()) patients.insert(patient);
  if (before == 1 && patients.size() == 2) {
    // The folder holds several patients: its series are grouped by patient from now on.
    for (auto& [uid, series] : series_) {
      const auto isHere = [&](const Instance& i) { return i.file.subject == file.subject; };
      series.changed = series.changed || std::any_of(series.instances.begin(), series.instances.end(), isHere);
    }
  }
  Series& series = series_[header.studyUid + " " + header.seriesUid];
  series.instances.push_back({file, std::move(header)});
  series.changed = true;
}

std::string DicomCollector::subjectOf(const Instance& instance) const {
  const auto& folder = instance.file.subject;
  const bool bids = folder.starts_with("sub-");
  const bool severalPatients = patientsInFolder_.at(folder).size() > 1;
  const bool folderIsSubject =
      bids || (folder != "." && !severalPatients && instance.file.path.find('/') != std::string::npos);
  if (folderIsSubject) return folder;
  const std::string patient = patientOf(instance.header);
  return patient.empty() ? folder : patient;
}

std::vector<DicomCollector::Found> DicomCollector::entriesOf(Series& series) {
  std::sort(series.instances.begin(), series.instances.end(), [](const Instance& a, const Instance& b) {
    return a.file.path < b.file.path;
  });  // of copies, always the same
  std::vector<DicomHeader> headers;
  headers.reserve(series.instances.size());
  for (const auto& instance : series.instances) headers.push_back(instance.header);
  const DicomGrouping grouping = groupDicom(headers);

  std::vector<Found> entries;
  for (const auto& stack : grouping.stacks) {
    const Instance& first = series.instances[stack.instances.front()];
    std::string folder = folderOf(first.file.path);
    Entry entry;
    for (const std::size_t i : stack.instances) {
      const auto& file = series.instances[i].file;
      folder = commonFolder(folder, folderOf(file.path));
      entry.files.push_back(file.path);
      entry.sizeBytes += file.stat.sizeBytes;
    }
    entry.path = folder.empty() ? "." : folder;
    entry.series = stack.series();
    entry.sourceSeries = first.header.sourceSeriesUid;
    entry.subject = subjectOf(first);
    entry.study = first.file.study.empty() ? studyLabel(first.header) : first.file.study;
    entry.name = stack.label;
    entry.kind = "image";
    entry.format = formatOf(first.header);
    if (stack.columns > 1 || stack.rows > 1) entry.dims = {stack.columns, stack.rows, stack.depth()};
    if (stack.timePoints > 1) entry.dims.push_back(stack.timePoints);
    entry.timePoints = stack.timePoints;
    entry.modality = first.header.modality;
    entry.description = first.header.seriesDescription;
    entry.instances = static_cast<std::int64_t>(stack.instances.size());
    entry.warnings = stack.warnings;
    entries.push_back({std::move(entry), dicomSeriesKey(first.header)});
  }

  // One entry for all instances that are refused for the same reason, not one for each of a thousand slices.
  std::map<std::pair<std::string, bool>, std::vector<std::size_t>> byReason;
  for (const auto& [index, error] : grouping.refused) {
    byReason[{error.what, error.code == ErrorCode::unsupported}].push_back(index);
  }
  for (const auto& [why, indices] : byReason) {
    const auto& [reason, unsupported] = why;
    const Instance& first = series.instances[indices.front()];
    Entry entry = entryFor(first.file, "image");
    entry.subject = subjectOf(first);
    if (entry.study.empty()) entry.study = studyLabel(first.header);
    entry.format = "DICOM";
    entry.modality = first.header.modality;
    entry.description = first.header.seriesDescription;
    entry.instances = static_cast<std::int64_t>(indices.size());
    entry.state = unsupported ? EntryState::unsupported : EntryState::failed;
    entry.reason = reason;
    entries.push_back({std::move(entry), {}});
  }
  return entries;
}

void DicomCollector::claim(Series& series) {
  std::set<std::string> counted;
  for (const auto& [name, whose] : series.claims) {
    owners_[name].erase(whose);
    counted.insert(name);
  }
  series.claims.clear();
  for (const auto& found : series.found) {
    if (found.whose.empty()) continue;
    const std::string name = entryId(found.entry.path, found.entry.series);
    owners_[name].insert(found.whose);
    series.claims.emplace_back(name, found.whose);
    counted.insert(name);
  }
  touched_.insert(counted.begin(), counted.end());
}

void DicomCollector::nameEntries(Series& series) const {
  for (auto& [entry, whose] : series.found) {
    if (whose.empty()) continue;
    const std::string name = entryId(entry.path, entry.series);
    entry.ambiguous = owners_.at(name).size() > 1;
    entry.id = entry.ambiguous ? entryId(entry.path, entry.series + '\n' + whose) : name;
  }
}

/// Entries of other series whose names others have now, or no longer have.
void DicomCollector::nameOthersAnew() {
  for (auto& [uid, series] : series_) {
    const auto renamed = [&](const auto& claim) {
      const auto& [name, whose] = claim;
      if (!touched_.contains(name)) return false;
      const bool shared = owners_.at(name).size() > 1;
      const auto same = [&](const auto& p) {
        return entryId(p.second.path, p.second.series) != name || p.second.ambiguous == shared;
      };
      return !std::all_of(series.published.begin(), series.published.end(), same);
    };
    if (series.changed || std::none_of(series.claims.begin(), series.claims.end(), renamed)) continue;
    series.changed = true;
    series.found = entriesOf(series);
  }
  touched_.clear();
}

std::vector<Entry> DicomCollector::takeChanges() {
  std::vector<Entry> changes;
  for (auto& [uid, series] : series_) {
    if (!series.changed) continue;
    series.found = entriesOf(series);
    claim(series);
  }
  nameOthersAnew();
  for (auto& [uid, series] : series_) {
    if (!series.changed) continue;
    series.changed = false;
    nameEntries(series);
    std::map<std::string, Entry> now;
    for (auto& found : series.found) now.insert_or_assign(found.entry.id, std::move(found.entry));
    series.found.clear();
    for (auto& [id, old] : series.published) {
      if (now.contains(id)) continue;
      old.state = EntryState::removed;
      changes.push_back(std::move(old));
    }
    for (const auto& [id, entry] : now) {
      const auto old = series.published.find(id);
      if (old == series.published.end() || !(old->second == entry)) changes.push_back(entry);
    }
    series.published = std::move(now);
  }
  return changes;
}

}  // namespace nora
