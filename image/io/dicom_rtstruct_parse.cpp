// The content of a structure set: which ROIs, which contours, which images.
#include "image/io/dicom_rtstruct_parse.hpp"

#include "image/io/dicom_dataset.hpp"
#include "image/io/dicom_tags.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace nora {
namespace {

// DICOM PS3.6, group 3006: radiotherapy structure sets.
constexpr std::uint32_t structureSetLabel = 0x30060002;
constexpr std::uint32_t referencedFrames = 0x30060010, referencedStudies = 0x30060012, referencedSeries = 0x30060014;
constexpr std::uint32_t contourImages = 0x30060016;
constexpr std::uint32_t structureSetRois = 0x30060020, roiNumber = 0x30060022, roiName = 0x30060026;
constexpr std::uint32_t roiDescription = 0x30060028, displayColour = 0x3006002A, generationAlgorithm = 0x30060036;
constexpr std::uint32_t roiContours = 0x30060039, contours = 0x30060040, geometricType = 0x30060042;
constexpr std::uint32_t contourData = 0x30060050, observations = 0x30060080, referencedRoi = 0x30060084;
constexpr std::uint32_t interpretedType = 0x300600A4;

constexpr std::size_t maxRois = 10000;

/// A whole number.
std::optional<std::int64_t> wholeNumber(const DicomItem& item, std::uint32_t tag, std::size_t index = 0) {
  const auto value = item.number(tag, index);
  constexpr double limit = std::numeric_limits<std::int32_t>::max();
  if (!value || std::abs(*value) > limit || *value != std::floor(*value)) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

/// Points of one contour; empty unless it is three finite numbers a point.
std::vector<Vec3> pointsOf(const DicomItem& contour) {
  const std::string_view text = contour.raw(contourData);
  const auto stated = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\\')) + 1;
  const auto numbers = contour.numbers(contourData, stated);
  if (numbers.size() != stated || numbers.size() % 3 != 0) return {};
  std::vector<Vec3> points;
  points.reserve(numbers.size() / 3);
  for (std::size_t i = 0; i < numbers.size(); i += 3) points.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
  if (points.size() > 1 && points.front() == points.back()) points.pop_back();  // closed twice
  return points;
}

void readContours(const DicomItem& item, RtRoi& roi) {
  for (const DicomItem& contour : item.items(contours)) {
    const std::string type = contour.text(geometricType);
    if (type == "POINT") {
      ++roi.points;
    } else if (type == "CLOSED_PLANAR" || type == "CLOSEDPLANAR_XOR") {
      RtContour closed{pointsOf(contour)};
      if (closed.points.size() < 3) {
        ++roi.damaged;
      } else {
        roi.contours.push_back(std::move(closed));
      }
    } else {
      ++roi.open;
    }
  }
}

std::optional<std::array<std::uint8_t, 3>> colourOf(const DicomItem& item) {
  std::array<std::uint8_t, 3> colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    const auto value = wholeNumber(item, displayColour, c);
    if (!value || *value < 0 || *value > 255) return std::nullopt;
    colour[c] = static_cast<std::uint8_t>(*value);
  }
  return colour;
}

/// The series with the most images, if several are named.
void readSource(const DicomItem& root, RtStructureSet& set) {
  for (const DicomItem& frame : root.items(referencedFrames)) {
    for (const DicomItem& study : frame.items(referencedStudies)) {
      for (const DicomItem& series : study.items(referencedSeries)) {
        const std::size_t images = series.items(contourImages).size();
        const bool isFirst = set.sourceSeriesUid.empty();
        if (!isFirst) set.hasOtherSources = true;
        if (!isFirst && images <= set.sourceImages) continue;
        set.sourceSeriesUid = series.text(tag::seriesUid);
        set.sourceImages = images;
      }
    }
  }
}

}  // namespace

std::string rtLabel(const DicomItem& root) {
  return DicomCharacters(root.text(tag::specificCharacterSet)).utf8(root.raw(structureSetLabel));
}

std::string rtSourceSeriesUid(const DicomItem& root) {
  RtStructureSet set;
  readSource(root, set);
  return set.sourceSeriesUid;
}

Result<RtStructureSet> parseStructureSet(const DicomItem& root, const std::string& name) {
  RtStructureSet set;
  const DicomCharacters characters(root.text(tag::specificCharacterSet));
  const auto localised = [&](const DicomItem& item, std::uint32_t tag) { return characters.utf8(item.raw(tag)); };
  set.label = rtLabel(root);
  readSource(root, set);
  std::map<std::int64_t, std::size_t> byNumber;
  const auto roiOf = [&](const DicomItem& item, std::uint32_t tag) -> RtRoi* {
    const auto number = wholeNumber(item, tag);
    const auto found = number ? byNumber.find(*number) : byNumber.end();
    return found == byNumber.end() ? nullptr : &set.rois[found->second];
  };
  for (const DicomItem& item : root.items(structureSetRois)) {
    const auto number = wholeNumber(item, roiNumber);
    if (!number || !byNumber.emplace(*number, set.rois.size()).second) {
      set.warnings.push_back("a ROI without a number of its own is left out: " + localised(item, roiName));
      continue;
    }
    if (set.rois.size() == maxRois) return fail(ErrorCode::limitExceeded, "more than 10000 ROIs", name);
    RtRoi roi;
    roi.number = *number;
    roi.name = localised(item, roiName);
    roi.description = localised(item, roiDescription);
    roi.algorithm = item.text(generationAlgorithm);
    set.rois.push_back(std::move(roi));
  }
  std::size_t strays = 0;
  for (const DicomItem& item : root.items(roiContours)) {
    RtRoi* roi = roiOf(item, referencedRoi);
    strays += roi == nullptr ? item.items(contours).size() : 0;
    if (roi == nullptr) continue;
    if (!roi->colour) roi->colour = colourOf(item);
    readContours(item, *roi);
  }
  if (strays > 0) set.warnings.push_back(std::to_string(strays) + " contours belong to no ROI and are left out");
  for (const DicomItem& item : root.items(observations)) {
    RtRoi* roi = roiOf(item, referencedRoi);
    if (roi != nullptr && roi->interpretedType.empty()) roi->interpretedType = item.text(interpretedType);
  }
  return set;
}

}  // namespace nora
