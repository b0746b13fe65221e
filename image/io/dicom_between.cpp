#include "image/io/dicom_between.hpp"

#include "image/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace nora {
namespace {

constexpr std::uint32_t mostLabels = 48;  // different values
constexpr double leastPlateaus = 0.7;     // of neighbours that are equal: a head has less than half
constexpr double roundingShare = 0.25;    // of the slope: padding is found again after scaling to float32

bool isIn(const std::optional<DicomPadding>& padding, double value) {
  return padding && value >= padding->low && value <= padding->high;
}

double valueOf(const DicomPixelFormat& format, double stored) {
  const auto& table = *format.table;
  const auto last = static_cast<double>(table.entries.size()) - 1;
  return table.entries[static_cast<std::size_t>(std::clamp(stored - static_cast<double>(table.first), 0.0, last))];
}

}  // namespace

std::optional<DicomPadding> voxelPaddingOf(const DicomPixelFormat& format, double slope, double inter, bool scaled) {
  if (!format.padding || format.isColour()) return std::nullopt;
  auto [low, high] = *format.padding;
  if (format.table) {
    if (format.table->entries.empty()) return std::nullopt;
    low = valueOf(format, low);
    high = valueOf(format, high);
  } else if (scaled) {
    low = slope * low + inter;
    high = slope * high + inter;
  }
  const double spare = scaled ? roundingShare * std::abs(slope) : 0;
  return DicomPadding{std::min(low, high) - spare, std::max(low, high) + spare};
}

void blendPlanes(VoxelType type, std::span<const std::byte> a, std::span<const std::byte> b, double weight,
                 const std::array<std::optional<DicomPadding>, 2>& padding, std::span<std::byte> target) {
  visitScalar(type, [&](auto zero) {
    using T = decltype(zero);
    const auto* pa = reinterpret_cast<const T*>(a.data());
    const auto* pb = reinterpret_cast<const T*>(b.data());
    auto* out = reinterpret_cast<T*>(target.data());
    for (std::size_t i = 0; i < target.size() / sizeof(T); ++i) {
      const auto va = static_cast<double>(pa[i]), vb = static_cast<double>(pb[i]);
      const double value = (1 - weight) * va + weight * vb;
      out[i] = static_cast<T>(std::is_integral_v<T> ? std::round(value) : value);
      if (isIn(padding[0], va) || isIn(padding[1], vb)) out[i] = weight < 0.5 ? pa[i] : pb[i];
    }
  });
}

bool looksLikeLabels(const ImageInfo& info, std::span<const std::byte> voxels) {
  if (isColour(info.type)) return false;
  const VoxelStatistics s = computeStatistics(info, voxels);
  const bool mask = s.distinct == 2 && s.min == 0;  // all that is not background is one value
  return s.integral && s.distinct >= 2 && s.distinct <= mostLabels && (mask || s.plateaus >= leastPlateaus);
}

}  // namespace nora
