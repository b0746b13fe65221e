#include "image/io/dicom_stack.hpp"

#include "image/io/dicom_spacing.hpp"
#include "image/io/dicom_text.hpp"
#include "image/io/dicom_times.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <set>
#include <string>

namespace nora {
namespace {

using Places = std::vector<std::vector<std::size_t>>;

constexpr double rightAngleTolerance = 0.02;  // cosine between row and column
constexpr double wideFactor = 0.1;            // of the slice spacing: places of stated time points that near are one
constexpr double slabTolerance = 0.1;         // of a slab's spacing: a step that differs more ends it
constexpr double mostPixelMm = 1000;
constexpr double secondsADay = 86400;
constexpr char askAgain[] = "where the image lies is not known; export it again from its source";

/// What orders the instances of one place in time; compared from left to right, smaller first.
using TimeKey = std::array<double, 7>;

TimeKey timeKeyOf(const DicomHeader& h, bool overMidnight) {
  const auto clock = [&](const std::string& time) {
    const double seconds = secondsOf(time).value_or(0);
    return overMidnight && seconds < secondsADay / 2 ? seconds + secondsADay : seconds;
  };
  return {static_cast<double>(h.temporalPosition.value_or(0)),
          static_cast<double>(h.volume),
          clock(h.acquisitionTime),
          h.triggerTime.value_or(0),
          static_cast<double>(h.acquisitionNumber),
          static_cast<double>(h.instanceNumber),
          clock(h.contentTime)};
}

void sortInTime(const std::vector<DicomHeader>& headers, Places& places) {
  bool early = false, late = false;
  for (const auto& place : places) {
    for (const auto i : place) {
      const auto seconds = secondsOf(headers[i].acquisitionTime);
      early = early || (seconds && *seconds < secondsADay / 6);
      late = late || (seconds && *seconds > secondsADay * 5 / 6);
    }
  }
  const bool overMidnight = early && late;
  for (auto& place : places) {
    std::stable_sort(place.begin(), place.end(), [&](std::size_t a, std::size_t b) {
      const auto ka = timeKeyOf(headers[a], overMidnight), kb = timeKeyOf(headers[b], overMidnight);
      return ka != kb ? ka < kb : headers[a].sopInstanceUid < headers[b].sopInstanceUid;
    });
  }
}

/// Numbers that may name the volume of an instance: temporal position, rank in its object, acquisition, or the instance
/// number counted volume by volume or slice by slice.
std::int64_t volumeNumber(const DicomHeader& h, int way, std::int64_t firstInstance, std::int64_t slices,
                          std::int64_t volumes) {
  switch (way) {
    case 0: return h.temporalPosition.value_or(0);
    case 1: return h.volume;
    case 2: return h.acquisitionNumber;
    case 3: return (h.instanceNumber - firstInstance) / slices;
    default: return (h.instanceNumber - firstInstance) % volumes;
  }
}

constexpr std::size_t noInstance = std::numeric_limits<std::size_t>::max();
using VolumesByNumber = std::map<std::int64_t, std::vector<std::size_t>>;  // the instance of each place, or noInstance

/// Volumes by one way of numbering; empty if two instances of one place have the same number or it gives other than
/// `volumes` volumes.
VolumesByNumber volumesBy(int way, const std::vector<DicomHeader>& headers, const Places& places, std::size_t volumes) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const auto& place : places) {
    for (const auto i : place) first = std::min(first, headers[i].instanceNumber);
  }
  VolumesByNumber found;
  for (std::size_t z = 0; z < places.size(); ++z) {
    for (const auto i : places[z]) {
      const auto number = volumeNumber(headers[i], way, first, static_cast<std::int64_t>(places.size()),
                                       static_cast<std::int64_t>(volumes));
      auto& volume = found.try_emplace(number, places.size(), noInstance).first->second;
      if (volume[z] != noInstance) return {};
      volume[z] = i;
    }
  }
  return found.size() == volumes ? found : VolumesByNumber{};
}

std::size_t slicesThere(const std::vector<std::size_t>& volume) {
  return volume.size() - static_cast<std::size_t>(std::count(volume.begin(), volume.end(), noInstance));
}

/// Puts the volumes into `places`. Lost slices stay empty, so that later volumes keep their times; only a last volume
/// with less than half of its slices is left out: the scan was stopped.
void placeVolumes(const VolumesByNumber& volumes, Places& places, DicomStack& stack) {
  const auto isFragment = [&](const auto& volume) { return 2 * slicesThere(volume) < places.size(); };
  const bool stopped = isFragment(volumes.rbegin()->second);
  for (auto& place : places) place.clear();
  std::size_t number = 0;
  for (const auto& [key, volume] : volumes) {
    ++number;
    const std::size_t there = slicesThere(volume);
    const bool dropped = stopped && number == volumes.size();
    if (there < places.size()) {
      stack.warnings.push_back("volume " + std::to_string(number) + " has " + std::to_string(there) + " of " +
                               counted(places.size(), "slice") +
                               (dropped ? " and is left out" : "; the others are missing and left empty"));
    }
    if (dropped) continue;
    const auto standIn = *std::find_if(volume.begin(), volume.end(), [](auto i) { return i != noInstance; });
    for (std::size_t z = 0; z < places.size(); ++z) {
      stack.absent.push_back(volume[z] == noInstance);
      places[z].push_back(stack.absent.back() ? standIn : volume[z]);
    }
  }
  if (std::find(stack.absent.begin(), stack.absent.end(), true) == stack.absent.end()) stack.absent.clear();
}

/// Places have unequal numbers of instances: finds the volumes that they are of.
void completeVolumes(const std::vector<DicomHeader>& headers, Places& places, DicomStack& stack) {
  std::size_t fewest = places.front().size(), most = 0;
  for (const auto& place : places) {
    fewest = std::min(fewest, place.size());
    most = std::max(most, place.size());
  }
  if (fewest == most) return;
  for (int way = 0; way < 5; ++way) {
    const auto volumes = volumesBy(way, headers, places, most);
    const auto isWhole = [&](const auto& volume) { return slicesThere(volume.second) == places.size(); };
    if (volumes.empty() || std::none_of(volumes.begin(), volumes.end(), isWhole)) continue;
    return placeVolumes(volumes, places, stack);
  }
  std::size_t dropped = 0;
  for (auto& place : places) {
    dropped += place.size() - fewest;
    place.resize(fewest);
  }
  stack.warnings.push_back("slices have from " + std::to_string(fewest) + " to " + counted(most, "time point") + "; " +
                           counted(dropped, "image") + " beyond the first " + std::to_string(fewest) + " left out");
}

template <std::size_t N>
std::string listed(const std::array<double, N>& values) {
  std::string text;
  for (const double v : values) text += (text.empty() ? "" : "\\") + shortNumber(v);
  return text;
}

/// The values of one slice of all time points, and their size as float32.
DicomSliceCost costOf(const DicomHeader& h, std::size_t timePoints) {
  const auto pixels = static_cast<std::uint64_t>(std::max<std::int64_t>(h.rows * h.columns, 1)) * timePoints;
  const auto bits = static_cast<std::uint64_t>(std::max<std::int64_t>(h.bitsAllocated, 8));
  const std::uint64_t stored = pixels * (h.samplesPerPixel >= 3 ? 3 : bits / 8);
  return {stored, h.samplesPerPixel >= 3 ? stored : pixels * 4};
}

std::vector<double> thicknessOf(const std::vector<DicomHeader>& headers, const Places& places) {
  std::vector<double> thickness;
  for (const auto& place : places) thickness.push_back(headers[place.front()].sliceThickness);
  return thickness;
}

std::vector<double> positionsOf(const std::vector<DicomHeader>& headers, const Places& places,
                                const DicomPlane& plane) {
  std::vector<double> positions;
  for (const auto& place : places) positions.push_back(dot(*headers[place.front()].positionLps, plane.normal));
  return positions;
}

/// Instances of one place that differ in nothing that orders them.
void tellDuplicates(const std::vector<DicomHeader>& headers, Places& places, std::vector<std::string>& warnings) {
  Places others;
  std::size_t copies = 0, fewest = places.front().size(), most = 0;
  for (const auto& place : places) {
    others.emplace_back();
    for (const auto i : place) {
      const auto& kept = others.back();
      if (!kept.empty() && timeKeyOf(headers[kept.back()], false) == timeKeyOf(headers[i], false)) {
        ++copies;
      } else {
        others.back().push_back(i);
      }
    }
    fewest = std::min(fewest, place.size());
    most = std::max(most, place.size());
  }
  if (copies == 0) return;
  if (fewest == most) {
    warnings.push_back(counted(copies, "image") + " with the same place, time and number as another: shown as time " +
                       "points, but probably duplicates");
    return;
  }
  const auto differs = [&](const auto& place) { return place.size() != others.front().size(); };
  if (std::any_of(others.begin(), others.end(), differs)) return;
  places = std::move(others);
  warnings.push_back(counted(copies, "duplicate") + " (the same place, time and number as another image) left out");
}

/// The grid that holds all slices; empty if it would be too large.
std::optional<DicomSpacing> gridOfPlaces(const std::vector<DicomHeader>& headers, const Places& places,
                                         const DicomPlane& plane) {
  std::size_t timePoints = 0;
  for (const auto& place : places) timePoints = std::max(timePoints, place.size());
  return gridOf(positionsOf(headers, places, plane), thicknessOf(headers, places),
                costOf(headers[places.front().front()], timePoints));
}

/// Warns where a slice lies off the straight line through the first and the last.
void checkLine(const std::vector<Vec3>& origins, const Vec3& step, DicomStack& stack) {
  const double tolerance = std::max(0.05, 0.05 * length(step));
  const Vec3 along = normalised(step);
  double worst = 0;
  for (const auto& origin : origins) {
    const Vec3 offset = origin - origins.front();
    worst = std::max(worst, length(offset - along * dot(offset, along)));
  }
  if (worst > tolerance) {
    stack.warnings.push_back("slices lie up to " + shortNumber(worst) + " mm beside a straight line");
  }
}

Affine rasAffine(const DicomPlane& first, const Vec3& sliceStep) {
  Affine a;
  a.setColumn(0, first.row * first.rowStepMm);
  a.setColumn(1, first.column * first.columnStepMm);
  a.setColumn(2, sliceStep);
  a.setColumn(3, first.position);
  for (int r = 0; r < 2; ++r) {
    for (int c = 0; c < 4; ++c) a(r, c) = a(r, c) == 0 ? 0 : -a(r, c);  // LPS to RAS, without making -0
  }
  return a;
}

bool isSpacing(double mm) {
  return mm > 1e-6 && mm < 1e6;
}

double singleSliceStep(const DicomHeader& h) {
  if (isSpacing(h.spacingBetweenSlices)) return h.spacingBetweenSlices;
  return isSpacing(h.sliceThickness) ? h.sliceThickness : 1;
}

void warnOfSpacing(const DicomHeader& h, DicomStack& stack) {
  const std::string wrong = h.pixelSpacing ? wrongPixelSpacing(*h.pixelSpacing) : "no pixel spacing is stated";
  if (!wrong.empty()) stack.warnings.push_back(wrong + "; 1 mm is taken");
}

/// What an image without a place lacks, by name.
std::string missingPlace(const DicomHeader& h) {
  constexpr char shown[] = "shown as an axial slice at the origin";
  constexpr char position[] = "ImagePositionPatient (0020,0032)";
  constexpr char orientation[] = "ImageOrientationPatient (0020,0037)";
  if (h.positionLps) return std::string(orientation) + " is missing, only " + position + " is stated: " + shown;
  if (h.orientationLps) return std::string(position) + " is missing, only " + orientation + " is stated: " + shown;
  return std::string("no position in space is stated: ") + shown;
}

/// Instances sorted by position, put together where they are no further than `tolerance` from the first.
Places within(double tolerance, const std::vector<std::pair<double, std::size_t>>& sorted) {
  Places places;
  double start = 0;
  for (const auto& [position, i] : sorted) {
    if (places.empty() || position - start > tolerance) {
      places.emplace_back();
      start = position;
    }
    places.back().push_back(i);
  }
  return places;
}

/// True if every place has each of several stated time points once: then its instances lie at one place, even where the
/// positions differ a little (a table or a correction that moved).
bool isTimeSeries(const std::vector<DicomHeader>& headers, const Places& places) {
  using Key = std::pair<std::int64_t, std::int64_t>;
  std::set<Key> all;
  for (std::size_t n = 0; n < places.size(); ++n) {
    std::set<Key> here;
    for (const auto i : places[n]) {
      const DicomHeader& h = headers[i];
      if (!h.temporalPosition && h.volume == 0) return false;
      if (!here.insert({h.temporalPosition.value_or(0), h.volume}).second) return false;
    }
    if (n == 0) all = here;
    if (here != all) return false;
  }
  return all.size() > 1;
}

void setPixelSteps(const DicomHeader& h, DicomPlane& plane) {
  if (!h.pixelSpacing || !wrongPixelSpacing(*h.pixelSpacing).empty()) return;
  plane.columnStepMm = (*h.pixelSpacing)[0];  // between rows
  plane.rowStepMm = (*h.pixelSpacing)[1];     // between columns
}

}  // namespace

std::optional<DicomPlane> planeOf(const DicomHeader& header) {
  if (!header.positionLps || !header.orientationLps) return std::nullopt;
  const auto& o = *header.orientationLps;
  DicomPlane plane;
  plane.position = *header.positionLps;
  const Vec3 row{o[0], o[1], o[2]}, column{o[3], o[4], o[5]};
  if (!wrongPosition(plane.position).empty() || !wrongOrientation(o).empty()) return std::nullopt;
  plane.row = normalised(row);
  plane.column = normalised(column);
  plane.normal = normalised(cross(plane.row, plane.column));
  setPixelSteps(header, plane);
  return plane;
}

std::string wrongPosition(const Vec3& position) {
  for (const double p : position) {
    if (!(std::abs(p) < 1e6)) {
      return "ImagePositionPatient (0020,0032) is " + listed(position) + ", more than a kilometre away: " + askAgain;
    }
  }
  return {};
}

std::string wrongPixelSpacing(const std::array<double, 2>& spacing) {
  for (const double mm : spacing) {
    if (!(isSpacing(mm) && mm <= mostPixelMm)) {
      return "PixelSpacing (0028,0030) is " + listed(spacing) + ", which cannot be: the size of the image is not known";
    }
  }
  return {};
}

std::string wrongOrientation(const std::array<double, 6>& o) {
  const Vec3 row{o[0], o[1], o[2]}, column{o[3], o[4], o[5]};
  const std::string field = "ImageOrientationPatient (0020,0037) is " + listed(o);
  for (const Vec3& v : {row, column}) {
    if (!(length(v) > 0.9 && length(v) < 1.1)) {
      return field + ": its direction cosines do not have length 1; " + askAgain;
    }
  }
  if (std::abs(dot(normalised(row), normalised(column))) > rightAngleTolerance) {
    return field + ": rows and columns are not at right angles; " + askAgain;
  }
  return {};
}

std::optional<double> secondsOf(const std::string& dicomTime) {
  std::string digits;
  for (const char c : dicomTime) {
    if (c != ':') digits += c;
  }
  if (digits.size() < 2 || digits.size() > 16) return std::nullopt;
  double parts[3] = {0, 0, 0};
  std::size_t at = 0;
  for (double& part : parts) {
    if (at + 2 > digits.size()) break;
    for (std::size_t i = at; i < at + 2; ++i) {
      if (digits[i] < '0' || digits[i] > '9') return std::nullopt;
      part = part * 10 + (digits[i] - '0');
    }
    at += 2;
  }
  double fraction = 0, unit = 0.1;
  for (std::size_t i = at + 1; i < digits.size() && digits[at] == '.'; ++i, unit /= 10) {
    if (digits[i] < '0' || digits[i] > '9') return std::nullopt;
    fraction += (digits[i] - '0') * unit;
  }
  return parts[0] * 3600 + parts[1] * 60 + parts[2] + fraction;
}

double samePlaceOf(const std::optional<std::array<double, 2>>& pixelSpacing, double sliceThickness) {
  constexpr double part = 0.01, most = 0.05;  // of a voxel's side; mm
  double side = HUGE_VAL;
  for (const double mm :
       {pixelSpacing ? (*pixelSpacing)[0] : 0, pixelSpacing ? (*pixelSpacing)[1] : 0, sliceThickness}) {
    if (isSpacing(mm)) side = std::min(side, mm);
  }
  return std::isinf(side) ? part : std::min(part * side, most);
}

Places byPlace(const std::vector<DicomHeader>& headers, const std::vector<std::size_t>& instances,
               const DicomPlane& reference) {
  std::vector<std::pair<double, std::size_t>> sorted;
  double tolerance = HUGE_VAL, wide = HUGE_VAL;
  for (const auto i : instances) {
    const DicomHeader& h = headers[i];
    sorted.emplace_back(dot(*h.positionLps, reference.normal), i);
    tolerance = std::min(tolerance, samePlaceOf(h.pixelSpacing, h.sliceThickness));
    wide = std::min(wide, wideFactor * singleSliceStep(h));
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (wide > tolerance) {
    Places places = within(wide, sorted);
    if (isTimeSeries(headers, places)) return places;
  }
  return within(tolerance, sorted);
}

std::vector<std::vector<std::size_t>> splitBySpacing(const std::vector<DicomHeader>& headers,
                                                     const std::vector<std::size_t>& instances) {
  const DicomPlane reference = *planeOf(headers[instances.front()]);
  const Places places = byPlace(headers, instances, reference);
  if (gridOfPlaces(headers, places, reference)) return {instances};
  const auto positions = positionsOf(headers, places, reference);
  std::vector<double> steps;
  for (std::size_t i = 1; i < positions.size(); ++i) steps.push_back(positions[i] - positions[i - 1]);
  std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>((steps.size() - 1) / 2), steps.end());
  const double median = steps[(steps.size() - 1) / 2];
  Places runs{places.front()};
  std::size_t start = 0;  // of the run
  for (std::size_t i = 1; i < places.size(); ++i) {
    const double step = positions[i] - positions[i - 1];
    const double usual = i - start > 1 ? positions[start + 1] - positions[start] : median;
    if (std::abs(step - usual) > slabTolerance * usual) {
      runs.emplace_back();
      start = i;
    }
    runs.back().insert(runs.back().end(), places[i].begin(), places[i].end());
  }
  return runs;
}

DicomStack makeStack(const std::vector<DicomHeader>& headers, const std::vector<std::size_t>& instances) {
  DicomStack stack;
  const DicomPlane reference = *planeOf(headers[instances.front()]);
  Places places = byPlace(headers, instances, reference);
  sortInTime(headers, places);
  tellDuplicates(headers, places, stack.warnings);
  const Places there = places;
  completeVolumes(headers, places, stack);
  if (auto lost = lostTimePoints(headers, places.front()); !lost.empty()) stack.warnings.push_back(std::move(lost));
  stack.slices = static_cast<std::int64_t>(places.size());
  stack.timePoints = static_cast<std::int64_t>(places.front().size());
  for (std::size_t t = 0; t < places.front().size(); ++t) {
    for (const auto& place : places) stack.instances.push_back(place[t]);
  }
  std::vector<Vec3> origins;
  for (const auto& place : there) origins.push_back(*headers[place.front()].positionLps);
  const DicomHeader& firstHeader = headers[there.front().front()];
  const DicomPlane first = *planeOf(firstHeader);
  if (!firstHeader.note.empty()) stack.warnings.push_back(firstHeader.note);
  warnOfSpacing(firstHeader, stack);
  if (origins.size() == 1) {
    stack.worldFromVoxel = rasAffine(first, first.normal * singleSliceStep(firstHeader));
    return stack;
  }
  const auto positions = positionsOf(headers, there, reference);
  auto spacing = gridOfPlaces(headers, there, reference).value_or(evenSpacing(positions));
  for (auto& warning : spacingWarnings(spacing, positions)) stack.warnings.push_back(std::move(warning));
  const Vec3 along = (origins.back() - origins.front()) * (1.0 / (positions.back() - positions.front()));
  checkLine(origins, along * spacing.stepMm, stack);
  stack.worldFromVoxel = rasAffine(first, along * spacing.stepMm);
  if (spacing.isDense()) return stack;
  stack.depthOf = std::move(spacing.depth);
  stack.bridged = std::move(spacing.bridged);
  return stack;
}

DicomStack makeStackWithoutPlace(const std::vector<DicomHeader>& headers, std::size_t instance) {
  const DicomHeader& header = headers[instance];
  DicomStack stack;
  stack.instances = {instance};
  stack.slices = 1;
  DicomPlane plane;
  plane.row = {1, 0, 0};
  plane.column = {0, 1, 0};
  plane.normal = {0, 0, 1};
  setPixelSteps(header, plane);
  stack.worldFromVoxel = rasAffine(plane, plane.normal * singleSliceStep(header));
  stack.warnings.push_back(missingPlace(header));
  if (!header.note.empty()) stack.warnings.push_back(header.note);
  warnOfSpacing(header, stack);
  return stack;
}

}  // namespace nora
