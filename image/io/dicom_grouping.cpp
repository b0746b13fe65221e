// groupDicom: from the headers of many instances to stacks that can be shown as one volume each.
#include "image/io/dicom_header.hpp"
#include "image/io/dicom_labels.hpp"
#include "image/io/dicom_stack.hpp"
#include "image/io/dicom_support.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace nora {
namespace {

using Instances = std::vector<std::size_t>;
using Refused = std::vector<std::pair<std::size_t, Error>>;

constexpr double sameAngleRad = 1e-3;
constexpr double sameEchoMs = 0.01;
constexpr double sameSpacing = 1e-3;     // relative
constexpr std::size_t maxStacks = 1000;  // of one series: bounds the work on hostile headers
constexpr double sideBySideMm = 0.5;     // slices of one place whose corners are further apart are different stacks

bool sameDirection(const Vec3& a, const Vec3& b) {
  return length(a - b) <= sameAngleRad;
}

bool sameEcho(const DicomHeader& a, const DicomHeader& b) {
  if (!a.echoTime || !b.echoTime) return a.echoTime.has_value() == b.echoTime.has_value();
  return std::abs(*a.echoTime - *b.echoTime) < sameEchoMs;
}

bool sameStack(const DicomHeader& a, const DicomPlane& pa, const DicomHeader& b, const DicomPlane& pb) {
  const auto near = [](double x, double y) { return std::abs(x - y) <= sameSpacing * std::max(x, y); };
  return a.rows == b.rows && a.columns == b.columns && a.samplesPerPixel == b.samplesPerPixel &&
         a.photometric == b.photometric && a.stackId == b.stackId && sameEcho(a, b) && sameDirection(pa.row, pb.row) &&
         sameDirection(pa.column, pb.column) && near(pa.rowStepMm, pb.rowStepMm) &&
         near(pa.columnStepMm, pb.columnStepMm);
}

Error tooManyStacks() {
  return {ErrorCode::limitExceeded, "the series falls into more than 1000 stacks", {}};
}

/// Drops instances that are there twice: same SOP instance UID, place and number. Returns how many. Bad anonymisers
/// give one UID to all slices, which must all be kept.
std::size_t dropDuplicates(const std::vector<DicomHeader>& headers, Instances& instances) {
  std::set<std::tuple<std::string, std::optional<Vec3>, std::int64_t>> seen;
  const auto isCopy = [&](std::size_t i) {
    const DicomHeader& h = headers[i];
    return !h.sopInstanceUid.empty() && !seen.emplace(h.sopInstanceUid, h.positionLps, h.instanceNumber).second;
  };
  return static_cast<std::size_t>(std::erase_if(instances, isCopy));
}

/// Splits where instances of one place have different image types: then it is more than a remark.
std::vector<Instances> splitByImageType(const std::vector<DicomHeader>& headers, const Instances& instances) {
  std::map<std::string, Instances> types;
  for (const auto i : instances) types[headers[i].imageType].push_back(i);
  if (types.size() == 1) return {instances};
  const auto places = byPlace(headers, instances, *planeOf(headers[instances.front()]));
  const bool overlap = std::any_of(places.begin(), places.end(), [&](const Instances& place) {
    return std::any_of(place.begin(), place.end(),
                       [&](std::size_t i) { return headers[i].imageType != headers[place.front()].imageType; });
  });
  if (!overlap) return {instances};
  std::vector<Instances> parts;
  for (auto& [type, part] : types) parts.push_back(std::move(part));
  return parts;
}

/// Splits where slices of one place lie side by side: several stations or fields of view in one series.
std::vector<Instances> splitSideBySide(const std::vector<DicomHeader>& headers, const Instances& instances,
                                       Refused& refused) {
  const DicomPlane reference = *planeOf(headers[instances.front()]);
  const auto apart = [&](std::size_t a, std::size_t b) {
    const Vec3 d = *headers[a].positionLps - *headers[b].positionLps;
    return std::hypot(dot(d, reference.row), dot(d, reference.column)) > sideBySideMm;
  };
  const auto places = byPlace(headers, instances, reference);
  const bool found = std::any_of(places.begin(), places.end(), [&](const Instances& place) {
    return std::any_of(place.begin(), place.end(), [&](std::size_t i) { return apart(i, place.front()); });
  });
  if (!found) return {instances};
  std::vector<Instances> parts;
  for (const auto i : instances) {
    const auto part =
        std::find_if(parts.begin(), parts.end(), [&](const Instances& p) { return !apart(i, p.front()); });
    if (part != parts.end()) {
      part->push_back(i);
    } else if (parts.size() < maxStacks) {
      parts.push_back({i});
    } else {
      refused.push_back({i, tooManyStacks()});
    }
  }
  return parts;
}

std::string tellSlabs(std::size_t slabs) {
  return "the slices of the series lie so unevenly that one image of all would need too much memory: shown as " +
         std::to_string(slabs) + " images, one for each even spacing";
}

/// Slices to put in order: one for each frame that lies in space.
struct Slices {
  std::vector<DicomHeader> headers;
  std::vector<DicomSlice> sources;
};

Slices slicesOf(const std::vector<DicomHeader>& headers, const Instances& series) {
  Slices slices;
  for (const auto i : series) {
    const DicomHeader& h = headers[i];
    for (std::size_t frame = 0; frame < h.places.size(); ++frame) {
      slices.headers.push_back(headerOfFrame(h, frame));
      slices.sources.push_back({i, frame});
    }
    if (!h.places.empty()) continue;
    slices.headers.push_back(h);
    slices.sources.push_back({i, 0});
  }
  return slices;
}

/// From numbers of slices to frames of instances.
void nameSources(const Slices& slices, const std::vector<DicomHeader>& headers, DicomStack& stack) {
  const Instances numbers = std::move(stack.instances);
  stack.instances.clear();
  std::set<std::size_t> seen;
  for (const auto number : numbers) {
    const DicomSlice& source = slices.sources[number];
    stack.frames.push_back(source);
    if (seen.insert(source.instance).second) stack.instances.push_back(source.instance);
  }
  const DicomHeader& first = headers[stack.instances.front()];
  if (first.places.empty() && first.frames > 1) {  // a cine: its frames are time points
    stack.timePoints = first.frames;
    stack.frames.clear();
    for (std::int64_t t = 0; t < first.frames; ++t) {
      stack.frames.push_back({stack.instances.front(), static_cast<std::size_t>(t)});
    }
  }
  stack.studyUid = first.studyUid;
  stack.seriesUid = first.seriesUid;
  stack.columns = first.columns;
  stack.rows = first.rows;
}

/// Marks stacks whose files hold frames of other stacks.
void markShared(std::vector<DicomStack>& stacks) {
  std::map<std::size_t, int> uses;
  for (const auto& stack : stacks) {
    for (const auto i : stack.instances) ++uses[i];
  }
  for (auto& stack : stacks) {
    stack.single = std::all_of(stack.instances.begin(), stack.instances.end(), [&](auto i) { return uses[i] == 1; });
  }
}

/// A segmentation or structure set: one instance is one image, whatever it holds.
DicomStack overlayStack(const std::vector<DicomHeader>& headers, std::size_t instance) {
  const DicomHeader& h = headers[instance];
  DicomStack stack;
  stack.instances = {instance};
  stack.frames = {{instance, 0}};
  stack.studyUid = h.studyUid;
  stack.seriesUid = h.seriesUid;
  stack.columns = std::max<std::int64_t>(h.columns, 1);
  stack.rows = std::max<std::int64_t>(h.rows, 1);
  std::set<Vec3> places;
  for (const auto& place : h.places) places.insert(place.positionLps.value_or(Vec3{}));
  stack.slices = std::max<std::int64_t>(static_cast<std::int64_t>(places.size()), 1);
  return stack;
}

void sortIntoStacks(const std::vector<DicomHeader>& headers, std::vector<DicomStack>& stacks, Refused& refused) {
  struct Cluster {
    DicomPlane plane;
    std::string component;
    Instances instances;
  };
  std::vector<Cluster> clusters;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto plane = planeOf(headers[i]);
    if (!plane || headers[i].frames > 1) {
      stacks.push_back(plane ? makeStack(headers, {i}) : makeStackWithoutPlace(headers, i));
      continue;
    }
    const std::string what = componentOf(headers[i]);
    const auto cluster = std::find_if(clusters.rbegin(), clusters.rend(), [&](const Cluster& c) {
      return c.component == what && sameStack(headers[c.instances.front()], c.plane, headers[i], *plane);
    });
    if (cluster != clusters.rend()) {
      cluster->instances.push_back(i);
    } else if (clusters.size() < maxStacks) {
      clusters.push_back({*plane, what, {i}});
    } else {
      refused.push_back({i, tooManyStacks()});
    }
  }
  for (const auto& cluster : clusters) {
    for (const auto& part : splitByImageType(headers, cluster.instances)) {
      for (const auto& field : splitSideBySide(headers, part, refused)) {
        const auto slabs = splitBySpacing(headers, field);
        for (const auto& slab : slabs) {
          stacks.push_back(makeStack(headers, slab));
          if (slabs.size() > 1) stacks.back().warnings.push_back(tellSlabs(slabs.size()));
        }
      }
    }
  }
}

/// All stacks of one series. `series` is in order of instance numbers.
std::vector<DicomStack> stacksOf(const std::vector<DicomHeader>& instances, Instances wanted, Refused& refused) {
  const std::size_t copies = dropDuplicates(instances, wanted);
  std::vector<DicomStack> stacks;
  for (const auto i : wanted) {
    if (isDicomOverlay(instances[i])) stacks.push_back(overlayStack(instances, i));
  }
  std::erase_if(wanted, [&](std::size_t i) { return isDicomOverlay(instances[i]); });
  const std::size_t overlays = stacks.size();
  const Slices slices = slicesOf(instances, wanted);
  Refused refusedSlices;
  sortIntoStacks(slices.headers, stacks, refusedSlices);
  for (std::size_t n = overlays; n < stacks.size(); ++n) nameSources(slices, instances, stacks[n]);
  std::set<std::size_t> told;
  for (auto& [number, error] : refusedSlices) {
    const std::size_t i = slices.sources[number].instance;
    if (told.insert(i).second) refused.push_back({i, std::move(error)});
  }
  if (copies > 0 && !stacks.empty()) {
    stacks.front().warnings.push_back(std::to_string(copies) + (copies == 1 ? " copy" : " copies") +
                                      " of instances with the same UID left out");
  }
  for (std::size_t n = 0; n < stacks.size(); ++n) stacks[n].number = static_cast<int>(n);
  markShared(stacks);
  labelStacks(instances, stacks);
  return stacks;
}

}  // namespace

std::string DicomStack::series() const {
  const std::string name = seriesUid + "#" + std::to_string(number);
  return single ? name : name + "@" + std::to_string(frames.front().frame);
}

std::string dicomSeriesKey(const DicomHeader& h) {
  return h.studyUid + '\n' + h.seriesUid + '\n' + h.patientId + '\n' + std::to_string(h.seriesNumber);
}

DicomGrouping groupDicom(const std::vector<DicomHeader>& headers) {
  DicomGrouping grouping;
  // By study, patient (for files without UIDs), series number and UID: an order that does not depend on the input's.
  using SeriesKey = std::tuple<std::string, std::string, std::int64_t, std::string>;
  std::map<SeriesKey, Instances> series;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const DicomHeader& h = headers[i];
    if (auto error = dicomRefusal(h)) {
      grouping.refused.emplace_back(i, std::move(*error));
    } else {
      series[{h.studyUid, h.patientId, h.seriesNumber, h.seriesUid}].push_back(i);
    }
  }
  for (auto& [key, instances] : series) {
    std::stable_sort(instances.begin(), instances.end(), [&](std::size_t a, std::size_t b) {
      return std::tie(headers[a].instanceNumber, headers[a].sopInstanceUid) <
             std::tie(headers[b].instanceNumber, headers[b].sopInstanceUid);
    });
    for (auto& stack : stacksOf(headers, std::move(instances), grouping.refused))
      grouping.stacks.push_back(std::move(stack));
  }
  return grouping;
}

}  // namespace nora
