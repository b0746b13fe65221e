#include "image/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace nora {
namespace {

__extension__ using Int128 = __int128;

constexpr std::uint32_t mostDistinct = 4096;

/// Of the stored values.
struct Extent {
  double min = 0;
  double max = 0;
  double mean = 0;
  std::uint64_t finite = 0;
  bool whole = true;
};

// ---- integers

template <class T>
Extent extentOfIntegers(std::span<const T> values) {
  // A block is so short that its sum fits the narrow accumulator, which the compiler can vectorise.
  constexpr std::size_t block = 32768;
  using Narrow =
      std::conditional_t<(sizeof(T) < 4), std::int32_t, std::conditional_t<sizeof(T) == 4, std::int64_t, Int128>>;
  T low = std::numeric_limits<T>::max();
  T high = std::numeric_limits<T>::lowest();
  Int128 sum = 0;
  for (std::size_t at = 0; at < values.size(); at += block) {
    const auto part = values.subspan(at, std::min(block, values.size() - at));
    Narrow partSum = 0;
    for (const T v : part) {
      low = std::min(low, v);
      high = std::max(high, v);
      partSum += v;
    }
    sum += partSum;
  }
  Extent out;
  out.finite = values.size();
  if (values.empty()) return out;
  out.min = static_cast<double>(low);
  out.max = static_cast<double>(high);
  out.mean = static_cast<double>(static_cast<long double>(sum) / static_cast<long double>(values.size()));
  return out;
}

// ---- floats

/// Separate lanes, because the compiler must not reorder one sum of floats but may compute many side by side.
template <class T>
struct FloatLanes {
  static constexpr std::size_t count = 8;
  std::array<double, count> sum{};
  std::array<T, count> low;
  std::array<T, count> high;
  std::array<std::int32_t, count> finite{};

  FloatLanes() {
    low.fill(std::numeric_limits<T>::max());
    high.fill(std::numeric_limits<T>::lowest());
  }

  void add(std::size_t lane, T v) {
    const bool ok = std::abs(v) <= std::numeric_limits<T>::max();  // false for NaN and Inf
    finite[lane] += ok ? 1 : 0;
    sum[lane] += static_cast<double>(ok ? v : T{0});
    low[lane] = ok && v < low[lane] ? v : low[lane];
    high[lane] = ok && v > high[lane] ? v : high[lane];
  }
};

template <class T>
bool allWhole(std::span<const T> values) {
  constexpr T fitsInt = static_cast<T>(1 << 30);
  bool whole = true;
  bool large = false;  // beyond int32, or not finite
  for (const T v : values) {
    const bool small = std::abs(v) < fitsInt;
    const auto cut = static_cast<T>(static_cast<std::int32_t>(small ? v : T{0}));
    whole = whole && (!small || cut == v);
    large = large || !small;
  }
  if (!whole || !large || sizeof(T) == sizeof(float)) return whole;  // so large a float has no fraction
  return std::all_of(values.begin(), values.end(), [](T v) { return !std::isfinite(v) || v == std::floor(v); });
}

template <class T>
double meanInSteps(std::span<const T> values, std::uint64_t finite) {
  long double sum = 0;  // values near the largest double: slower, but their sum does not overflow
  for (const T v : values) {
    if (std::isfinite(v)) sum += static_cast<long double>(v);
  }
  return static_cast<double>(sum / static_cast<long double>(finite));
}

template <class T>
Extent extentOfFloats(std::span<const T> values) {
  constexpr std::size_t block = 4096;
  T low = std::numeric_limits<T>::max();
  T high = std::numeric_limits<T>::lowest();
  long double sum = 0;
  Extent out;
  for (std::size_t at = 0; at < values.size(); at += block) {
    const auto part = values.subspan(at, std::min(block, values.size() - at));
    FloatLanes<T> lanes;
    std::size_t i = 0;
    for (; i + lanes.count <= part.size(); i += lanes.count) {
      for (std::size_t lane = 0; lane < lanes.count; ++lane) lanes.add(lane, part[i + lane]);
    }
    for (; i < part.size(); ++i) lanes.add(0, part[i]);
    for (std::size_t lane = 0; lane < lanes.count; ++lane) {
      low = std::min(low, lanes.low[lane]);
      high = std::max(high, lanes.high[lane]);
      sum += lanes.sum[lane];
      out.finite += static_cast<std::uint64_t>(lanes.finite[lane]);
    }
    out.whole = out.whole && allWhole(part);
  }
  if (out.finite == 0) return out;
  out.min = static_cast<double>(low);
  out.max = static_cast<double>(high);
  out.mean = static_cast<double>(sum / static_cast<long double>(out.finite));
  if (!std::isfinite(out.mean)) out.mean = meanInSteps(values, out.finite);
  return out;
}

// ---- colour

/// Thousandths of the luminance: exact in integers.
std::int64_t luminance1000(const std::byte* at) {
  constexpr std::int64_t red = 299, green = 587, blue = 114;
  return red * std::to_integer<int>(at[0]) + green * std::to_integer<int>(at[1]) + blue * std::to_integer<int>(at[2]);
}

Extent extentOfColours(std::span<const std::byte> bytes, std::size_t channels) {
  std::int64_t low = std::numeric_limits<std::int64_t>::max();
  std::int64_t high = 0;
  std::int64_t sum = 0;
  Extent out;
  out.finite = bytes.size() / channels;
  out.whole = false;
  if (out.finite == 0) return out;
  for (std::size_t i = 0; i < out.finite; ++i) {
    const std::int64_t v = luminance1000(bytes.data() + i * channels);
    low = std::min(low, v);
    high = std::max(high, v);
    sum += v;
  }
  out.min = static_cast<double>(low) / 1000;
  out.max = static_cast<double>(high) / 1000;
  out.mean = static_cast<double>(sum) / 1000 / static_cast<double>(out.finite);
  return out;
}

// ---- distinct values

template <class T>
std::uint32_t distinctByTable(std::span<const T> values, double min, double max) {
  using Index = std::conditional_t<std::is_floating_point_v<T>, std::int32_t, std::int64_t>;  // conversions are slow
  const auto low = static_cast<Index>(min);
  std::vector<std::uint8_t> seen(static_cast<std::size_t>(max - min) + 1, 0);
  const auto count = [&seen] {
    return static_cast<std::uint32_t>(std::count(seen.begin(), seen.end(), std::uint8_t{1}));
  };
  constexpr std::size_t block = std::size_t{1} << 20;
  for (std::size_t at = 0; at < values.size(); at += block) {
    for (const T v : values.subspan(at, std::min(block, values.size() - at))) {
      if constexpr (std::is_floating_point_v<T>) {
        if (!std::isfinite(v)) continue;
      }
      seen[static_cast<std::size_t>(static_cast<Index>(v) - low)] = 1;
    }
    if (seen.size() > mostDistinct && count() > mostDistinct) return 0;
  }
  return count();
}

template <class T>
std::uint32_t distinctBySet(std::span<const T> values) {
  std::unordered_set<T> seen;
  std::optional<T> last;  // neighbours are mostly equal where there are few values
  for (const T v : values) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(v)) continue;
    }
    if (last == v) continue;
    last = v;
    seen.insert(v);
    if (seen.size() > mostDistinct) return 0;
  }
  return static_cast<std::uint32_t>(seen.size());
}

template <class T>
std::uint32_t distinctValues(std::span<const T> frame, const Extent& extent) {
  constexpr double largestTable = 65536;
  const bool table = extent.whole && extent.max - extent.min < largestTable && std::abs(extent.min) < 1e9;
  return table ? distinctByTable(frame, extent.min, extent.max) : distinctBySet(frame);
}

// ---- percentiles and background, of a sample

/// The quantile of `values`, which are reordered.
double quantile(std::span<double> values, double share) {
  const auto rank = static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

/// Otsu's threshold between `low` and `high`; values beyond count at the ends. In the middle where many are as good.
double otsuThreshold(std::span<const double> values, double low, double high) {
  constexpr std::size_t bins = 256;
  if (!(high > low)) return low;
  const double perValue = bins / (high - low);
  if (!std::isnormal(perValue)) return low / 2 + high / 2;  // ends so far apart or so near that doubles cannot divide
  std::array<double, bins> histogram{};
  for (const double v : values) {
    const double place = (std::clamp(v, low, high) - low) * perValue;
    histogram[std::min(static_cast<std::size_t>(place), bins - 1)] += 1;
  }
  double total = 0;
  for (std::size_t i = 0; i < bins; ++i) total += histogram[i] * static_cast<double>(i);
  const auto count = static_cast<double>(values.size());
  double below = 0, belowSum = 0, best = 0;
  std::size_t first = 0, last = 0;
  for (std::size_t i = 0; i + 1 < bins; ++i) {
    below += histogram[i];
    belowSum += histogram[i] * static_cast<double>(i);
    if (below == 0 || below == count) continue;
    const double distance = belowSum / below - (total - belowSum) / (count - below);
    const double between = below * (count - below) * distance * distance;
    if (between < best * (1 - 1e-12)) continue;
    if (between > best * (1 + 1e-12)) first = i;
    best = std::max(best, between);
    last = i;
  }
  return low + (static_cast<double>(first + last) / 2 + 1) / perValue;
}

/// The value that most of the eight corners share, if at least half of them do.
std::optional<double> cornerValue(const std::array<double, 8>& corners) {
  for (const double candidate : corners) {
    if (std::count(corners.begin(), corners.end(), candidate) >= 4) return candidate;
  }
  return std::nullopt;
}

void setPercentiles(std::vector<double>& sample, std::optional<double> background, VoxelStatistics& out) {
  constexpr double share = 0.1;  // of the sample, from which on the background is left out
  auto middle = sample.begin();
  if (background) middle = std::partition(sample.begin(), sample.end(), [&](double v) { return v == *background; });
  const auto backgroundCount = static_cast<double>(middle - sample.begin());
  const bool skip = middle != sample.end() && backgroundCount >= share * static_cast<double>(sample.size());
  const std::span<double> rest(skip ? middle : sample.begin(), sample.end());
  out.percentile98 = quantile(rest, 0.98);
  out.percentile2 = quantile(rest, 0.02);
  if (!skip || out.percentile98 > out.percentile2) return;
  out.percentile2 = std::min(out.percentile2, *background);  // a mask: all others are equal
  out.percentile98 = std::max(out.percentile98, *background);
}

void setBackgroundLevel(std::vector<double>& sample, bool isCt, VoxelStatistics& out) {
  constexpr double tail = 0.005;   // a few very bright voxels must not squeeze all others into one bin
  constexpr double airHu = -1024;  // CT scanners pad outside of the field of view with values far below air
  double low = quantile(sample, tail);
  double high = quantile(sample, 1 - tail);
  if (!(high > low)) {
    low = *std::min_element(sample.begin(), sample.end());
    high = *std::max_element(sample.begin(), sample.end());
  }
  if (isCt && high > airHu) low = std::max(low, airHu);
  out.backgroundLevel = otsuThreshold(sample, low, high);
}

/// Share of equal pairs among those without the most frequent value.
double shareOfPlateaus(const std::vector<std::array<double, 2>>& pairs) {
  std::map<double, std::size_t> counts;
  for (const auto& pair : pairs) {
    if (std::isfinite(pair[0])) ++counts[pair[0]];
  }
  if (counts.empty()) return 0;
  const double frequent = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
                            return a.second < b.second;
                          })->first;
  std::size_t all = 0;
  std::size_t equal = 0;
  for (const auto& [a, b] : pairs) {
    if (!std::isfinite(a) || !std::isfinite(b) || a == frequent || b == frequent) continue;
    ++all;
    equal += a == b ? 1 : 0;
  }
  return all == 0 ? 0 : static_cast<double>(equal) / static_cast<double>(all);
}

/// Scaled values of one frame by index.
class Frame {
 public:
  Frame(const ImageInfo& info, std::span<const std::byte> bytes) : info_(info), bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size() / bytesPerVoxel(info_.type); }

  template <class Each>
  void visit(Each&& each) const {  // each(valueAt), where valueAt(i) is the scaled value
    const std::byte* data = bytes_.data();
    const double slope = info_.slope;
    const double inter = info_.inter;
    if (isColour(info_.type)) {
      const std::size_t channels = bytesPerVoxel(info_.type);
      each([=](std::size_t i) {
        return slope * (static_cast<double>(luminance1000(data + i * channels)) / 1000) + inter;
      });
      return;
    }
    visitScalar(info_.type, [&](auto zero) {
      const auto* values = reinterpret_cast<const decltype(zero)*>(data);
      each([=](std::size_t i) { return slope * static_cast<double>(values[i]) + inter; });
    });
  }

  [[nodiscard]] std::vector<double> sample() const {
    constexpr std::size_t most = std::size_t{1} << 18;
    std::vector<double> out;
    out.reserve(std::min(size(), most));
    const double step = std::max(1.0, static_cast<double>(size()) / most);
    visit([&](auto valueAt) {
      for (std::size_t i = 0; i < std::min(size(), most); ++i) {
        const double v = valueAt(std::min(static_cast<std::size_t>(static_cast<double>(i) * step), size() - 1));
        if (std::isfinite(v)) out.push_back(v);
      }
    });
    return out;
  }

  /// Pairs of neighbours along x.
  [[nodiscard]] std::vector<std::array<double, 2>> samplePairs() const {
    constexpr std::size_t most = std::size_t{1} << 17;
    const auto row = static_cast<std::size_t>(info_.dims[0]);
    std::vector<std::array<double, 2>> out;
    if (row < 2) return out;
    const std::size_t pairs = size() / row * (row - 1);
    const double step = std::max(1.0, static_cast<double>(pairs) / most);
    out.reserve(std::min(pairs, most));
    visit([&](auto valueAt) {
      for (std::size_t i = 0; i < std::min(pairs, most); ++i) {
        const auto pair = std::min(static_cast<std::size_t>(static_cast<double>(i) * step), pairs - 1);
        const std::size_t at = pair / (row - 1) * row + pair % (row - 1);
        out.push_back({valueAt(at), valueAt(at + 1)});
      }
    });
    return out;
  }

  [[nodiscard]] std::array<double, 8> corners() const {
    std::array<double, 8> out{};
    const auto last = [&](std::size_t axis) { return static_cast<std::size_t>(info_.dims[axis] - 1); };
    const auto nx = last(0) + 1;
    const auto nxy = nx * (last(1) + 1);
    visit([&](auto valueAt) {
      for (std::size_t k = 0; k < 8; ++k) {
        const std::size_t at = (k & 1 ? last(0) : 0) + (k & 2 ? last(1) * nx : 0) + (k & 4 ? last(2) * nxy : 0);
        out[k] = at < size() ? valueAt(at) : 0;
      }
    });
    return out;
  }

 private:
  const ImageInfo& info_;
  std::span<const std::byte> bytes_;
};

// ---- all together

template <class T>
std::span<const T> asValues(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

/// Whole numbers after scaling.
template <class T>
bool scaledWhole(std::span<const T> values, const ImageInfo& info, const Extent& extent) {
  const bool wholeScale = info.slope == std::floor(info.slope) && info.inter == std::floor(info.inter);
  if (extent.whole && wholeScale) return true;
  if (std::is_integral_v<T> || (info.slope == 1 && info.inter == 0)) return false;
  return std::all_of(values.begin(), values.end(), [&](T v) {
    const double scaled = info.slope * static_cast<double>(v) + info.inter;
    return !std::isfinite(scaled) || scaled == std::floor(scaled);
  });
}

Extent extentOf(const ImageInfo& info, std::span<const std::byte> bytes, std::span<const std::byte> frame,
                VoxelStatistics& out) {
  if (isColour(info.type)) return extentOfColours(bytes, bytesPerVoxel(info.type));
  return visitScalar(info.type, [&](auto zero) {
    using T = decltype(zero);
    const auto values = asValues<T>(bytes);
    Extent extent;
    if constexpr (std::is_floating_point_v<T>) {
      extent = extentOfFloats(values);
    } else {
      extent = extentOfIntegers(values);
    }
    out.integral = extent.finite > 0 && scaledWhole(values, info, extent);
    if (out.integral) out.distinct = distinctValues(asValues<T>(frame), extent);
    return extent;
  });
}

double scaled(const ImageInfo& info, double stored) {
  constexpr double largest = std::numeric_limits<double>::max();
  return std::clamp(info.slope * stored + info.inter, -largest, largest);  // the answer stays a number
}

}  // namespace

VoxelStatistics computeStatistics(const ImageInfo& info, std::span<const std::byte> voxels) {
  VoxelStatistics out;
  const auto count = voxelCount(info, {});
  if (!count) return out;
  const std::size_t size = bytesPerVoxel(info.type);
  const std::size_t present = std::min<std::size_t>(*count, voxels.size() / size);
  const auto bytes = voxels.first(present * size);
  const auto frameVoxels = static_cast<std::size_t>(info.dims[0] * info.dims[1] * info.dims[2]);
  const auto frame = bytes.first(std::min(frameVoxels, present) * size);

  const Extent extent = extentOf(info, bytes, frame, out);
  out.finite = extent.finite;
  out.notFinite = present - extent.finite;
  if (extent.finite == 0) return out;
  const double a = scaled(info, extent.min);
  const double b = scaled(info, extent.max);
  out.min = std::min(a, b);
  out.max = std::max(a, b);
  out.mean = scaled(info, extent.mean);

  const Frame firstFrame(info, frame);
  if (out.distinct > 0) out.plateaus = shareOfPlateaus(firstFrame.samplePairs());
  std::vector<double> sample = firstFrame.sample();
  if (sample.empty()) {  // the first time point has no finite value
    out.percentile2 = out.backgroundLevel = out.min;
    out.percentile98 = out.max;
    return out;
  }
  setBackgroundLevel(sample, info.modality == "CT", out);
  setPercentiles(sample, cornerValue(firstFrame.corners()), out);
  return out;
}

}  // namespace nora
