#include "image/io/dicom_labels.hpp"

#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_stack.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

namespace nora {
namespace {

std::string planeName(const DicomPlane& plane) {
  const Vec3 n{std::abs(plane.normal[0]), std::abs(plane.normal[1]), std::abs(plane.normal[2])};
  if (n[2] >= n[0] && n[2] >= n[1]) return "axial";
  return n[1] >= n[0] ? "coronal" : "sagittal";
}

/// The header of each stack's first slice.
std::vector<DicomHeader> headsOf(const std::vector<DicomHeader>& headers, const std::vector<DicomStack>& stacks) {
  std::vector<DicomHeader> heads;
  for (const auto& stack : stacks) {
    const auto& [instance, frame] = stack.frames.front();
    const DicomHeader& h = headers[instance];
    heads.push_back(h.places.empty() ? h : headerOfFrame(h, frame));
  }
  return heads;
}

std::string planeOfHead(const DicomHeader& head) {
  const auto plane = planeOf(head);
  return plane ? planeName(*plane) : std::string();
}

std::string echoName(const std::set<double>& echoes, double echoMs) {
  char text[64];
  std::snprintf(text, sizeof text, "echo %d, %.4g ms",
                static_cast<int>(std::distance(echoes.begin(), echoes.find(echoMs))) + 1, echoMs);
  return text;
}

void add(std::string& differences, const std::string& text) {
  if (!text.empty()) differences += (differences.empty() ? "" : ", ") + text;
}

/// Of each stack: echo, component, plane and size, where they are not the same in all.
std::vector<std::string> usualDifferences(const std::vector<DicomHeader>& heads) {
  std::set<double> echoes;
  std::set<std::string> components, planes;
  std::set<std::pair<std::int64_t, std::int64_t>> sizes;
  for (const auto& h : heads) {
    if (h.echoTime) echoes.insert(*h.echoTime);
    components.insert(componentOf(h));
    planes.insert(planeOfHead(h));
    sizes.insert({h.columns, h.rows});
  }
  std::vector<std::string> all;
  for (const auto& h : heads) {
    std::string differences;
    if (echoes.size() > 1 && h.echoTime) add(differences, echoName(echoes, *h.echoTime));
    if (components.size() > 1) add(differences, componentOf(h));
    if (planes.size() > 1) add(differences, planeOfHead(h));
    if (sizes.size() > 1) add(differences, std::to_string(h.columns) + "x" + std::to_string(h.rows));
    all.push_back(std::move(differences));
  }
  return all;
}

/// Values of ImageType that not all of `alike` have, in their order: "W" and "F" of a Dixon series.
std::string ownType(const std::vector<DicomHeader>& heads, const std::vector<std::size_t>& alike, std::size_t n) {
  std::string own;
  for (const auto& value : valuesOf(heads[n].imageType)) {
    const bool common = std::all_of(alike.begin(), alike.end(), [&](std::size_t other) {
      const auto values = valuesOf(heads[other].imageType);
      return std::find(values.begin(), values.end(), value) != values.end();
    });
    if (!common) own += (own.empty() ? "" : " ") + value;
  }
  return own;
}

}  // namespace

std::string componentOf(const DicomHeader& h) {
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

DicomHeader headerOfFrame(const DicomHeader& h, std::size_t frame) {
  const DicomFramePlace& place = h.places[frame];
  const DicomFrameKind& kind = h.kinds[place.kind];
  DicomHeader slice;
  slice.seriesDescription = h.seriesDescription;
  slice.seriesNumber = h.seriesNumber;
  slice.rows = h.rows;
  slice.columns = h.columns;
  slice.samplesPerPixel = h.samplesPerPixel;
  slice.bitsAllocated = h.bitsAllocated;
  slice.photometric = h.photometric;
  slice.instanceNumber = h.instanceNumber;
  slice.acquisitionNumber = h.acquisitionNumber;
  slice.triggerTime = h.triggerTime;
  slice.contentTime = h.contentTime;
  slice.note = h.note;
  slice.positionLps = place.positionLps;
  slice.temporalPosition = place.temporalPosition;
  slice.volume = place.volume;
  slice.acquisitionTime = place.acquisitionTime;
  slice.orientationLps = kind.orientationLps;
  slice.pixelSpacing = kind.pixelSpacing;
  slice.sliceThickness = kind.sliceThickness;
  slice.spacingBetweenSlices = kind.spacingBetweenSlices;
  slice.echoTime = kind.echoTime;
  slice.imageType = kind.imageType;
  slice.stackId = kind.stackId;
  return slice;
}

void labelStacks(const std::vector<DicomHeader>& headers, std::vector<DicomStack>& stacks) {
  const auto heads = headsOf(headers, stacks);
  auto differences = usualDifferences(heads);
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> groups;  // by description and differences
  for (std::size_t n = 0; n < stacks.size(); ++n) {
    groups[{heads[n].seriesDescription, differences[n]}].push_back(n);
  }
  for (const auto& [name, alike] : groups) {
    for (const std::size_t n : alike) {
      const auto& stackId = heads[n].stackId;
      const auto same = [&](std::size_t other) { return heads[other].stackId == stackId; };
      add(differences[n], ownType(heads, alike, n));
      if (!std::all_of(alike.begin(), alike.end(), same)) add(differences[n], "stack " + stackId);
    }
  }
  std::map<std::string, int> used;
  for (std::size_t n = 0; n < stacks.size(); ++n) {
    const DicomHeader& h = heads[n];
    std::string name = !h.seriesDescription.empty() ? h.seriesDescription : "series " + std::to_string(h.seriesNumber);
    if (!differences[n].empty()) name += " (" + differences[n] + ")";
    const int copy = ++used[name];
    stacks[n].label = copy == 1 ? name : name + " #" + std::to_string(copy);
  }
}

}  // namespace nora
