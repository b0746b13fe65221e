#include "render/geometry/geometry_drawer.hpp"

#include <algorithm>
#include <cstring>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

namespace nora {
namespace {

constexpr std::size_t mostPixels = std::size_t{32} << 20;
constexpr std::size_t mostFinePixels = std::size_t{9} << 20;  // 3840 x 2160
constexpr std::uint64_t mostEntries = std::uint64_t{64} << 20;
constexpr std::uint64_t trianglesTogether = 2048;
constexpr std::uint64_t linesTogether = 64;
constexpr int tileRows = 16;

template <class Draw>
void inParallel(std::uint64_t count, std::uint64_t together, Draw draw) {
  if (count == 0) return;
  tbb::parallel_for(tbb::blocked_range<std::uint64_t>(0, count, together),
                    [&](const auto& range) { draw(range.begin(), range.end()); });
}

template <class T>
void fillInParallel(std::vector<T>& values, std::size_t count, T value) {
  constexpr std::uint64_t together = 1 << 16;
  values.resize(count);
  inParallel(count, together, [&](std::uint64_t begin, std::uint64_t end) {
    std::fill(values.data() + begin, values.data() + end, value);
  });
}

template <class Draw>
void forTiles(int width, int height, Draw draw) {
  const int tiles = (height + tileRows - 1) / tileRows;
  tbb::parallel_for(0, tiles, [&](int t) {
    draw(kernel::Tile{0, t * tileRows, width, std::min(height, (t + 1) * tileRows)});
  });
}

}  // namespace

void GeometryDrawer::drawNearest() {
  const kernel::GeometryKernels& kernels = kernel::geometryKernels();
  for (int m = 0; m < plan_.meshCount; ++m) {
    if (isListed(plan_.meshes[m].opacity)) continue;
    inParallel(plan_.meshes[m].shape.triangleCount, trianglesTogether, [&](std::uint64_t begin, std::uint64_t end) {
      if (!stop_.stop_requested()) kernels.drawNearestMesh(plan_, m, begin, end);
    });
  }
  for (int l = 0; l < plan_.lineCount; ++l) {
    if (isListed(plan_.lines[l].opacity)) continue;
    inParallel(plan_.lines[l].drawnCount, linesTogether, [&](std::uint64_t begin, std::uint64_t end) {
      if (!stop_.stop_requested()) kernels.drawNearestLines(plan_, l, begin, end);
    });
  }
}

void GeometryDrawer::listAll(bool fill) {
  const kernel::GeometryKernels& kernels = kernel::geometryKernels();
  const kernel::FragmentLists lists{counts_.data(), first_.data(), entries_.data()};
  for (int m = 0; m < plan_.meshCount; ++m) {
    if (!isListed(plan_.meshes[m].opacity)) continue;
    inParallel(plan_.meshes[m].shape.triangleCount, trianglesTogether, [&](std::uint64_t begin, std::uint64_t end) {
      if (!stop_.stop_requested()) kernels.listMesh(plan_, lists, fill, m, begin, end);
    });
  }
  for (int l = 0; l < plan_.lineCount; ++l) {
    if (!isListed(plan_.lines[l].opacity)) continue;
    inParallel(plan_.lines[l].drawnCount, linesTogether, [&](std::uint64_t begin, std::uint64_t end) {
      if (!stop_.stop_requested()) kernels.listLines(plan_, lists, fill, l, begin, end);
    });
  }
}

/// False if there would be too many.
bool GeometryDrawer::list() {
  listAll(false);
  std::uint64_t sum = 0;
  for (const std::uint32_t count : counts_) sum += count + std::uint64_t{1};  // one more for what is opaque
  if (sum > mostEntries) return false;
  std::uint32_t at = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    first_[i] = at;
    at += counts_[i] + 1;
    counts_[i] = 0;
  }
  entries_.resize(std::max(entries_.size(), static_cast<std::size_t>(sum)));
  listAll(true);
  return true;
}

const std::uint64_t* GeometryDrawer::numbers(const kernel::GeometryPlan& plan) {
  plan_ = plan;
  stop_ = {};
  plan_.samples = 1;
  flat_ = true;
  fillInParallel(nearest_, static_cast<std::size_t>(plan.width) * static_cast<std::size_t>(plan.height),
                 kernel::nothingThere);
  plan_.nearest = {plan_.width, plan_.height, nearest_.data()};
  drawNearest();
  return nearest_.data();
}

Result<kernel::RayGeometry> GeometryDrawer::draw(const kernel::GeometryPlan& plan, bool fine, std::stop_token stop) {
  const std::size_t pixels = static_cast<std::size_t>(plan.width) * static_cast<std::size_t>(plan.height);
  if (pixels > mostPixels) {
    return fail(ErrorCode::limitExceeded, "a picture with surfaces or streamlines has at most 32 million pixels");
  }
  plan_ = plan;
  stop_ = std::move(stop);
  plan_.samples = fine && pixels <= mostFinePixels ? 2 : 1;
  const std::size_t samples = pixels * static_cast<std::size_t>(plan_.samples * plan_.samples);
  fillInParallel(nearest_, samples, kernel::nothingThere);
  plan_.nearest = {plan_.width * plan_.samples, plan_.height * plan_.samples, nearest_.data()};
  fillInParallel(counts_, pixels, 0U);
  first_.resize(pixels);
  flat_ = !plan_.lit;  // in a slice nothing lies behind anything
  const auto clear = [&](const auto* looks, int count) {
    return std::any_of(looks, looks + count, [&](const auto& look) { return isListed(look.opacity); });
  };
  const bool lists = clear(plan_.meshes, plan_.meshCount) || clear(plan_.lines, plan_.lineCount);
  if (lists && !list()) {
    flat_ = true;
    fillInParallel(counts_, pixels, 0U);
  }
  if (!lists || flat_) {
    entries_.resize(std::max(entries_.size(), pixels));
    inParallel(pixels, std::uint64_t{1} << 16, [&](std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t i = begin; i < end; ++i) first_[i] = static_cast<std::uint32_t>(i);
    });
  }
  drawNearest();
  const kernel::FragmentLists out{counts_.data(), first_.data(), entries_.data()};
  forTiles(plan_.width, plan_.height,
           [&](const kernel::Tile& tile) { kernel::geometryKernels().shadeGeometry(plan_, out, tile); });
  kernel::RayGeometry result;
  result.first = first_.data();
  result.counts = counts_.data();
  result.fragments = reinterpret_cast<const kernel::Fragment*>(entries_.data());
  result.fragmentCount = pixels > 0 ? first_.back() + std::uint64_t{counts_.back()} : 0;
  return result;
}

void GeometryDrawer::blend(std::uint8_t* rgba) const {
  const kernel::FragmentLists lists{const_cast<std::uint32_t*>(counts_.data()), first_.data(),
                                    const_cast<std::uint64_t*>(entries_.data())};
  forTiles(plan_.width, plan_.height,
           [&](const kernel::Tile& tile) { kernel::geometryKernels().blendGeometry(plan_, lists, rgba, tile); });
}

}  // namespace nora
