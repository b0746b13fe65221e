#include "image/io/dicom_frames.hpp"

#include "image/io/dicom_stack.hpp"
#include "image/io/dicom_tags.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace nora {
namespace {

constexpr std::int64_t int32Max = std::numeric_limits<std::int32_t>::max();

void readPlane(const DicomItem& group, DicomFrame& frame) {
  const DicomItem place = group.first(tag::planePositionSequence);
  if (const auto position = place.array<3>(tag::imagePosition)) frame.positionLps = position;
  const DicomItem slide = group.first(tag::planePositionSlideSequence);
  const auto column = slide.number(tag::columnPositionInTotalMatrix), row = slide.number(tag::rowPositionInTotalMatrix);
  if (column && row && std::abs(*column) < 1e9 && std::abs(*row) < 1e9) {
    frame.tilePosition = {static_cast<std::int64_t>(*column), static_cast<std::int64_t>(*row)};
  }
  if (const auto volume = group.first(tag::planePositionVolumeSequence).array<3>(tag::imagePositionVolume)) {
    frame.positionLps = volume;
  }
  const DicomItem direction = group.first(tag::planeOrientationSequence);
  if (const auto orientation = direction.array<6>(tag::imageOrientation)) frame.orientationLps = orientation;
  for (const DicomItem* item : {&place, &direction}) {
    if (frame.wrongPlane.empty()) frame.wrongPlane = wrongPlaneOf(*item);
  }
  if (const auto volume = group.first(tag::planeOrientationVolumeSequence).array<6>(tag::imageOrientationVolume)) {
    frame.orientationLps = volume;
  }
  const DicomItem measures = group.first(tag::pixelMeasuresSequence);
  if (measures.has(tag::pixelSpacing)) {
    frame.wrongSpacing = wrongSpacingOf(measures);
    frame.pixelSpacing = measures.array<2>(tag::pixelSpacing);
  }
  if (const auto thickness = measures.number(tag::sliceThickness)) frame.sliceThickness = *thickness;
  if (const auto spacing = measures.number(tag::spacingBetweenSlices)) frame.spacingBetweenSlices = *spacing;
}

void readContent(const DicomItem& group, DicomFrame& frame) {
  const DicomItem content = group.first(tag::frameContentSequence);
  if (content.elements().empty()) return;
  frame.stackId = content.text(tag::stackId);
  frame.inStackPosition = content.integer(tag::inStackPosition, 0, 0, int32Max);
  if (const auto index = content.integer(tag::temporalPositionIndex, -1, 0, int32Max); index >= 0) {
    frame.temporalPosition = index;
  }
  for (const double value : content.numbers(tag::dimensionIndexValues, 64)) {
    frame.dimensionIndices.push_back(static_cast<std::int64_t>(std::clamp(value, 0.0, 4294967295.0)));
  }
  frame.acquisitionTime = timeOfDay(content.text(tag::frameAcquisitionDateTime));
  if (frame.acquisitionTime.empty()) frame.acquisitionTime = timeOfDay(content.text(tag::frameReferenceDateTime));
  frame.acquisitionNumber = content.integer(tag::frameAcquisitionNumber, 0, 0, int32Max);
}

void readTemporal(const DicomItem& group, DicomFrame& frame) {
  if (const auto number = group.first(tag::temporalPositionSequence).number(tag::temporalPositionOffset)) {
    frame.triggerTimeMs = *number * 1000;  // it is in seconds
  }
  const DicomItem cardiac = group.first(tag::cardiacSynchronizationSequence);
  if (const auto delay = cardiac.number(tag::nominalCardiacTriggerDelay)) frame.triggerTimeMs = *delay;
}

void readMr(const DicomItem& group, DicomFrame& frame) {
  const DicomItem echo = group.first(tag::mrEchoSequence);
  if (const auto time = echo.number(tag::effectiveEchoTime)) frame.echoTimeMs = *time;
  const DicomItem diffusion = group.first(tag::mrDiffusionSequence);
  if (diffusion.elements().empty()) return;
  if (const auto b = diffusion.number(tag::diffusionBValue)) frame.bValue = *b;
  frame.trace = diffusion.text(tag::diffusionDirectionality) == "ISOTROPIC";
  const auto direction = diffusion.first(tag::diffusionGradientDirectionSequence).array<3>(tag::diffusionGradient);
  if (direction) frame.gradientLps = direction;
}

std::string frameTypeOf(const DicomItem& group) {
  for (const std::uint32_t sequence : tag::frameTypeSequences) {
    const DicomItem item = group.first(sequence);
    if (item.elements().empty()) continue;
    std::string type = item.text(tag::frameType);
    const std::string component = item.text(tag::complexImageComponent);
    if (!component.empty() && component != "MAGNITUDE" && component != "MIXED") type += "\\" + component;
    return type;
  }
  return {};
}

void readValues(const DicomItem& group, DicomFrame& frame) {
  const DicomItem transformation = group.first(tag::pixelValueTransformationSequence);
  if (const auto slope = transformation.number(tag::rescaleSlope)) {
    frame.slope = slope;
    frame.inter = transformation.number(tag::rescaleIntercept).value_or(0);
    frame.rescaleType = transformation.text(tag::rescaleType);
  }
  const DicomItem voi = group.first(tag::frameVoiLutSequence);
  const auto centres = voi.numbers(tag::windowCenter, 64), widths = voi.numbers(tag::windowWidth, 64);
  if (!centres.empty() && !widths.empty()) {
    frame.windows.clear();
    for (std::size_t i = 0; i < std::min(centres.size(), widths.size()); ++i) {
      frame.windows.push_back({centres[i], widths[i]});
    }
    frame.windowNames = valuesOf(voi.text(tag::windowExplanation));
  }
}

void readReferences(const DicomItem& group, DicomFrame& frame) {
  const DicomItem segment = group.first(tag::segmentIdentificationSequence);
  if (segment.has(tag::referencedSegmentNumber)) {
    frame.segment = segment.integer(tag::referencedSegmentNumber, 0, 0, int32Max);
  }
  DicomItem source = group.first(tag::derivationImageSequence).first(tag::sourceImageSequence);
  if (source.elements().empty()) source = group.first(tag::conversionSourceSequence);
  if (source.elements().empty()) return;
  frame.sourceInstanceUid = source.text(tag::referencedInstanceUid);
  frame.sourceFrame = source.integer(tag::referencedFrameNumber, 0, 0, int32Max);
}

/// Attributes of classic instances that a conversion to multi-frame had no place for.
void readConverted(const DicomItem& group, DicomFrame& frame) {
  for (const std::uint32_t sequence : {tag::sharedConvertedAttributes, tag::frameConvertedAttributes}) {
    const DicomItem item = group.first(sequence);
    if (item.elements().empty()) continue;
    if (const auto echo = item.number(tag::echoTime)) frame.echoTimeMs = echo;
    if (const auto trigger = item.number(tag::triggerTime)) frame.triggerTimeMs = trigger;
    if (const auto position = item.integer(tag::temporalPositionIdentifier, -1, 0, int32Max); position >= 0) {
      frame.temporalPosition = position;
    }
    if (frame.acquisitionTime.empty()) frame.acquisitionTime = item.text(tag::acquisitionTime);
    if (const auto number = item.integer(tag::acquisitionNumber, 0, 0, int32Max); number != 0) {
      frame.acquisitionNumber = number;
    }
  }
}

/// What a group says replaces what `frame` has.
void readGroup(const DicomItem& group, DicomFrame& frame) {
  readPlane(group, frame);
  readContent(group, frame);
  readConverted(group, frame);
  readTemporal(group, frame);
  readMr(group, frame);
  if (std::string type = frameTypeOf(group); !type.empty()) frame.type = std::move(type);
  readValues(group, frame);
  readReferences(group, frame);
}

}  // namespace

std::string wrongPlaneOf(const DicomItem& item) {
  for (const auto& [tag, name, count] :
       {std::tuple{tag::imagePosition, "ImagePositionPatient (0020,0032)", 3U},
        std::tuple{tag::imageOrientation, "ImageOrientationPatient (0020,0037)", 6U}}) {
    const std::string text = item.text(tag);
    if (text.empty() || item.numbers(tag, count).size() == count) continue;
    return std::string(name) + " is \"" + text.substr(0, 100) + "\", not " + std::to_string(count) +
           " numbers: where the image lies is not known; export it again from its source";
  }
  if (const auto position = item.array<3>(tag::imagePosition)) {
    if (auto why = wrongPosition(*position); !why.empty()) return why;
  }
  const auto orientation = item.array<6>(tag::imageOrientation);
  return orientation ? wrongOrientation(*orientation) : std::string();
}

std::string wrongSpacingOf(const DicomItem& item) {
  if (const auto spacing = item.array<2>(tag::pixelSpacing)) return wrongPixelSpacing(*spacing);
  const std::string text = item.text(tag::pixelSpacing);
  if (text.empty()) return {};
  return "PixelSpacing (0028,0030) is \"" + text.substr(0, 100) +
         "\", not 2 numbers: the size of the image is not known";
}

std::string timeOfDay(const std::string& dateTime) {
  if (dateTime.size() <= 8 || dateTime.find('.') == 6) return {};
  return dateTime.substr(8, dateTime.find_first_of("+-", 8) - 8);
}

std::vector<std::string> valuesOf(const std::string& text) {
  std::vector<std::string> values;
  if (text.empty()) return values;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find('\\', at);
    values.push_back(text.substr(at, end == std::string::npos ? end : end - at));
    if (end == std::string::npos) return values;
    at = end + 1;
  }
}

DicomFrames framesOf(const DicomItem& dataset, std::size_t most) {
  DicomFrames result;
  if (!dataset.has(tag::sharedFunctionalGroups) && !dataset.has(tag::perFrameFunctionalGroups)) return result;
  for (const DicomItem& dimension : dataset.items(tag::dimensionIndexSequence, 64)) {
    result.dimensions.push_back({dimension.tagValue(tag::dimensionIndexPointer), dimension.text(tag::dimensionLabel)});
  }
  DicomFrame shared;
  readGroup(dataset.first(tag::sharedFunctionalGroups), shared);
  const auto count = static_cast<std::size_t>(dataset.integer(tag::numberOfFrames, 1, 0, int32Max));
  const auto own = dataset.items(tag::perFrameFunctionalGroups, std::min(count, most) + 1);
  result.moreDescribed = own.size() > count;
  // Without groups of their own frames differ in nothing: no need to repeat them for a lie about their number.
  const std::size_t frames = std::min({count, most, std::max<std::size_t>(own.size(), 65536)});
  result.frames.assign(frames, shared);
  for (std::size_t i = 0; i < std::min(own.size(), frames); ++i) readGroup(own[i], result.frames[i]);
  return result;
}

}  // namespace nora
