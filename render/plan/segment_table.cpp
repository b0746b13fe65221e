#include "render/plan/segment_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <tbb/parallel_for.h>

namespace nora {
namespace {

constexpr int lastEntry = static_cast<int>(TransferFunction::entries) - 1;
constexpr int lastLevel = kernel::segmentLevels - 1;
constexpr int mostPieces = 8;  // of a segment: the front hides the back within it, too
constexpr double log2e = 1.4426950408889634;

std::size_t entryOfLevel(int level) {
  return static_cast<std::size_t>((level * lastEntry + lastLevel / 2) / lastLevel);
}

std::uint32_t byteOf(double value) {
  return static_cast<std::uint32_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

}  // namespace

SegmentTable::SegmentTable() : segments_(std::size_t{kernel::segmentLevels} * kernel::segmentLevels) {}

void SegmentTable::fill(const TransferFunction& transfer, double stepMm) {
  if (stepMm == stepMm_ && transfer == transfer_) return;
  transfer_ = transfer;
  stepMm_ = stepMm;
  for (std::size_t i = 0; i < entries_; ++i)
    extinction_[i] = static_cast<float>(transfer.extinctionPerMm[i] * stepMm * log2e);
  sumUp(transfer);
  tbb::parallel_for(0, kernel::segmentLevels, [&](int front) {
    for (int back = 0; back < kernel::segmentLevels; ++back) {
      segments_[static_cast<std::size_t>(front * kernel::segmentLevels + back)] = segment(transfer, front, back);
    }
  });
}

/// By the trapezoidal rule.
void SegmentTable::sumUp(const TransferFunction& transfer) {
  for (std::size_t c = 0; c < 4; ++c) {
    double sum = 0;
    double before = 0;
    for (std::size_t i = 0; i < entries_; ++i) {
      const double factor = c == 0 ? 1.0 : transfer.colours[i] >> (8 * (c - 1)) & 0xffU;
      const double now = extinction_[i] * factor;
      if (i > 0) sum += 0.5 * (before + now);
      before = now;
      sums_[c][i] = static_cast<float>(sum);
    }
  }
}

std::uint32_t SegmentTable::segment(const TransferFunction& transfer, int front, int back) const {
  constexpr std::uint32_t middle = 128U << 24;
  const std::size_t a = entryOfLevel(front);
  const std::size_t b = entryOfLevel(back);
  const auto pieces = std::min(std::abs(front - back), mostPieces);
  // Nothing to see still has a colour: the kernel takes its opacity from finer tables.
  if (pieces == 0 || sums_[0][a] == sums_[0][b]) return transfer.colours[(a + b) / 2] | middle;
  double clear = 1;
  double seen = 0;
  double centre = 0;
  std::array<double, 3> colour{};
  const double sign = a < b ? 1 : -1;
  const double perEntry = sign / (static_cast<double>(b) - static_cast<double>(a));
  for (int p = 0; p < pieces; ++p) {
    const auto at = [&](int n) {
      const auto way = static_cast<std::ptrdiff_t>(b) - static_cast<std::ptrdiff_t>(a);
      return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(a) + way * n / pieces);
    };
    const std::size_t from = at(p);
    const std::size_t to = at(p + 1);
    const double sum = sign * (static_cast<double>(sums_[0][to]) - sums_[0][from]);
    if (!(sum > 0)) continue;
    const double weight = clear * (1 - std::exp2(-sum * perEntry));
    for (std::size_t c = 0; c < 3; ++c) {
      colour[c] += weight * sign * (static_cast<double>(sums_[c + 1][to]) - sums_[c + 1][from]) / sum;
    }
    seen += weight;
    centre += weight * (p + 0.5) / pieces;
    clear -= weight;
  }
  if (!(seen > 0)) return transfer.colours[(a + b) / 2] | middle;
  return byteOf(colour[0] / seen) | byteOf(colour[1] / seen) << 8 | byteOf(colour[2] / seen) << 16 |
         byteOf(255 * centre / seen) << 24;
}

}  // namespace nora
