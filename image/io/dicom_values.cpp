#include "image/io/dicom_values.hpp"

#include "image/io/dicom_csa.hpp"
#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_tables.hpp"
#include "image/io/dicom_tags.hpp"

#include <algorithm>
#include <cmath>

namespace nora {
namespace {

constexpr double zeroB = 50;  // s/mm^2; what vendors call b0 may have a little weighting, without a direction

std::vector<WindowPreset> presetsOf(const std::vector<std::array<double, 2>>& windows,
                                    const std::vector<std::string>& names) {
  std::vector<WindowPreset> presets;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const auto [centre, width] = windows[i];
    if (!(width > 0)) continue;
    const std::string name = i < names.size() && !names[i].empty() ? names[i] : "window " + std::to_string(i + 1);
    presets.push_back({name, centre - width / 2, centre + width / 2});
  }
  return presets;
}

std::vector<WindowPreset> windowsOf(const DicomItem& dataset, const DicomPixelFormat& format) {
  const auto centres = dataset.numbers(tag::windowCenter, 64), widths = dataset.numbers(tag::windowWidth, 64);
  std::vector<std::array<double, 2>> windows;
  for (std::size_t i = 0; i < std::min(centres.size(), widths.size()); ++i) windows.push_back({centres[i], widths[i]});
  auto presets = presetsOf(windows, valuesOf(dataset.text(tag::windowExplanation)));
  for (const auto& range : voiTableRanges(dataset, format.isSigned || format.inter < 0)) {
    const std::string name = range.name.empty() ? "table " + std::to_string(presets.size() + 1) : range.name;
    presets.push_back({name, range.low, range.high});
  }
  return presets;
}

std::optional<Vec3> vectorOf(const std::vector<double>& numbers) {
  if (numbers.size() < 3) return std::nullopt;
  const Vec3 v{numbers[0], numbers[1], numbers[2]};
  return std::isfinite(dot(v, v)) ? std::optional(v) : std::nullopt;
}

/// Diffusion of a classic instance: the standard's elements, then those of vendors that say it in patient coordinates.
/// GE's directions are those of its gradient coils' plane and left out.
void readDiffusion(const DicomItem& d, DicomFrameValues& values) {
  values.bValue = d.number(tag::diffusionBValue);
  values.gradientLps = vectorOf(d.numbers(tag::diffusionGradient, 3));
  if (values.bValue) return;
  constexpr char siemens[] = "SIEMENS MR HEADER";
  if (const std::uint32_t b = d.privateTag(0x0019, siemens, 0x0C)) {
    const auto numbers = d.numbers(b, 1, "IS");
    if (!numbers.empty()) values.bValue = numbers[0];
    values.gradientLps = vectorOf(d.numbers(d.privateTag(0x0019, siemens, 0x0E), 3, "FD"));
    return;
  }
  if (const std::uint32_t header = d.privateTag(0x0029, "SIEMENS CSA HEADER", 0x10)) {
    const CsaHeader csa(d.bytes(header));
    values.bValue = csa.number("B_value");
    values.gradientLps = vectorOf(csa.numbers("DiffusionGradientDirection"));
    return;
  }
  constexpr char philips[] = "Philips Imaging DD 001", philipsMr[] = "Philips MR Imaging DD 001";
  if (const std::uint32_t b = d.privateTag(0x2001, philips, 0x03)) {
    const auto numbers = d.numbers(b, 1, "FL");
    if (!numbers.empty()) values.bValue = numbers[0];
    std::vector<double> direction;
    for (const std::uint8_t element : {0xB0, 0xB1, 0xB2}) {
      for (const double n : d.numbers(d.privateTag(0x2005, philipsMr, element), 1, "FL")) direction.push_back(n);
    }
    values.gradientLps = vectorOf(direction);
    return;
  }
  if (const std::uint32_t b = d.privateTag(0x0043, "GEMS_PARM_01", 0x39)) {
    const auto numbers = d.numbers(b, 1, "IS");
    if (!numbers.empty()) values.bValue = std::fmod(numbers[0], 100000);  // some versions add 10^9
  }
}

DicomFrameValues valuesOfInstance(const DicomItem& dataset, const DicomPixelFormat& format) {
  DicomFrameValues values;
  values.slope = format.slope;
  values.inter = format.inter;
  values.windows = windowsOf(dataset, format);
  values.zeroSlope = dataset.number(tag::rescaleSlope) == 0.0;
  readDiffusion(dataset, values);
  return values;
}

std::string unitOf(const DicomItem& dataset, const std::string& modality) {
  if (dataset.has(tag::doseGridScaling)) return dataset.text(tag::doseUnits) == "RELATIVE" ? "%" : "Gy";
  std::string type = dataset.text(tag::rescaleType);
  if (dataset.has(tag::modalityLutSequence)) type = dataset.first(tag::modalityLutSequence).text(tag::modalityLutType);
  if (dataset.has(tag::sharedFunctionalGroups) && type.empty()) {
    const auto groups = framesOf(dataset, 1);
    if (!groups.frames.empty()) type = groups.frames.front().rescaleType;
  }
  if (modality == "CT" && type.empty() && dataset.has(tag::rescaleSlope)) return "HU";
  return type == "US" ? std::string() : type;
}

/// Philips stores counts, with factors to SUV and to activity in private elements.
void describePhilipsCounts(const DicomItem& dataset, ImageInfo& info) {
  constexpr char creator[] = "Philips PET Private Group";
  const auto factor = [&](std::uint8_t element) {
    const auto numbers = dataset.numbers(dataset.privateTag(0x7053, creator, element), 1, "DS");
    return numbers.empty() || !(numbers[0] > 0) ? std::nullopt : std::optional(numbers[0]);
  };
  info.unit = "counts";
  if (const auto suv = factor(0x00)) info.otherUnits.push_back({"SUVbw", *suv});
  if (const auto activity = factor(0x09)) info.otherUnits.push_back({"Bq/mL", *activity});
}

void describePet(const DicomItem& dataset, const std::string& earliestTime, ImageInfo& info) {
  const std::string units = dataset.text(tag::units), kind = dataset.text(tag::suvType);
  if (units == "GML") info.unit = kind == "LBM" || kind == "LBMJAMES128" || kind == "LBMJANMA" ? "SUVlbm" : "SUVbw";
  if (units == "GML" && kind == "IBW") info.unit = "SUVibw";
  if (units == "CM2ML") info.unit = "SUVbsa";
  if (units == "CNTS") return describePhilipsCounts(dataset, info);
  if (units == "PROPCNTS") info.unit = "counts";
  if (units != "BQML") return;
  info.unit = "Bq/mL";
  std::string why;
  if (const auto factor = suvFactor(dataset, earliestTime, why)) {
    info.otherUnits.push_back({"SUVbw", *factor});
  } else {
    info.warnings.push_back("SUV cannot be computed: " + why);
  }
}

void describePhilipsScale(const DicomItem& dataset, ImageInfo& info) {
  constexpr char creator[] = "Philips MR Imaging DD 001";
  const auto add = [&](std::uint8_t element, const char* name) {
    const auto numbers = dataset.numbers(dataset.privateTag(0x2005, creator, element), 1, "FL");
    if (numbers.empty()) return;
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", numbers[0]);
    info.fields.emplace_back(name, text);
  };
  add(0x0E, "Philips scale slope");
  add(0x0D, "Philips scale intercept");
}

}  // namespace

std::vector<DicomFrameValues> frameValuesOf(const DicomDataset& dataset, const DicomPixelFormat& format,
                                            std::int64_t frames) {
  const DicomItem& root = dataset.root();
  const DicomFrameValues shared = valuesOfInstance(root, format);
  const bool grouped = root.has(tag::sharedFunctionalGroups) || root.has(tag::perFrameFunctionalGroups);
  if (!grouped || frames > static_cast<std::int64_t>(DicomHeader::maxFrames)) return {shared};
  std::vector<DicomFrameValues> all;
  for (const DicomFrame& frame : framesOf(root, DicomHeader::maxFrames).frames) {
    DicomFrameValues values = shared;
    if (frame.slope && !format.table) {
      values.zeroSlope = *frame.slope == 0;
      values.slope = values.zeroSlope ? 1 : *frame.slope;
      values.inter = values.zeroSlope ? 0 : frame.inter.value_or(0);
    }
    if (!frame.windows.empty()) values.windows = presetsOf(frame.windows, frame.windowNames);
    if (frame.bValue) values.bValue = frame.bValue;
    if (frame.gradientLps) values.gradientLps = frame.gradientLps;
    values.trace = frame.trace;
    all.push_back(std::move(values));
  }
  if (all.empty()) all.push_back(shared);
  return all;
}

void describeValues(const DicomDataset& dataset, const DicomPixelFormat& format, const std::string& earliestTime,
                    ImageInfo& info) {
  if (format.isColour()) return;
  const DicomItem& root = dataset.root();
  info.unit = unitOf(root, info.modality);
  if (info.modality == "PT") describePet(root, earliestTime, info);
  describePhilipsScale(root, info);
}

std::optional<DiffusionScheme> diffusionScheme(const std::vector<DicomFrameValues>& timePoints) {
  DiffusionScheme scheme;
  scheme.source = "in the image";
  bool weighted = false;
  for (const DicomFrameValues& values : timePoints) {
    if (!values.bValue || !(*values.bValue >= 0 && *values.bValue < 1e6)) return std::nullopt;
    Vec3 direction = values.gradientLps.value_or(Vec3{});
    const double size = length(direction);
    const bool known = size > 0.5 && size < 1.5;
    if (!known && *values.bValue > zeroB && !values.trace) return std::nullopt;
    direction = known ? normalised(direction) : Vec3{};
    if (known) direction = Vec3{0, 0, direction[2]} - Vec3{direction[0], direction[1], 0};  // LPS to RAS, without -0
    weighted = weighted || (known && *values.bValue > 0);
    scheme.bValues.push_back(*values.bValue);
    scheme.directions.push_back(*values.bValue > 0 ? direction : Vec3{});
  }
  return weighted && timePoints.size() > 1 ? std::optional(std::move(scheme)) : std::nullopt;
}

}  // namespace nora
