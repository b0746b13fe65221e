#include "streaming/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace nora {
namespace {

constexpr std::int64_t mostSamples = 1 << 16;
constexpr std::size_t bins = 128;
constexpr double rare = 0.0005;  // of the samples, at either end: a few hot voxels shall not squeeze all others

/// Steps of one length would meet the same columns again and again.
std::vector<double> sampled(const Volume& volume) {
  constexpr std::int64_t scatter = 7919;  // a prime
  const auto& dims = volume.dims();
  const std::int64_t count = dims[0] * dims[1] * dims[2];
  const std::int64_t step = std::max<std::int64_t>(1, count / mostSamples);
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(count / step + 1));
  for (std::int64_t i = 0; i * step < count; ++i) {
    const std::int64_t at = std::min(i * step + (i * scatter) % step, count - 1);
    const double value =
        volume.value(at % dims[0], at / dims[0] % dims[1], at / (dims[0] * dims[1]), volume.held().first, 0);
    if (std::isfinite(value)) out.push_back(value);
  }
  return out;
}

}  // namespace

Histogram histogramOf(const Volume& volume) {
  Histogram out;
  std::vector<double> values = sampled(volume);
  if (values.empty()) return out;
  const auto cut = static_cast<std::ptrdiff_t>(rare * static_cast<double>(values.size()));
  std::nth_element(values.begin(), values.begin() + cut, values.end());
  out.low = values[static_cast<std::size_t>(cut)];
  std::nth_element(values.begin(), values.end() - 1 - cut, values.end());
  out.high = values[values.size() - 1 - static_cast<std::size_t>(cut)];
  out.counts.assign(out.low < out.high ? bins : 1, 0);
  const double last = static_cast<double>(out.counts.size() - 1);
  const double perValue = out.low < out.high ? static_cast<double>(out.counts.size()) / (out.high - out.low) : 0;
  for (const double value : values) {
    ++out.counts[static_cast<std::size_t>(std::clamp((value - out.low) * perValue, 0.0, last))];
  }
  return out;
}

}  // namespace nora
