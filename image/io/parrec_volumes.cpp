#include "image/io/parrec_volumes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <set>
#include <tuple>

namespace nora {
namespace {

Result<void> checkCount(const ParHeader& header, int ParSlice::*field, int expected, const char* what,
                        const std::string& name) {
  if (expected <= 0) return {};
  std::set<int> values;
  for (const ParSlice& s : header.slices) values.insert(s.*field);
  if (values.size() == static_cast<std::size_t>(expected)) return {};
  return fail(ErrorCode::invalidInput,
              "the PAR file announces " + std::to_string(expected) + " " + what + " but lists " +
                  std::to_string(values.size()) + ": the scan was stopped or the export is incomplete",
              name);
}

Result<void> checkComplete(const ParHeader& header, const std::string& name) {
  auto done = checkCount(header, &ParSlice::slice, header.maxSlices, "slices", name);
  if (done) done = checkCount(header, &ParSlice::echo, header.maxEchoes, "echoes", name);
  if (done) done = checkCount(header, &ParSlice::dynamic, header.maxDynamics, "dynamics", name);
  if (!header.hasGradients()) return done;
  if (done) done = checkCount(header, &ParSlice::bNumber, header.maxBValues, "diffusion values", name);
  if (done) done = checkCount(header, &ParSlice::gradient, header.maxGradients, "gradient directions", name);
  return done;
}

auto sortKey(const ParHeader& header, const ParSlice& s) {
  const double b = !header.diffusion ? 0 : header.hasGradients() ? s.bNumber : s.bFactor;
  return std::tuple(s.type, s.dynamic, s.label, b, header.diffusion ? s.gradient : 0, s.phase, s.echo, s.slice);
}

/// Slices are stacked along one axis, so that all must agree in these.
bool sameShape(const ParSlice& a, const ParSlice& b) {
  return a.bits == b.bits && a.size == b.size && a.spacing == b.spacing && a.thickness == b.thickness && a.gap == b.gap;
}

Result<void> checkShape(const ParHeader& header, const std::string& name) {
  const ParSlice& first = header.slices.front();
  for (const ParSlice& s : header.slices) {
    if (s.orientation != first.orientation) {
      return fail(ErrorCode::unsupported, "its slices are transverse, sagittal and coronal mixed (a survey scan)",
                  name);
    }
    if (!sameShape(s, first)) return fail(ErrorCode::unsupported, "its slices differ in size or spacing", name);
  }
  if (first.bits != 8 && first.bits != 16) {
    return fail(ErrorCode::unsupported, "its voxels have " + std::to_string(first.bits) + " bits; known are 8 and 16",
                name);
  }
  if (first.size[0] < 1 || first.size[1] < 1) return fail(ErrorCode::invalidInput, "its slices have no size", name);
  return {};
}

Affine rotation(int axis, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const int a = (axis + 1) % 3;
  const int b = (axis + 2) % 3;
  Affine out;
  out(a, a) = out(b, b) = std::cos(angle);
  out(a, b) = -std::sin(angle);
  out(b, a) = std::sin(angle);
  return out;
}

Affine fromRows(const Vec3& r0, const Vec3& r1, const Vec3& r2) {
  Affine out;
  const std::array rows{r0, r1, r2};
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 3; ++c) out(r, c) = rows[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)];
  }
  return out;
}

/// Image axes to Philips' posterior, superior, left; empty for an unknown code.
std::optional<Affine> philipsFromImage(int orientation) {
  switch (orientation) {
    case 1: return fromRows({0, 1, 0}, {0, 0, 1}, {1, 0, 0});
    case 2: return fromRows({1, 0, 0}, {0, -1, 0}, {0, 0, -1});
    case 3: return fromRows({0, 0, 1}, {0, -1, 0}, {1, 0, 0});
    default: return std::nullopt;
  }
}

const Affine rasFromPhilips = fromRows({0, 0, -1}, {-1, 0, 0}, {0, 1, 0});

/// As nibabel's PARRECHeader.get_affine: the volume's centre lies at the offset, turned about rl, ap, fh in that order.
Result<void> place(const ParHeader& header, const std::string& name, ImageInfo& info) {
  const ParSlice& first = header.slices.front();
  const auto permutation = philipsFromImage(first.orientation);
  if (!permutation) {
    return fail(ErrorCode::invalidInput,
                "the slice orientation is " + std::to_string(first.orientation) +
                    "; known are 1 transverse, 2 sagittal, 3 coronal",
                name);
  }
  Affine voxelSize;
  for (int a = 0; a < 2; ++a) voxelSize(a, a) = first.spacing[static_cast<std::size_t>(a)];
  voxelSize(2, 2) = first.thickness + first.gap;
  const Affine turn =
      rotation(2, header.angulation[2]) * rotation(0, header.angulation[0]) * rotation(1, header.angulation[1]);
  Affine philips = turn * *permutation * voxelSize;
  const Vec3 centre =
      philips.direction({static_cast<double>(info.dims[0] - 1) / 2, static_cast<double>(info.dims[1] - 1) / 2,
                         static_cast<double>(info.dims[2] - 1) / 2});
  philips.setColumn(3, header.offCentre - centre);
  info.worldFromVoxel = rasFromPhilips * philips;
  info.affineSource = "angulation and off centre";
  if (inverse(info.worldFromVoxel)) return {};
  return fail(ErrorCode::invalidInput, "the voxel size of the PAR file is not above zero", name);
}

/// Each line also tells the centre of its slice; where that is another place, one of the two was edited.
void comparePlaces(const ParHeader& header, ImageInfo& info) {
  for (const ParSlice& s : header.slices) {
    const Vec3 centre =
        info.worldFromVoxel.point({static_cast<double>(info.dims[0] - 1) / 2, static_cast<double>(info.dims[1] - 1) / 2,
                                   static_cast<double>(s.slice - 1)});
    constexpr double tolerated = 1;  // mm
    if (length(centre - rasFromPhilips.direction(s.offCentre)) <= tolerated) continue;
    info.warnings.emplace_back("the off-centre of the slices disagrees with that of the volume; the latter is used");
    return;
  }
}

std::string typeName(int type) {
  static constexpr std::array names{"magnitude", "real", "imaginary", "phase"};
  return type >= 0 && type < 4 ? names[static_cast<std::size_t>(type)] : "type " + std::to_string(type);
}

/// "echo of each volume": "1, 2, 3", for everything that varies.
class VolumeTexts {
 public:
  VolumeTexts(const ParHeader& header, const std::vector<std::size_t>& sorted, ImageInfo& info) : info_(info) {
    const auto perVolume = static_cast<std::size_t>(info.dims[2]);
    for (std::size_t i = 0; i < sorted.size(); i += perVolume) volumes_.push_back(&header.slices[sorted[i]]);
  }

  template <class Text>
  void add(const char* what, Text&& text) {
    constexpr std::size_t most = 64;
    bool varies = false;
    std::string all;
    for (std::size_t i = 0; i < volumes_.size(); ++i) {
      varies |= text(*volumes_[i]) != text(*volumes_[0]);
      if (i < most) all.append(i == 0 ? "" : ", ").append(text(*volumes_[i]));
      if (i == most) all.append(", ...");
    }
    if (varies) info_.fields.emplace_back(std::string(what) + " of each volume", all);
  }

 private:
  ImageInfo& info_;
  std::vector<const ParSlice*> volumes_;
};

std::string shortText(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  return text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
}

void setTexts(const ParHeader& header, const std::vector<std::size_t>& sorted, ImageInfo& info) {
  info.modality = "MR";
  info.description = printable(header.protocol);
  const std::pair<const char*, const std::string*> texts[] = {{"examination", &header.examination},
                                                              {"series type", &header.seriesType},
                                                              {"technique", &header.technique},
                                                              {"patient position", &header.patientPosition}};
  for (const auto& [key, text] : texts) {
    if (!text->empty()) info.fields.emplace_back(key, printable(*text));
  }
  if (header.repetitionTime > 0) info.fields.emplace_back("repetition time", shortText(header.repetitionTime) + " ms");
  VolumeTexts volumes(header, sorted, info);
  volumes.add("image type", [](const ParSlice& s) { return typeName(s.type); });
  volumes.add("sequence", [](const ParSlice& s) { return std::to_string(s.sequence); });
  volumes.add("dynamic", [](const ParSlice& s) { return std::to_string(s.dynamic); });
  volumes.add("label", [](const ParSlice& s) { return std::to_string(s.label); });
  volumes.add("cardiac phase", [](const ParSlice& s) { return std::to_string(s.phase); });
  volumes.add("echo time", [](const ParSlice& s) { return shortText(s.echoTime) + " ms"; });
  volumes.add("b value", [](const ParSlice& s) { return shortText(s.bFactor); });
  const ParSlice& first = header.slices.front();
  info.fields.emplace_back("scaling", "value on console = stored * RS + RI; floating point value = that / (RS * SS), " +
                                          std::string("first SS = ") + std::to_string(first.scaleSlope));
}

void setTime(const ParHeader& header, const std::vector<std::size_t>& sorted, ImageInfo& info) {
  const auto perVolume = static_cast<std::size_t>(info.dims[2]);
  const ParSlice& first = header.slices[sorted.front()];
  const ParSlice& last = header.slices[sorted[sorted.size() - perVolume]];
  std::set<int> dynamics;
  for (const ParSlice& s : header.slices) dynamics.insert(s.dynamic);
  if (info.timePoints < 2 || static_cast<std::int64_t>(dynamics.size()) != info.timePoints) return;
  const double step = (last.beginTime - first.beginTime) / static_cast<double>(info.timePoints - 1);
  info.timeStepSeconds = step > 0 ? step : std::max(0.0, header.repetitionTime / 1000);
}

/// Directions are in the patient's axes ap, fh, rl.
void setDiffusion(const ParHeader& header, const std::vector<std::size_t>& sorted, ImageInfo& info) {
  if (!header.diffusion || !header.hasGradients() || info.timePoints < 2) return;
  DiffusionScheme scheme{"in the image", {}, {}};
  const auto perVolume = static_cast<std::size_t>(info.dims[2]);
  for (std::size_t i = 0; i < sorted.size(); i += perVolume) {
    const ParSlice& s = header.slices[sorted[i]];
    scheme.bValues.push_back(s.bFactor);
    scheme.directions.push_back(normalised(rasFromPhilips.direction(s.diffusion)));
  }
  info.diffusion = std::move(scheme);
}

}  // namespace

Result<std::vector<std::size_t>> sortedSlices(const ParHeader& header, const std::string& name) {
  const auto complete = checkComplete(header, name);
  if (!complete) return tl::make_unexpected(complete.error());
  std::vector<std::size_t> order(header.slices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return sortKey(header, header.slices[a]) < sortKey(header, header.slices[b]);
  });
  // The volume of a slice is how often its number was there before: tells apart what has equal keys.
  std::map<int, std::size_t> seen;
  std::vector<std::size_t> volume(order.size());
  for (const std::size_t i : order) volume[i] = seen[header.slices[i].slice]++;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(volume[a], header.slices[a].slice) < std::tuple(volume[b], header.slices[b].slice);
  });
  const std::size_t volumes = seen.begin()->second;
  int expected = 1;
  for (const auto& [slice, count] : seen) {
    if (slice == expected++ && count == volumes) continue;
    return fail(ErrorCode::invalidInput,
                "slice " + std::to_string(slice == expected - 1 ? slice : expected - 1) +
                    " is missing in a volume: the scan was stopped or the export is incomplete",
                name);
  }
  return order;
}

Result<ImageInfo> describePar(const ParHeader& header, const std::vector<std::size_t>& sorted,
                              const std::string& name) {
  auto done = checkShape(header, name);
  if (!done) return tl::make_unexpected(done.error());
  ImageInfo info;
  info.format = "PAR/REC";
  int slices = 0;
  for (const ParSlice& s : header.slices) slices = std::max(slices, s.slice);
  const ParSlice& first = header.slices.front();
  info.dims = {first.size[0], first.size[1], slices};
  info.timePoints = static_cast<std::int64_t>(sorted.size()) / slices;
  done = place(header, name, info);
  if (!done) return tl::make_unexpected(done.error());
  comparePlaces(header, info);
  setTime(header, sorted, info);
  setDiffusion(header, sorted, info);
  setTexts(header, sorted, info);
  return info;
}

}  // namespace nora
