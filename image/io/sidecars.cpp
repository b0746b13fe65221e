#include "image/io/sidecars.hpp"

#include "image/io/freesurfer_labels.hpp"
#include "image/io/json_check.hpp"
#include "image/io/label_files.hpp"
#include "image/io/plain_text.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::size_t maxJsonBytes = std::size_t{4} << 20;
constexpr std::size_t maxJsonValues = 200'000;
constexpr std::size_t maxFields = 80;
constexpr std::size_t maxFieldBytes = 200;
constexpr std::size_t maxListed = 8;  // numbers of an array that are shown

std::string fileName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void warn(ImageInfo& info, const std::string& file, const std::string& what) {
  info.warnings.push_back(printable(fileName(file)) + ": " + what);
}

// ---- BIDS metadata

/// Keys that name a person or a place in time; the page need not show them.
bool isPrivate(const std::string& key) {
  static const std::set<std::string> keys{"PatientName",
                                          "PatientID",
                                          "PatientBirthDate",
                                          "PatientSex",
                                          "PatientAge",
                                          "PatientWeight",
                                          "PatientSize",
                                          "AccessionNumber",
                                          "InstitutionName",
                                          "InstitutionAddress",
                                          "StationName",
                                          "DeviceSerialNumber",
                                          "StudyInstanceUID",
                                          "SeriesInstanceUID",
                                          "StudyID",
                                          "ReferringPhysicianName",
                                          "AcquisitionDateTime",
                                          "InstitutionalDepartmentName",
                                          "ProcedureStepDescription"};
  return keys.contains(key);
}

std::string shown(const json& value) {
  if (value.is_string()) return value.get<std::string>().substr(0, maxFieldBytes);
  if (value.is_number() || value.is_boolean()) return value.dump();
  if (!value.is_array() || value.empty()) return {};
  std::string out;
  for (const json& entry : value) {
    if (!entry.is_number() && !entry.is_string()) return {};
    if (value.size() > maxListed && entry.is_number()) return std::to_string(value.size()) + " numbers";
    const std::string text = entry.is_string() ? entry.get<std::string>() : entry.dump();
    out += (out.empty() ? "" : ", ") + text;
    if (out.size() > maxFieldBytes) return out.substr(0, maxFieldBytes);
  }
  return out;
}

void takeRepetitionTime(ImageInfo& info, const json& bids, const std::string& file) {
  constexpr double toleranceSeconds = 1e-3;
  const auto found = bids.find("RepetitionTime");
  if (found == bids.end() || !found->is_number() || info.timePoints < 2) return;
  const double seconds = found->get<double>();
  if (!(seconds > 0) || !std::isfinite(seconds)) return;
  if (info.timeStepSeconds == 0) {
    info.timeStepSeconds = seconds;
  } else if (std::abs(info.timeStepSeconds - seconds) > toleranceSeconds) {
    warn(info, file,
         "the repetition time is " + found->dump() + " s, but the image says " + json(info.timeStepSeconds).dump() +
             " s");
  }
}

std::string textOf(const json& bids, const char* key) {
  const auto found = bids.find(key);
  return found != bids.end() && found->is_string() ? found->get<std::string>().substr(0, maxFieldBytes) : std::string{};
}

void takeMetadata(ImageInfo& info, const json& bids, const std::string& file) {
  std::set<std::string> known;
  for (const auto& [name, value] : info.fields) known.insert(name);
  std::size_t left = maxFields;
  for (const auto& [key, value] : bids.items()) {
    if (left == 0) break;
    if (key.size() > maxFieldBytes || isPrivate(key) || known.contains(key)) continue;
    std::string text = shown(value);
    if (text.empty()) continue;
    info.fields.emplace_back(key, std::move(text));
    --left;
  }
  takeRepetitionTime(info, bids, file);
  if (info.unit.empty()) info.unit = textOf(bids, "Units");
  if (info.description.empty()) info.description = textOf(bids, "SeriesDescription");
  if (info.modality.empty()) {
    const std::string modality = textOf(bids, "Modality");
    if (modality == "MR" || modality == "CT" || modality == "PT") info.modality = modality;
  }
}

/// `taken`: keys of files that lie nearer and go before this one.
void applyJson(ImageInfo& info, const InputFile& file, std::set<std::string>& taken) {
  const PlainText text(file.bytes, maxJsonBytes);
  if (file.bytes.size() > maxJsonBytes || text.cut()) return warn(info, file.name, "it is too large for metadata");
  const std::string utf8 = text.utf8(text.raw());
  const JsonCheck check = checkJson(utf8);
  if (!check.good) return warn(info, file.name, check.wrong + " (line " + std::to_string(check.line) + ")");
  if (check.values > maxJsonValues) return warn(info, file.name, "it is too large for metadata");
  json bids = json::parse(utf8, nullptr, false);
  if (!bids.is_object()) return warn(info, file.name, "it holds no metadata");
  std::vector<std::string> keys;
  for (const auto& [key, value] : bids.items()) keys.push_back(key);
  for (const std::string& key : keys) {
    if (!taken.insert(key).second) bids.erase(key);
  }
  takeMetadata(info, bids, file.name);
}

// ---- diffusion

const InputFile* named(std::span<const InputFile> files, std::initializer_list<std::string_view> suffixes) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const InputFile& file) {
    const std::string lower = lowerFileName(file.name);
    return std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view s) { return lower.ends_with(s); });
  });
  return found == files.end() ? nullptr : &*found;
}

void applyGradients(ImageInfo& info, std::span<const InputFile> files) {
  if (info.diffusion) return;
  // "bvals" and "bvecs" stand for all images of a folder: they are of this one only if they fit.
  const InputFile *bval = named(files, {".bval", ".bvals"}), *bvec = named(files, {".bvec", ".bvecs"});
  const bool own = bval != nullptr || bvec != nullptr;
  if (!own) bval = named(files, {"bvals"}), bvec = named(files, {"bvecs"});
  if (bval == nullptr && bvec == nullptr) return;
  if (bval == nullptr || bvec == nullptr) {
    if (own) warn(info, (bval == nullptr ? bvec : bval)->name, "b-values need both a .bval and a .bvec file");
    return;
  }
  auto scheme = diffusionFromFsl(*bval, *bvec, info);
  if (scheme) {
    info.diffusion = std::move(*scheme);
  } else if (own) {
    warn(info, scheme.error().where, scheme.error().what);
  }
}

// ---- labels

bool holdsWholeNumbers(const ImageInfo& info) {
  if (isColour(info.type)) return false;
  if (info.statistics) return info.statistics->integral;
  return info.type != VoxelType::float32 && info.type != VoxelType::float64 && info.slope == 1 && info.inter == 0;
}

/// Names that tell of labels; others (X.txt, X.csv) often hold something else.
bool saysLabels(const std::string& name) {
  const std::string lower = lowerFileName(name);
  return lower.ends_with(".nii.txt") || lower.ends_with(".lut") || lower.ends_with(".ctbl") ||
         lower.find("label") != std::string::npos || lower.find("lut") != std::string::npos;
}

bool isLabelName(const std::string& name) {
  const std::string lower = lowerFileName(name);
  return !lower.ends_with(".bval") && !lower.ends_with(".bvec") && !lower.ends_with("bvals") &&
         !lower.ends_with("bvecs");
}

/// Names from the first file that has some, colours from the first that has some.
void applyLabels(ImageInfo& info, std::span<const LabelFile> tables, const std::string& imageName) {
  if (info.labels || !holdsWholeNumbers(info)) return;
  const auto names = std::find_if(tables.begin(), tables.end(), [](const LabelFile& t) { return t.named; });
  const auto colours = std::find_if(tables.begin(), tables.end(), [](const LabelFile& t) { return t.coloured; });
  if (names != tables.end() && colours != tables.end() && names != colours && !names->coloured) {
    info.labels = merged(*names, *colours);
  } else if (names != tables.end()) {
    info.labels = names->table;
  } else if (colours != tables.end()) {
    info.labels = colours->table;
  } else if (isFreeSurferSegmentation(imageName)) {
    info.labels = freeSurferLabels();
  }
}

}  // namespace

void applySidecars(ImageInfo& info, std::span<const InputFile> sidecars, const std::string& imageName) {
  std::vector<LabelFile> tables;
  std::set<std::string> taken;
  for (const InputFile& file : sidecars) {
    if (!isLabelName(file.name)) continue;
    const bool isJson = hasTextSuffix(file.name, ".json");
    auto labels = parseLabelFile(file);
    if (labels && (labels->certain || saysLabels(file.name))) {
      tables.push_back(std::move(*labels));
    } else if (isJson && !labels && labels.error().code == ErrorCode::invalidInput) {
      warn(info, file.name, labels.error().what);
    } else if (isJson) {
      applyJson(info, file, taken);
    } else if (!labels && saysLabels(file.name)) {
      warn(info, file.name, labels.error().what);
    }
  }
  applyGradients(info, sidecars);
  applyLabels(info, tables, imageName);
}

}  // namespace nora
