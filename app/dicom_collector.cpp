#include "app/dicom_collector.hpp"

#include "archive/access/digest.hpp"
#include "archive/access/encoding.hpp"
#include "base/utf8.hpp"
#include "image/io/dicom_rtstruct.hpp"
#include "image/io/dicom_support.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

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
  std::string date = isoDate(header.studyDate);
  if (date.empty()) date = header.studyDate;
  if (date.empty()) return header.studyDescription;
  return header.studyDescription.empty() ? date : date + " " + header.studyDescription;
}

/// As the reader calls it.
std::string formatOf(const DicomHeader& header) {
  if (!isDicomOverlay(header)) return "DICOM";
  return header.sopClassUid == rtStructureSetClassUid ? "RTSTRUCT" : "DICOM SEG";
}

}  // namespace

std::string seriesMark(const std::string& whose) {
  constexpr std::size_t letters = 8;
  return toHex(sha256(whose)).substr(0, letters);
}

std::string itemName(const std::string& text) {
  constexpr std::size_t mostCharacters = 120;
  std::string out;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size() && characters < mostCharacters;) {
    const std::size_t size = utf8Length(text, i);
    const bool isControl = static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7F;
    if (size == 0 || text[i] == '/')
      out += '_';
    else if (isControl)
      out += ' ';
    else if (!(out.empty() && (text[i] == '.' || text[i] == ' ')))
      out.append(text, i, size);
    i += std::max<std::size_t>(size, 1);
    ++characters;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string isoDate(const std::string& dicom) {
  const bool isDate =
      dicom.size() == 8 && std::all_of(dicom.begin(), dicom.end(), [](char c) { return c >= '0' && c <= '9'; });
  return isDate ? dicom.substr(0, 4) + "-" + dicom.substr(4, 2) + "-" + dicom.substr(6, 2) : "";
}

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
  if (Series* const before = std::exchange(seriesOfPath_[file.path], &series)) {
    std::erase_if(before->instances, [&](const Instance& i) { return i.file.path == file.path; });
    before->changed = true;
  }
  series.instances.push_back({file, std::move(header)});
  series.changed = true;
}

std::string DicomCollector::subjectOf(const Instance& instance) const {
  const auto& folder = instance.file.subject;
  if (isPlaceSaid_) return folder;
  const bool bids = folder.starts_with("sub-");
  const bool severalPatients = patientsInFolder_.at(folder).size() > 1;
  const bool folderIsSubject =
      bids || (folder != "." && !severalPatients && instance.file.path.find('/') != std::string::npos);
  if (folderIsSubject) return folder;
  const std::string patient = patientOf(instance.header);
  return patient.empty() ? folder : patient;
}

/// What some files of a series have in common. The first says whose they are.
FoundFileRecord DicomCollector::recordOf(const Series& series, const std::vector<std::size_t>& instances) const {
  const Instance& first = series.instances[instances.front()];
  FoundFileRecord out;
  std::string folder = folderOf(first.file.path);
  for (const std::size_t i : instances) {
    const auto& file = series.instances[i].file;
    folder = commonFolder(folder, folderOf(file.path));
    out.parts.push_back(file.path);
    out.facts.size += file.stat.sizeBytes;
    out.facts.mtimeUs = std::max(out.facts.mtimeUs, file.stat.modifiedNs / 1000);
  }
  out.facts.path = folder.empty() ? "." : folder;
  out.facts.kind = "image";
  out.facts.format = formatOf(first.header);
  out.facts.modality = first.header.modality;
  out.facts.sequence = first.header.seriesDescription;
  out.facts.date = isoDate(first.header.studyDate);
  out.facts.instances = static_cast<std::int64_t>(instances.size());
  const std::string subject = subjectOf(first);
  out.subject = subject == "." ? "" : itemName(subject);
  out.study = itemName(first.file.study.empty() ? studyLabel(first.header) : first.file.study);
  if (out.subject.empty()) out.study.clear();
  out.studyDate = out.facts.date;
  out.studyUid = first.header.studyUid;
  return out;
}

void DicomCollector::make(Series& series) const {
  std::sort(series.instances.begin(), series.instances.end(), [](const Instance& a, const Instance& b) {
    return a.file.path < b.file.path;
  });  // of copies, always the same
  std::vector<DicomHeader> headers;
  headers.reserve(series.instances.size());
  for (const auto& instance : series.instances) headers.push_back(instance.header);
  const DicomGrouping grouping = groupDicom(headers);
  series.made.clear();
  for (const auto& stack : grouping.stacks) {
    FoundFileRecord record = recordOf(series, stack.instances);
    const DicomHeader& first = headers[stack.instances.front()];
    record.facts.series = stack.series();
    record.facts.sourceSeries = first.sourceSeriesUid;
    record.facts.label = stack.label;
    if (stack.columns > 1 || stack.rows > 1)
      record.facts.dims = {stack.columns, stack.rows, stack.depth(), stack.timePoints};
    const Vec3 spacing = spacingMm(stack.worldFromVoxel);
    record.facts.spacingMm = {spacing[0], spacing[1], spacing[2]};
    record.facts.warnings =
        nlohmann::json(stack.warnings).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    series.made.push_back({std::move(record), dicomSeriesKey(first)});
  }

  // One record for all instances that are refused for the same reason, not one for each of a thousand slices.
  std::map<std::pair<std::string, bool>, std::vector<std::size_t>> byReason;
  for (const auto& [index, error] : grouping.refused) {
    byReason[{error.what, error.code == ErrorCode::unsupported}].push_back(index);
  }
  for (const auto& [why, indices] : byReason) {
    const auto& [reason, unsupported] = why;
    FoundFileRecord record = recordOf(series, indices);
    record.facts.path = record.parts.front();
    record.facts.series = "refused " + seriesMark(reason);
    record.facts.format = "DICOM";
    record.facts.state = unsupported ? FileState::present : FileState::broken;
    record.facts.reason = reason;
    series.made.push_back({std::move(record), {}});
  }
}

/// Series UIDs should be unique, but copies with changed names and careless anonymisers make the same twice. Then all
/// that would be called the same get a mark of whose they are, in whatever order they were found.
std::vector<FoundFileRecord> DicomCollector::series() {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> owners;
  for (auto& [uid, series] : series_) {
    if (std::exchange(series.changed, false)) make(series);
    for (const Made& made : series.made) owners[{made.record.facts.path, made.record.facts.series}].insert(made.whose);
  }
  std::vector<FoundFileRecord> out;
  for (const auto& [uid, series] : series_) {
    for (const Made& made : series.made) {
      FoundFileRecord& record = out.emplace_back(made.record);
      const bool isShared = owners.at({record.facts.path, record.facts.series}).size() > 1;
      if (isShared) record.facts.series += "~" + seriesMark(made.whose);
    }
  }
  return out;
}

}  // namespace nora
