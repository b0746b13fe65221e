// groupDicom: from the headers of many instances to stacks that can be shown as one volume each.
#include "image/io/dicom_header.hpp"
#include "image/io/dicom_stack.hpp"

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

struct Named {
  const char* prefix;  // of a UID
  const char* what;
};

constexpr Named notImages[] = {
    {"1.2.840.10008.5.1.4.1.1.88.", "structured report: not an image"},
    {"1.2.840.10008.5.1.4.1.1.66.4", "DICOM SEG is not read yet"},
    {"1.2.840.10008.5.1.4.1.1.66.7", "DICOM SEG is not read yet"},
    {"1.2.840.10008.5.1.4.1.1.66.5", "DICOM surface segmentation is not read yet"},
    {"1.2.840.10008.5.1.4.1.1.66.6", "DICOM tractography is not read yet"},
    {"1.2.840.10008.5.1.4.1.1.66", "registration, fiducials or raw data: not an image"},
    {"1.2.840.10008.5.1.4.1.1.67", "real world value mapping: not an image"},
    {"1.2.840.10008.5.1.4.1.1.11.", "presentation state: not an image"},
    {"1.2.840.10008.5.1.4.1.1.9.", "waveform: not an image"},
    {"1.2.840.10008.5.1.4.1.1.104.", "encapsulated document: not an image"},
    {"1.2.840.10008.5.1.4.1.1.481.2", "radiotherapy dose is not read yet"},
    {"1.2.840.10008.5.1.4.1.1.481.3", "radiotherapy structure set is not read yet"},
    {"1.2.840.10008.5.1.4.1.1.481.1", ""},  // RT image: an image
    {"1.2.840.10008.5.1.4.1.1.481.", "radiotherapy plan or record: not an image"},
    {"1.2.840.10008.1.3.10", "DICOMDIR: a directory, not an image"},
};

constexpr const char* readableSyntaxes[] = {
    "1.2.840.10008.1.2",      "1.2.840.10008.1.2.1",    "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"};

constexpr Named otherSyntaxes[] = {{"1.2.840.10008.1.2.4.9", "JPEG 2000"},    {"1.2.840.10008.1.2.4.20", "HTJ2K"},
                                   {"1.2.840.10008.1.2.4.107", "HEVC video"}, {"1.2.840.10008.1.2.4.108", "HEVC video"},
                                   {"1.2.840.10008.1.2.4.10", "MPEG video"},  {"1.2.840.10008.1.2.4.5", "retired JPEG"},
                                   {"1.2.840.10008.1.2.4.6", "retired JPEG"}, {"", "unknown"}};

std::string unsupportedSyntax(const std::string& uid) {
  for (const char* known : readableSyntaxes) {
    if (uid == known) return {};
  }
  for (const auto& syntax : otherSyntaxes) {
    if (uid.starts_with(syntax.prefix)) return std::string(syntax.what) + " (transfer syntax " + uid + ")";
  }
  return uid;
}

/// Why an instance cannot be shown; empty if it can.
std::optional<Error> refusal(const DicomHeader& h) {
  const auto unsupported = [](std::string what) { return Error{ErrorCode::unsupported, std::move(what), {}}; };
  for (const auto& kind : notImages) {
    if (!h.sopClassUid.starts_with(kind.prefix)) continue;
    if (*kind.what != '\0') return unsupported(kind.what);
    break;
  }
  if (!h.hasPixels) return unsupported("no pixel data: not an image");
  if (h.mosaic) return unsupported("Siemens mosaic images are not read yet");
  if (h.sopClassUid.starts_with("1.2.840.10008.5.1.4.1.1.77.1.6")) {
    return unsupported("whole-slide microscopy is not read yet");
  }
  if (h.frames != 1) return unsupported("multi-frame DICOM (" + std::to_string(h.frames) + " frames) is not read yet");
  if (const auto syntax = unsupportedSyntax(h.transferSyntaxUid); !syntax.empty()) {
    return unsupported("pixel data compressed as " + syntax + " is not read yet");
  }
  return std::nullopt;
}

/// Magnitude, phase, real or imaginary, from the third value of ImageType on; empty if it is not said.
std::string component(const DicomHeader& h) {
  static const std::map<std::string, std::string> names = {
      {"M", "magnitude"},         {"P", "phase"},         {"R", "real"},
      {"I", "imaginary"},         {"PHASE", "phase"},     {"REAL", "real"},
      {"IMAGINARY", "imaginary"}, {"PHASE MAP", "phase"}, {"M_FFE", "magnitude"},
      {"P_FFE", "phase"},         {"R_FFE", "real"},      {"I_FFE", "imaginary"}};
  std::size_t at = 0;
  for (int value = 0; at != std::string::npos; ++value) {
    const std::size_t end = h.imageType.find('\\', at);
    if (value >= 2) {
      const auto found = names.find(h.imageType.substr(at, end == std::string::npos ? end : end - at));
      if (found != names.end()) return found->second;
    }
    at = end == std::string::npos ? end : end + 1;
  }
  return {};
}

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
         a.photometric == b.photometric && sameEcho(a, b) && sameDirection(pa.row, pb.row) &&
         sameDirection(pa.column, pb.column) && near(pa.rowStepMm, pb.rowStepMm) &&
         near(pa.columnStepMm, pb.columnStepMm);
}

Error tooManyStacks() {
  return {ErrorCode::limitExceeded, "the series falls into more than 1000 stacks", {}};
}

/// Drops instances that are there twice (same SOP instance UID); returns how many.
std::size_t dropDuplicates(const std::vector<DicomHeader>& headers, Instances& instances) {
  std::set<std::string> seen;
  const auto isCopy = [&](std::size_t i) {
    return !headers[i].sopInstanceUid.empty() && !seen.insert(headers[i].sopInstanceUid).second;
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

std::string planeName(const DicomPlane& plane) {
  const Vec3 n{std::abs(plane.normal[0]), std::abs(plane.normal[1]), std::abs(plane.normal[2])};
  if (n[2] >= n[0] && n[2] >= n[1]) return "axial";
  return n[1] >= n[0] ? "coronal" : "sagittal";
}

/// Names each stack of a series by what tells it from the others.
void labelStacks(const std::vector<DicomHeader>& headers, std::vector<DicomStack>& stacks) {
  std::set<double> echoes;
  std::set<std::string> components, planes;
  std::set<std::pair<std::int64_t, std::int64_t>> sizes;
  const auto headOf = [&](const DicomStack& s) -> const DicomHeader& { return headers[s.instances.front()]; };
  const auto planeOfStack = [&](const DicomStack& s) {
    const auto plane = planeOf(headOf(s));
    return plane ? planeName(*plane) : std::string();
  };
  for (const auto& stack : stacks) {
    const auto& h = headOf(stack);
    if (h.echoTime) echoes.insert(*h.echoTime);
    components.insert(component(h));
    planes.insert(planeOfStack(stack));
    sizes.insert({h.columns, h.rows});
  }
  std::map<std::string, int> used;
  for (auto& stack : stacks) {
    const auto& h = headOf(stack);
    std::string differences;
    const auto add = [&](const std::string& text) {
      if (!text.empty()) differences += (differences.empty() ? "" : ", ") + text;
    };
    if (echoes.size() > 1 && h.echoTime)
      add("echo " + std::to_string(std::distance(echoes.begin(), echoes.find(*h.echoTime)) + 1));
    if (components.size() > 1) add(component(h));
    if (planes.size() > 1) add(planeOfStack(stack));
    if (sizes.size() > 1) add(std::to_string(h.columns) + "x" + std::to_string(h.rows));
    std::string name = !h.seriesDescription.empty() ? h.seriesDescription : "series " + std::to_string(h.seriesNumber);
    if (!differences.empty()) name += " (" + differences + ")";
    const int copy = ++used[name];
    stack.label = copy == 1 ? name : name + " #" + std::to_string(copy);
  }
}

/// All stacks of one series. `series` is in order of instance numbers.
std::vector<DicomStack> stacksOf(const std::vector<DicomHeader>& headers, Instances series, Refused& refused) {
  struct Cluster {
    DicomPlane plane;
    std::string component;
    Instances instances;
  };
  const std::size_t copies = dropDuplicates(headers, series);
  std::vector<Cluster> clusters;
  std::vector<DicomStack> stacks;
  for (const auto i : series) {
    const auto plane = planeOf(headers[i]);
    if (!plane) {
      stacks.push_back(makeStackWithoutPlace(headers, i));
      continue;
    }
    const std::string what = component(headers[i]);
    const auto cluster = std::find_if(clusters.begin(), clusters.end(), [&](const Cluster& c) {
      return c.component == what && sameStack(headers[c.instances.front()], c.plane, headers[i], *plane);
    });
    if (cluster != clusters.end()) {
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
        for (const auto& slab : splitBySpacing(headers, field)) stacks.push_back(makeStack(headers, slab));
      }
    }
  }
  if (copies > 0 && !stacks.empty()) {
    stacks.front().warnings.push_back(std::to_string(copies) + (copies == 1 ? " copy" : " copies") +
                                      " of instances with the same UID left out");
  }
  for (std::size_t n = 0; n < stacks.size(); ++n) {
    const DicomHeader& h = headers[stacks[n].instances.front()];
    stacks[n].studyUid = h.studyUid;
    stacks[n].seriesUid = h.seriesUid;
    stacks[n].number = static_cast<int>(n);
  }
  labelStacks(headers, stacks);
  return stacks;
}

}  // namespace

DicomGrouping groupDicom(const std::vector<DicomHeader>& headers) {
  DicomGrouping grouping;
  // By study, patient (for files without UIDs), series number and UID: an order that does not depend on the input's.
  using SeriesKey = std::tuple<std::string, std::string, std::int64_t, std::string>;
  std::map<SeriesKey, Instances> series;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const DicomHeader& h = headers[i];
    if (auto error = refusal(h)) {
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
