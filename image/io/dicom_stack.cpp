#include "image/io/dicom_stack.hpp"

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
constexpr double gapTolerance = 0.1;          // of the usual spacing: how exact a multiple a gap has to be
constexpr double maxWorst = 0.5;              // of the usual spacing: a slice further from its place splits a stack
constexpr double secondsADay = 86400;

std::string shortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string counted(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

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

using VolumesByNumber = std::map<std::int64_t, std::vector<std::size_t>>;  // the instances in order of place

/// Volumes by one way of numbering; empty if two instances of one place have the same number or it gives other than
/// `volumes` volumes.
VolumesByNumber volumesBy(int way, const std::vector<DicomHeader>& headers, const Places& places, std::size_t volumes) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const auto& place : places) {
    for (const auto i : place) first = std::min(first, headers[i].instanceNumber);
  }
  VolumesByNumber found;
  for (const auto& place : places) {
    std::set<std::int64_t> seen;
    for (const auto i : place) {
      const auto number = volumeNumber(headers[i], way, first, static_cast<std::int64_t>(places.size()),
                                       static_cast<std::int64_t>(volumes));
      if (!seen.insert(number).second) return {};
      found[number].push_back(i);
    }
  }
  return found.size() == volumes ? found : VolumesByNumber{};
}

/// Places have unequal numbers of instances: keeps whole volumes only, with a warning that names what is left out.
void dropIncomplete(const std::vector<DicomHeader>& headers, Places& places, std::vector<std::string>& warnings) {
  std::size_t fewest = places.front().size(), most = 0;
  for (const auto& place : places) {
    fewest = std::min(fewest, place.size());
    most = std::max(most, place.size());
  }
  if (fewest == most) return;
  for (int way = 0; way < 5; ++way) {
    const auto volumes = volumesBy(way, headers, places, most);
    const auto isWhole = [&](const auto& volume) { return volume.second.size() == places.size(); };
    if (volumes.empty() || std::none_of(volumes.begin(), volumes.end(), isWhole)) continue;
    for (auto& place : places) place.clear();
    std::size_t number = 0;
    for (const auto& volume : volumes) {
      ++number;
      if (isWhole(volume)) {
        for (std::size_t z = 0; z < places.size(); ++z) places[z].push_back(volume.second[z]);
      } else {
        warnings.push_back("volume " + std::to_string(number) + " has " + std::to_string(volume.second.size()) +
                           " of " + counted(places.size(), "slice") + " and is left out");
      }
    }
    return;
  }
  std::size_t dropped = 0;
  for (auto& place : places) {
    dropped += place.size() - fewest;
    place.resize(fewest);
  }
  warnings.push_back("slices have from " + std::to_string(fewest) + " to " + counted(most, "time point") + "; " +
                     counted(dropped, "image") + " beyond the first " + std::to_string(fewest) + " left out");
}

/// Positions along the normal read as slices of one even spacing.
struct Spacing {
  double usual = 0;                 // mm
  double low = 0, high = 0;         // of the steps that are not gaps
  std::vector<std::int64_t> depth;  // z of each position
  std::int64_t missing = 0;         // slices that gaps leave out
  std::size_t firstGap = 0;         // position in front of it
  double worstMm = 0;               // how far a slice lies from where an even spacing puts it
};

Spacing spacingOf(const std::vector<double>& positions) {
  Spacing s;
  s.depth = {0};
  if (positions.size() < 2) return s;
  std::vector<double> steps;
  for (std::size_t i = 1; i < positions.size(); ++i) steps.push_back(positions[i] - positions[i - 1]);
  std::vector<double> sorted = steps;
  std::sort(sorted.begin(), sorted.end());
  s.usual = s.low = s.high = sorted[(sorted.size() - 1) / 2];
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double count = std::round(steps[i] / s.usual);
    const bool gap = count >= 2 && count < 1e6 && std::abs(steps[i] - count * s.usual) <= gapTolerance * s.usual;
    if (gap) {
      if (s.missing == 0) s.firstGap = i;
      s.missing += static_cast<std::int64_t>(count) - 1;
    } else {
      s.low = std::min(s.low, steps[i]);
      s.high = std::max(s.high, steps[i]);
    }
    s.depth.push_back(s.depth.back() + (gap ? static_cast<std::int64_t>(count) : 1));
  }
  const double step = (positions.back() - positions.front()) / static_cast<double>(s.depth.back());
  for (std::size_t i = 0; i < positions.size(); ++i) {
    s.worstMm = std::max(s.worstMm, std::abs(positions[i] - positions[0] - step * static_cast<double>(s.depth[i])));
  }
  return s;
}

/// Warns of gaps and uneven spacing; fills depthOf where slices are missing.
void checkSpacing(const std::vector<double>& positions, DicomStack& stack) {
  Spacing s = spacingOf(positions);
  if (s.high - s.low > std::clamp(0.01 * s.usual, 0.01, 0.05)) {
    stack.warnings.push_back("slice spacing varies from " + shortNumber(s.low) + " to " + shortNumber(s.high) +
                             " mm; slices are shown up to " + shortNumber(s.worstMm) + " mm from their place");
  }
  if (s.missing == 0) return;
  stack.warnings.push_back(counted(static_cast<std::size_t>(s.missing), "slice") + (s.missing == 1 ? " is" : " are") +
                           " missing (first between " + shortNumber(positions[s.firstGap]) + " and " +
                           shortNumber(positions[s.firstGap + 1]) + " mm along the normal); left empty");
  stack.depthOf = std::move(s.depth);
}

std::vector<double> positionsOf(const std::vector<DicomHeader>& headers, const Places& places,
                                const DicomPlane& plane) {
  std::vector<double> positions;
  for (const auto& place : places) positions.push_back(dot(*headers[place.front()].positionLps, plane.normal));
  return positions;
}

/// Warns where a slice lies off the straight line through the first and the last.
void checkLine(const std::vector<Vec3>& origins, DicomStack& stack) {
  const Vec3 step =
      (origins.back() - origins.front()) * (1.0 / static_cast<double>(std::max<std::int64_t>(stack.depth() - 1, 1)));
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
  if (h.pixelSpacing && isSpacing((*h.pixelSpacing)[0]) && isSpacing((*h.pixelSpacing)[1])) return;
  stack.warnings.push_back("the pixel spacing is missing or wrong; 1 mm is taken");
}

void setPixelSteps(const DicomHeader& h, DicomPlane& plane) {
  if (!h.pixelSpacing || !isSpacing((*h.pixelSpacing)[0]) || !isSpacing((*h.pixelSpacing)[1])) return;
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
  const auto isUnit = [](const Vec3& v) { return length(v) > 0.9 && length(v) < 1.1; };
  for (const double p : plane.position) {
    if (!(std::abs(p) < 1e6)) return std::nullopt;
  }
  if (!isUnit(row) || !isUnit(column)) return std::nullopt;
  plane.row = normalised(row);
  plane.column = normalised(column);
  if (std::abs(dot(plane.row, plane.column)) > rightAngleTolerance) return std::nullopt;
  plane.normal = normalised(cross(plane.row, plane.column));
  setPixelSteps(header, plane);
  return plane;
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

Places byPlace(const std::vector<DicomHeader>& headers, const std::vector<std::size_t>& instances,
               const DicomPlane& reference) {
  std::vector<std::pair<double, std::size_t>> sorted;
  for (const auto i : instances) sorted.emplace_back(dot(*headers[i].positionLps, reference.normal), i);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Places places;
  double start = 0;
  for (const auto& [position, i] : sorted) {
    if (places.empty() || position - start > samePlaceMm) {
      places.emplace_back();
      start = position;
    }
    places.back().push_back(i);
  }
  return places;
}

std::vector<std::vector<std::size_t>> splitBySpacing(const std::vector<DicomHeader>& headers,
                                                     const std::vector<std::size_t>& instances) {
  const DicomPlane reference = *planeOf(headers[instances.front()]);
  const Places places = byPlace(headers, instances, reference);
  const auto positions = positionsOf(headers, places, reference);
  const Spacing whole = spacingOf(positions);
  const auto slices = static_cast<std::int64_t>(places.size());
  const bool fillable = whole.missing <= std::max<std::int64_t>(slices / 2, 1);
  if (fillable && whole.worstMm <= maxWorst * whole.usual) return {instances};
  Places runs{places.front()};
  std::size_t start = 0;  // of the run
  for (std::size_t i = 1; i < places.size(); ++i) {
    const double step = positions[i] - positions[i - 1];
    const double usual = i - start > 1 ? positions[start + 1] - positions[start] : whole.usual;
    if (std::abs(step - usual) > gapTolerance * usual) {
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
  dropIncomplete(headers, places, stack.warnings);
  stack.slices = static_cast<std::int64_t>(places.size());
  stack.timePoints = static_cast<std::int64_t>(places.front().size());
  for (std::size_t t = 0; t < places.front().size(); ++t) {
    for (const auto& place : places) stack.instances.push_back(place[t]);
  }
  std::vector<Vec3> origins;
  for (const auto& place : places) origins.push_back(*headers[place.front()].positionLps);
  const DicomHeader& firstHeader = headers[places.front().front()];
  const DicomPlane first = *planeOf(firstHeader);
  if (!firstHeader.note.empty()) stack.warnings.push_back(firstHeader.note);
  warnOfSpacing(firstHeader, stack);
  if (origins.size() == 1) {
    stack.worldFromVoxel = rasAffine(first, first.normal * singleSliceStep(firstHeader));
    return stack;
  }
  checkSpacing(positionsOf(headers, places, reference), stack);
  checkLine(origins, stack);
  const Vec3 step = (origins.back() - origins.front()) * (1.0 / static_cast<double>(stack.depth() - 1));
  stack.worldFromVoxel = rasAffine(first, step);
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
  const bool stated = header.positionLps && header.orientationLps;
  stack.warnings.push_back(std::string(stated ? "the stated position, orientation or spacing cannot be right"
                                              : "no position in space is stated") +
                           ": shown as an axial slice at the origin" +
                           (stated ? ", left and right are not known" : ""));
  if (!header.note.empty()) stack.warnings.push_back(header.note);
  warnOfSpacing(header, stack);
  return stack;
}

}  // namespace nora
