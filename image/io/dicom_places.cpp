// placeFrames: where the frames of a multi-frame object lie.
#include "image/io/dicom_dataset.hpp"

#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_mosaic.hpp"
#include "image/io/dicom_stack.hpp"
#include "image/io/dicom_tags.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace nora {
namespace {

constexpr std::size_t maxKinds = 1000;               // as groupDicom's stacks
constexpr std::int64_t maxTiledPixels = 64'000'000;  // of a slide put together: what a page can still show
constexpr char microscopy[] = "1.2.840.10008.5.1.4.1.1.77.1.6";
constexpr char askAgain[] = "; export it again from its source";
constexpr char dose[] = "1.2.840.10008.5.1.4.1.1.481.2";

/// Time, cardiac phase, b-value, and what else is counted apart from place: what tells volumes apart.
using VolumeKey = std::vector<double>;

/// True if the dimension counts places: frames of one place always have the same index.
bool countsPlaces(const DicomFrames& groups, std::size_t dimension, const std::vector<double>& depths) {
  const DicomFrame& any = groups.frames.front();
  const double samePlaceMm = samePlaceOf(any.pixelSpacing, any.sliceThickness);
  const std::uint32_t pointer = groups.dimensions[dimension].pointer;
  if (pointer == tag::stackId || pointer == tag::inStackPosition || pointer == tag::imagePosition) return true;
  std::map<std::int64_t, std::int64_t> indexAt;  // place -> index
  for (std::size_t i = 0; i < groups.frames.size(); ++i) {
    const auto& indices = groups.frames[i].dimensionIndices;
    const std::int64_t index = dimension < indices.size() ? indices[dimension] : 0;
    const auto place = static_cast<std::int64_t>(std::llround(depths[i] / samePlaceMm));
    if (!indexAt.emplace(place, index).second && indexAt[place] != index) return false;
  }
  return true;
}

std::vector<double> depthsOf(const DicomFrames& groups) {
  std::vector<double> depths;
  for (const DicomFrame& frame : groups.frames) {
    double depth = 0;
    if (frame.positionLps && frame.orientationLps) {
      const auto& o = *frame.orientationLps;
      depth = dot(*frame.positionLps, cross({o[0], o[1], o[2]}, {o[3], o[4], o[5]}));
    }
    depths.push_back(std::clamp(depth, -1e6, 1e6));
  }
  return depths;
}

/// Ranks from 1 by volume key; all 0 where nothing tells volumes apart.
std::vector<std::int64_t> volumeRanks(const DicomFrames& groups) {
  const auto depths = depthsOf(groups);
  std::vector<std::size_t> dimensions;
  for (std::size_t d = 0; d < groups.dimensions.size(); ++d) {
    if (!countsPlaces(groups, d, depths)) dimensions.push_back(d);
  }
  std::vector<VolumeKey> keys;
  std::map<VolumeKey, std::int64_t> ranks;
  for (const DicomFrame& frame : groups.frames) {
    VolumeKey key{static_cast<double>(frame.temporalPosition.value_or(0))};
    for (const std::size_t d : dimensions) {
      key.push_back(d < frame.dimensionIndices.size() ? static_cast<double>(frame.dimensionIndices[d]) : 0);
    }
    key.push_back(frame.triggerTimeMs.value_or(0));
    key.push_back(frame.bValue.value_or(0));
    ranks[key] = 0;
    keys.push_back(std::move(key));
  }
  std::int64_t next = 0;
  for (auto& [key, rank] : ranks) rank = ++next;
  std::vector<std::int64_t> result;
  for (const auto& key : keys) result.push_back(ranks.size() > 1 ? ranks[key] : 0);
  return result;
}

bool setKind(const DicomFrame& frame, const DicomHeader& instance, std::vector<DicomFrameKind>& kinds,
             std::size_t& kind) {
  DicomFrameKind wanted{frame.orientationLps ? frame.orientationLps : instance.orientationLps,
                        frame.pixelSpacing ? frame.pixelSpacing : instance.pixelSpacing,
                        frame.sliceThickness > 0 ? frame.sliceThickness : instance.sliceThickness,
                        frame.spacingBetweenSlices > 0 ? frame.spacingBetweenSlices : instance.spacingBetweenSlices,
                        frame.echoTimeMs ? frame.echoTimeMs : instance.echoTime,
                        frame.type.empty() ? instance.imageType : frame.type,
                        frame.stackId};
  const auto found = std::find(kinds.rbegin(), kinds.rend(), wanted);
  if (found != kinds.rend()) {
    kind = static_cast<std::size_t>(kinds.rend() - found) - 1;
    return true;
  }
  if (kinds.size() == maxKinds) return false;
  kind = kinds.size();
  kinds.push_back(std::move(wanted));
  return true;
}

/// An image that says where it lies must not be shown in a wrong size.
void takeWrongSpacing(const std::string& wrong, bool hasPlace, DicomHeader& header) {
  if (wrong.empty()) return;
  if (hasPlace) {
    header.damage = wrong + askAgain;
  } else {
    header.note = wrong;
  }
}

void placeByGroups(const DicomFrames& groups, DicomHeader& header) {
  const auto hasPlace = [](const DicomFrame& f) { return f.positionLps.has_value(); };
  const auto placed = std::count_if(groups.frames.begin(), groups.frames.end(), hasPlace);
  for (const DicomFrame& frame : groups.frames) {
    if (header.damage.empty()) header.damage = frame.wrongPlane;
  }
  const auto wrong =
      std::find_if(groups.frames.begin(), groups.frames.end(), [](const auto& f) { return !f.wrongSpacing.empty(); });
  if (wrong != groups.frames.end()) takeWrongSpacing(wrong->wrongSpacing, placed > 0, header);
  if (placed == 0 || !header.damage.empty()) return;
  if (placed != header.frames) {
    header.unsupported = std::to_string(header.frames - placed) + " of " + std::to_string(header.frames) +
                         " frames do not say where they lie";
    return;
  }
  const auto ranks = volumeRanks(groups);
  for (std::size_t i = 0; i < groups.frames.size(); ++i) {
    const DicomFrame& frame = groups.frames[i];
    DicomFramePlace place;
    if (!setKind(frame, header, header.kinds, place.kind)) {
      header.unsupported = "the frames have more than 1000 different orientations, echoes or types";
      header.places.clear();
      return;
    }
    place.positionLps = frame.positionLps;
    place.temporalPosition = frame.temporalPosition.value_or(header.temporalPosition.value_or(0));
    place.volume = ranks[i];
    place.acquisitionTime = frame.acquisitionTime.empty() ? header.acquisitionTime : frame.acquisitionTime;
    header.places.push_back(std::move(place));
  }
}

/// Frames at `offsets` along the normal of the instance's plane.
void placeByOffsets(const std::vector<double>& offsets, const std::vector<std::int64_t>& volumes, DicomHeader& header) {
  const auto plane = planeOf(header);
  if (!plane) return;
  header.kinds = {{header.orientationLps, header.pixelSpacing, header.sliceThickness, header.spacingBetweenSlices,
                   header.echoTime, header.imageType, ""}};
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    header.places.push_back(
        {0, plane->position + plane->normal * offsets[i], 0, volumes.empty() ? 0 : volumes[i], header.acquisitionTime});
  }
}

void placeDose(const DicomItem& dataset, DicomHeader& header) {
  auto offsets = dataset.numbers(tag::gridFrameOffsetVector, DicomHeader::maxFrames);
  if (static_cast<std::int64_t>(offsets.size()) != header.frames) {
    header.unsupported = "radiotherapy dose whose frames do not say where they lie";
    return;
  }
  // PS3.3 C.8.8.3.2: relative to the first, or (where the first is not 0) coordinates along the patient's axis.
  const double first = offsets.front();
  for (double& offset : offsets) offset -= first;
  placeByOffsets(offsets, {}, header);
}

/// Reconstructed slices of nuclear medicine, with the slice vector where they have several time slots or phases.
void placeNuclear(const DicomItem& dataset, DicomHeader& header) {
  const DicomItem detector = dataset.first(tag::detectorInformationSequence);
  if (!header.positionLps) header.positionLps = detector.array<3>(tag::imagePosition);
  if (!header.orientationLps) header.orientationLps = detector.array<6>(tag::imageOrientation);
  const bool reconstructed = header.imageType.find("RECON") != std::string::npos;
  double step = header.spacingBetweenSlices;  // C.8.4.15: its sign tells the direction
  if (step == 0) step = header.sliceThickness;
  if (!reconstructed || step == 0) return;
  const auto frames = static_cast<std::size_t>(header.frames);
  const auto slices = dataset.numbers(tag::sliceVector, DicomHeader::maxFrames);
  std::vector<double> offsets;
  std::vector<std::int64_t> volumes;
  std::map<double, std::int64_t> seen;
  for (std::size_t i = 0; i < frames; ++i) {
    const double slice = slices.size() == frames ? slices[i] - 1 : static_cast<double>(i);
    offsets.push_back(slice * step);
    volumes.push_back(++seen[slice]);
  }
  if (seen.size() == frames) volumes.clear();
  placeByOffsets(offsets, volumes, header);
}

/// A volume that lost its positions: slices one after another, as the order of the frames and the spacing have it.
void placeVolumeWithoutPositions(DicomHeader& header) {
  DicomHeader assumed = header;
  assumed.positionLps = Vec3{0, 0, 0};
  assumed.orientationLps = std::array<double, 6>{1, 0, 0, 0, 1, 0};
  const bool sized = header.pixelSpacing && wrongPixelSpacing(*header.pixelSpacing).empty();
  if (!sized) assumed.pixelSpacing = {1, 1};
  const double step = header.spacingBetweenSlices > 0 ? header.spacingBetweenSlices : header.sliceThickness;
  std::vector<double> offsets;
  for (std::int64_t i = 0; i < header.frames; ++i) offsets.push_back(static_cast<double>(i) * (step > 0 ? step : 1));
  placeByOffsets(offsets, {}, assumed);
  header.kinds = std::move(assumed.kinds);
  header.places = std::move(assumed.places);
  header.note = "no position in space is stated: shown as axial slices at the origin";
  if (!sized) header.note += "; the pixel spacing is missing or wrong, too: 1 mm is taken";
}

void placeTiles(const DicomItem& dataset, const DicomFrames& groups, DicomHeader& header) {
  const std::int64_t columns = dataset.integer(tag::totalMatrixColumns, 0, 0, 65535);
  const std::int64_t rows = dataset.integer(tag::totalMatrixRows, 0, 0, 65535);
  const bool full = dataset.text(tag::dimensionOrganizationType) == "TILED_FULL";
  const auto hasTile = [](const DicomFrame& f) { return f.tilePosition.has_value(); };
  const bool sparse = static_cast<std::int64_t>(groups.frames.size()) == header.frames &&
                      std::all_of(groups.frames.begin(), groups.frames.end(), hasTile);
  const auto refuse = [&](const std::string& why) { header.unsupported = "whole-slide microscopy " + why; };
  if (dataset.integer(tag::numberOfOpticalPaths, 1, 0, 65535) > 1 ||
      dataset.integer(tag::numberOfFocalPlanes, 1, 0, 65535) > 1) {
    return refuse("with several optical paths or focal planes is not read");
  }
  if (!full && !sparse) return refuse("whose tiles do not say where they lie");
  if (columns < 1 || rows < 1) return refuse("without the size of its whole matrix");
  if (columns * rows > maxTiledPixels) {
    return refuse("of " + std::to_string(columns) + " x " + std::to_string(rows) +
                  " pixels is too large to be shown as one image; open a smaller level of the slide");
  }
  const std::int64_t across = (columns + header.columns - 1) / header.columns;
  const std::int64_t down = (rows + header.rows - 1) / header.rows;
  if (full && across * down != header.frames) return refuse("whose number of tiles does not fit its size");
  header.tiled = true;
  header.columns = columns;
  header.rows = rows;
  header.frames = 1;
  header.note = "the slide's own coordinates are not used: shown as an axial slice at the origin";
}

/// Of the detector, or of the regions of an ultrasound image, where the patient's is not stated.
void findSpacing(const DicomItem& dataset, const DicomFrames& groups, DicomHeader& header) {
  if (header.pixelSpacing) return;
  if (!groups.frames.empty()) header.pixelSpacing = groups.frames.front().pixelSpacing;
  if (header.pixelSpacing) return;
  for (const std::uint32_t tag : {tag::imagerPixelSpacing, tag::nominalScannedPixelSpacing}) {
    const auto spacing = dataset.array<2>(tag);
    if (!spacing || !wrongPixelSpacing(*spacing).empty()) continue;
    header.pixelSpacing = spacing;
    header.note = "the pixel spacing is that of the detector, not in the patient";
    return;
  }
  constexpr double centimetres = 3;  // PS3.3 C.8.5.5.1.15
  for (const DicomItem& region : dataset.items(tag::ultrasoundRegions, 64)) {
    const auto x = region.number(tag::physicalDeltaX), y = region.number(tag::physicalDeltaY);
    if (!x || !y || *x == 0 || *y == 0 || region.integer(tag::regionSpatialFormat, 0, 0, 65535) != 1 ||
        region.number(tag::physicalUnitsX) != centimetres || region.number(tag::physicalUnitsY) != centimetres) {
      continue;
    }
    const std::array<double, 2> spacing{std::abs(*y) * 10, std::abs(*x) * 10};
    if (header.pixelSpacing && *header.pixelSpacing != spacing) {
      header.note = "several ultrasound regions have different pixel spacings; the first one's is taken";
    }
    if (!header.pixelSpacing) header.pixelSpacing = spacing;
  }
}

void findFrameTime(const DicomItem& dataset, DicomHeader& header) {
  const auto vector = dataset.numbers(tag::frameTimeVector);
  if (const auto time = dataset.number(tag::frameTime)) {
    header.frameTimeMs = *time;
  } else if (vector.size() > 1) {
    double sum = 0;
    for (const double step : vector) sum += step;
    header.frameTimeMs = sum / static_cast<double>(vector.size() - 1);  // the first is 0
  } else {
    for (const std::uint32_t tag : {tag::cineRate, tag::recommendedFrameRate}) {
      const auto rate = dataset.number(tag);
      if (rate && *rate > 0 && header.frameTimeMs == 0) header.frameTimeMs = 1000 / *rate;
    }
  }
  if (!(header.frameTimeMs > 0 && header.frameTimeMs < 1e7)) header.frameTimeMs = 0;
}

/// Reads no frame whose bytes are not there, nor pixels that cannot be shown right.
void checkPixels(const DicomDataset& dataset, DicomHeader& header) {
  const DicomLayout& layout = dataset.layout();
  const DicomPixelFormat format = dataset.pixelFormat();
  const auto& pixels = *layout.pixels;
  if (!pixels.encapsulated || format.samples == 1) {
    if (const auto good = checkPixelFormat(format, ""); !good) {
      (good.error().code == ErrorCode::invalidInput ? header.damage : header.unsupported) = good.error().what;
      return;
    }
  }
  const auto wanted = storedBytes(format, static_cast<std::size_t>(header.frames));
  const bool whole = pixels.encapsulated ? pixels.size == pixels.claimed
                                         : !layout.inflated.empty() || (wanted && pixels.size >= *wanted);
  if (whole) return;
  header.damage =
      "the pixel data is cut off: " + std::to_string(pixels.size) + " bytes are there, " +
      (pixels.encapsulated ? std::string("its end is missing") : std::to_string(wanted.value_or(0)) + " are needed") +
      "; copy the file again";
}

}  // namespace

void placeFrames(const DicomDataset& dataset, DicomHeader& header) {
  const DicomItem& root = dataset.root();
  checkPixels(dataset, header);
  if (header.frames < 1) header.damage = "the number of frames is 0";
  const bool grouped = root.has(tag::perFrameFunctionalGroups) || root.has(tag::sharedFunctionalGroups);
  if (grouped && header.frames > static_cast<std::int64_t>(DicomHeader::maxFrames)) {
    header.unsupported = "more than 65536 frames in one file are not read";
  }
  if (!header.damage.empty() || !header.unsupported.empty()) return;
  if (!header.pixelSpacing) takeWrongSpacing(wrongSpacingOf(root), header.positionLps || header.orientationLps, header);
  if (!header.damage.empty()) return;
  const DicomFrames groups = grouped ? framesOf(root, DicomHeader::maxFrames) : DicomFrames{};
  if (groups.moreDescribed) {
    header.damage = "NumberOfFrames (0028,0008) is " + std::to_string(header.frames) +
                    ", but more frames are described (5200,9230)" + askAgain;
    return;
  }
  findSpacing(root, groups, header);
  findFrameTime(root, header);
  if (header.mosaic) return placeMosaicTiles(root, header);
  if (header.sopClassUid == microscopy) {
    const bool wholeSlide =
        header.frames == 1 && root.integer(tag::totalMatrixColumns, 0, 0, std::int64_t{1} << 32) <= header.columns;
    if (!wholeSlide) placeTiles(root, groups, header);
    return;
  }
  if (grouped) placeByGroups(groups, header);
  if (!header.places.empty() || header.frames == 1 || !header.unsupported.empty()) return;
  if (header.frames > static_cast<std::int64_t>(DicomHeader::maxFrames)) return;
  if (header.sopClassUid == dose) return placeDose(root, header);
  if (header.modality == "NM" || header.modality == "PT") placeNuclear(root, header);
  if (!header.places.empty()) return;
  const std::string properties = root.text(tag::volumetricProperties);
  if (properties == "VOLUME" || properties == "SAMPLED") placeVolumeWithoutPositions(header);
}

}  // namespace nora
