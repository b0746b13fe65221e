// Triangles and lines to pixels. Any number of threads may draw into one Visibility: each pixel keeps the nearest by an
// atomic minimum, so that the order does not matter.
#pragma once

#include "render/kernel/geometry_plan.hpp"
#include "render/kernel/lanes.hpp"

namespace nora::kernel::NORA_ISA {

/// Floats in the order of their values as unsigned numbers.
inline std::uint32_t orderedDepth(float depth) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &depth, sizeof bits);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}
inline float depthOf(std::uint64_t key) {
  const auto ordered = static_cast<std::uint32_t>(key >> 32);
  const std::uint32_t bits = (ordered & 0x80000000U) != 0 ? ordered & 0x7FFFFFFFU : ~ordered;
  float depth;
  __builtin_memcpy(&depth, &bits, sizeof depth);
  return depth;
}

inline void keepNearest(std::uint64_t* at, std::uint64_t key) {
#if defined(__CUDA_ARCH__)
  if (*reinterpret_cast<volatile std::uint64_t*>(at) > key)
    atomicMin(reinterpret_cast<unsigned long long*>(at), static_cast<unsigned long long>(key));
#else
  std::uint64_t old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (key < old && !__atomic_compare_exchange_n(at, &old, key, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
#endif
}

struct ScreenPoint {
  float column = 0;
  float row = 0;
  float depth = 0;
};

inline float valueOf(const Linear& f, float x, float y, float z) {
  return f.x * x + f.y * y + f.z * z + f.at0;
}
inline ScreenPoint toScreen(const ScreenMap& map, const float* p) {
  return {valueOf(map.column, p[0], p[1], p[2]), valueOf(map.row, p[0], p[1], p[2]),
          valueOf(map.depth, p[0], p[1], p[2])};
}

/// Pixels beyond which nothing is drawn: fixed-point numbers of triangles stay exact. NaN is beyond as well.
constexpr float farthestPixel = 1 << 22;
inline bool withinReach(const ScreenPoint& p) {
  const auto within = [](float v) { return v > -farthestPixel && v < farthestPixel; };
  return within(p.column) && within(p.row) && p.depth - p.depth == 0;
}

/// The least whole number that is not below `v`, kept between two others.
inline int ceilBetween(float v, int low, int high) {
  if (!(v > static_cast<float>(low))) return low;
  if (v >= static_cast<float>(high)) return high;
  const int cut = static_cast<int>(v);
  return static_cast<float>(cut) < v ? cut + 1 : cut;
}

inline bool isCutAway(const GeometryCuts& cuts, float column, float row, float depth) {
  for (int i = 0; i < cuts.count; ++i) {
    if (valueOf(cuts.cuts[i], column, row, depth) > 0) return true;
  }
  return false;
}

/// Where the fragments of one shape go: the nearest of each sample.
class NearestSink {
 public:
  inline NearestSink(const GeometryPlan& plan, const GeometryCuts* cuts, float bias)
      : to_(plan.nearest), cuts_(cuts), bias_(bias), perSample_(1 / static_cast<float>(plan.samples)) {}
  [[nodiscard]] inline int width() const { return to_.width; }
  [[nodiscard]] inline int height() const { return to_.height; }
  inline void put(int column, int row, float depth, std::uint32_t id) const {
    if (cuts_ != nullptr && isCutAway(*cuts_, (static_cast<float>(column) + 0.5F) * perSample_,
                                      (static_cast<float>(row) + 0.5F) * perSample_, depth)) {
      return;
    }
    const auto at =
        static_cast<std::size_t>(row) * static_cast<std::size_t>(to_.width) + static_cast<std::size_t>(column);
    keepNearest(to_.nearest + at, static_cast<std::uint64_t>(orderedDepth(depth + bias_)) << 32 | id);
  }

 private:
  const Visibility& to_;
  const GeometryCuts* cuts_;
  float bias_;
  float perSample_;
};

/// Counts the fragments of each pixel, or puts them into the lists that were made by the counts.
class ListSink {
 public:
  inline ListSink(const GeometryPlan& plan, const FragmentLists& lists, bool fill, const GeometryCuts* cuts, float bias)
      : plan_(plan), lists_(lists), cuts_(cuts), bias_(bias), fill_(fill) {}
  [[nodiscard]] inline int width() const { return plan_.width; }
  [[nodiscard]] inline int height() const { return plan_.height; }
  inline void put(int column, int row, float depth, std::uint32_t id) const {
    if (cuts_ != nullptr &&
        isCutAway(*cuts_, static_cast<float>(column) + 0.5F, static_cast<float>(row) + 0.5F, depth)) {
      return;
    }
    const auto at =
        static_cast<std::size_t>(row) * static_cast<std::size_t>(plan_.width) + static_cast<std::size_t>(column);
#if defined(__CUDA_ARCH__)
    const std::uint32_t place = atomicAdd(lists_.counts + at, 1U);
#else
    const std::uint32_t place = __atomic_fetch_add(lists_.counts + at, 1U, __ATOMIC_RELAXED);
#endif
    if (fill_)
      lists_.entries[lists_.first[at] + place] = static_cast<std::uint64_t>(orderedDepth(depth + bias_)) << 32 | id;
  }

 private:
  const GeometryPlan& plan_;
  const FragmentLists& lists_;
  const GeometryCuts* cuts_;
  float bias_;
  bool fill_;
};

/// The pixels whose centres lie in a triangle; those on an edge that two triangles share belong to one of them.
template <class Sink>
inline void rasterTriangle(const Sink& sink, ScreenPoint a, ScreenPoint b, ScreenPoint c, std::uint32_t id) {
  if (!withinReach(a) || !withinReach(b) || !withinReach(c)) return;
  constexpr float unit = 256;  // fixed point: parts of a pixel
  const auto fixed = [](float v) { return static_cast<std::int64_t>(v * unit + (v < 0 ? -0.5F : 0.5F)); };
  std::int64_t x[3] = {fixed(a.column), fixed(b.column), fixed(c.column)};
  std::int64_t y[3] = {fixed(a.row), fixed(b.row), fixed(c.row)};
  float depth[3] = {a.depth, b.depth, c.depth};
  std::int64_t area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
  if (area == 0) return;
  if (area < 0) {  // seen from behind: the same pixels
    const std::int64_t swapX = x[1], swapY = y[1];
    const float swapDepth = depth[1];
    x[1] = x[2], y[1] = y[2], depth[1] = depth[2];
    x[2] = swapX, y[2] = swapY, depth[2] = swapDepth;
    area = -area;
  }
  const auto least = [](const std::int64_t* v) {
    const auto m = v[0] < v[1] ? v[0] : v[1];
    return m < v[2] ? m : v[2];
  };
  const auto most = [](const std::int64_t* v) {
    const auto m = v[0] > v[1] ? v[0] : v[1];
    return m > v[2] ? m : v[2];
  };
  // Pixel i has its centre at 256 i + 128.
  const auto firstPixel = [](std::int64_t v) { return (v - 128 + 255) >> 8; };
  const auto lastPixel = [](std::int64_t v) { return (v - 128) >> 8; };
  const std::int64_t left = firstPixel(least(x)) > 0 ? firstPixel(least(x)) : 0;
  const std::int64_t top = firstPixel(least(y)) > 0 ? firstPixel(least(y)) : 0;
  const std::int64_t right = lastPixel(most(x)) < sink.width() - 1 ? lastPixel(most(x)) : sink.width() - 1;
  const std::int64_t bottom = lastPixel(most(y)) < sink.height() - 1 ? lastPixel(most(y)) : sink.height() - 1;
  if (left > right || top > bottom) return;

  std::int64_t dx[3], dy[3], start[3];
  for (int e = 0; e < 3; ++e) {  // edge e lies opposite of corner e
    const int from = (e + 1) % 3, to = (e + 2) % 3;
    const std::int64_t ex = x[to] - x[from], ey = y[to] - y[from];
    dx[e] = -ey;
    dy[e] = ex;
    start[e] = ex * (top * 256 + 128 - y[from]) - ey * (left * 256 + 128 - x[from]);
    const bool owned = ey < 0 || (ey == 0 && ex > 0);  // left and top edges
    start[e] -= owned ? 0 : 1;
  }
  const float perArea = 1.0F / static_cast<float>(area);
  for (std::int64_t row = top; row <= bottom; ++row) {
    std::int64_t w[3] = {start[0], start[1], start[2]};
    bool inside = false;
    for (std::int64_t column = left; column <= right; ++column) {
      if ((w[0] | w[1] | w[2]) >= 0) {
        inside = true;
        const float d = depth[0] + (depth[1] - depth[0]) * (static_cast<float>(w[1]) * perArea) +
                        (depth[2] - depth[0]) * (static_cast<float>(w[2]) * perArea);
        sink.put(static_cast<int>(column), static_cast<int>(row), d, id);
      } else if (inside) {
        break;
      }
      for (int e = 0; e < 3; ++e) w[e] += dx[e] * 256;
    }
    for (int e = 0; e < 3; ++e) start[e] += dy[e] * 256;
  }
}

/// A line of some width: each column (row, if it is steep) that it crosses gets the pixels whose centres are near
/// enough. Pieces that follow each other share no column at their joint and leave none out.
template <class Sink>
inline void rasterLine(const Sink& sink, const LineShape& look, ScreenPoint a, ScreenPoint b, std::uint32_t id) {
  if (!withinReach(a) || !withinReach(b)) return;
  const float across = b.column - a.column, down = b.row - a.row;
  const bool steep = down * down > across * across;
  ScreenPoint from = a, to = b;
  if (steep) {
    from = {a.row, a.column, a.depth};
    to = {b.row, b.column, b.depth};
  }
  if (to.column < from.column) {
    const ScreenPoint other = from;
    from = to;
    to = other;
  }
  const int along = steep ? sink.height() : sink.width();
  const int sideways = steep ? sink.width() : sink.height();
  const int begin = ceilBetween(from.column - 0.5F, 0, along);
  const int end = ceilBetween(to.column - 0.5F, 0, along);
  if (begin >= end) return;
  const float perPixel = 1.0F / (to.column - from.column);
  const float slope = (to.row - from.row) * perPixel;
  const float deeper = (to.depth - from.depth) * perPixel;
  const float half = look.widthPixels * 0.5F * __builtin_sqrtf(1 + slope * slope);
  const float perHalf = 1 / half;
  for (int i = begin; i < end; ++i) {
    const float t = static_cast<float>(i) + 0.5F - from.column;
    const float middle = from.row + slope * t;
    const float depth = from.depth + deeper * t;
    const int first = ceilBetween(middle - half - 0.5F, 0, sideways);
    const int last = ceilBetween(middle + half - 0.5F, 0, sideways);
    for (int j = first; j < last; ++j) {
      const float off = (static_cast<float>(j) + 0.5F - middle) * perHalf;
      const float bulge =
          look.radiusMm > 0 ? look.radiusMm * __builtin_sqrtf(1 - off * off < 0 ? 0 : 1 - off * off) : 0;
      sink.put(steep ? j : i, steep ? i : j, depth - bulge, id);
    }
  }
}

/// All pixels whose centres are near enough to a piece of line: without gaps however short the pieces are.
template <class Sink>
inline void rasterEdge(const Sink& sink, float widthPixels, const ScreenPoint& a, const ScreenPoint& b,
                       std::uint32_t id) {
  if (!withinReach(a) || !withinReach(b)) return;
  const float half = widthPixels * 0.5F;
  const float dc = b.column - a.column, dr = b.row - a.row;
  const float squared = dc * dc + dr * dr;
  const float perSquared = squared > 0 ? 1 / squared : 0;
  const auto low = [&](float u, float v, int n) { return ceilBetween((u < v ? u : v) - half - 0.5F, 0, n); };
  const auto high = [&](float u, float v, int n) { return ceilBetween((u > v ? u : v) + half - 0.5F, 0, n); };
  const int left = low(a.column, b.column, sink.width()), right = high(a.column, b.column, sink.width());
  const int top = low(a.row, b.row, sink.height()), bottom = high(a.row, b.row, sink.height());
  for (int row = top; row < bottom; ++row) {
    for (int column = left; column < right; ++column) {
      const float c = static_cast<float>(column) + 0.5F - a.column, r = static_cast<float>(row) + 0.5F - a.row;
      const float raw = (c * dc + r * dr) * perSquared;
      const float part = raw > 0 ? (raw < 1 ? raw : 1) : 0;
      const float offC = c - dc * part, offR = r - dr * part;
      if (offC * offC + offR * offR <= half * half) sink.put(column, row, a.depth + (b.depth - a.depth) * part, id);
    }
  }
}

inline Linear scaled(const Linear& f, float by) {
  return {f.x * by, f.y * by, f.z * by, f.at0 * by};
}
/// The map to pixels of which there are `samples` along each side of one.
inline ScreenMap sampleMap(const ScreenMap& map, int samples) {
  const auto by = static_cast<float>(samples);
  return {scaled(map.column, by), scaled(map.row, by), map.depth};
}

/// Where a triangle meets depth 0: on two of its edges, `part` of the way from corner `from` to corner `to`.
struct Crossing {
  int from = 0;
  int to = 0;
  float part = 0;
  ScreenPoint at;
};
/// False if it does not. A corner at depth 0 counts as behind, so that neighbours agree.
inline bool crossesZero(const ScreenPoint* corners, Crossing* ends) {
  int found = 0;
  for (int e = 0; e < 3; ++e) {
    const ScreenPoint& a = corners[e];
    const ScreenPoint& b = corners[(e + 1) % 3];
    if ((a.depth < 0) == (b.depth < 0) || found == 2) continue;
    const float part = a.depth / (a.depth - b.depth);
    ends[found++] = {
        e, (e + 1) % 3, part, {a.column + (b.column - a.column) * part, a.row + (b.row - a.row) * part, 0}};
  }
  return found == 2;
}

/// Triangles `first` to before `last`; `scale`: pixels of the map for each of the edges' width.
template <class Sink>
inline void drawTriangles(const Sink& sink, const ScreenMap& map, const MeshShape& mesh, float scale,
                          std::uint32_t first, std::uint32_t last) {
  for (std::uint32_t t = first; t < last; ++t) {
    const std::uint32_t* numbers = mesh.triangles + static_cast<std::size_t>(t) * 3;
    ScreenPoint corners[3];
    for (int i = 0; i < 3; ++i) corners[i] = toScreen(map, mesh.points + static_cast<std::size_t>(numbers[i]) * 3);
    if (mesh.edgePixels <= 0) {
      rasterTriangle(sink, corners[0], corners[1], corners[2], mesh.firstId + t);
      continue;
    }
    Crossing ends[2];
    if (crossesZero(corners, ends)) rasterEdge(sink, mesh.edgePixels * scale, ends[0].at, ends[1].at, mesh.firstId + t);
  }
}

/// Shortens a piece of line to what the cuts leave of it; false if that is nothing. `perPixel`: pixels of the cuts for
/// each of the points'.
inline bool clipPiece(const GeometryCuts& cuts, float perPixel, ScreenPoint& a, ScreenPoint& b) {
  float from = 0, to = 1;
  for (int i = 0; i < cuts.count; ++i) {
    const float atA = valueOf(cuts.cuts[i], a.column * perPixel, a.row * perPixel, a.depth);
    const float atB = valueOf(cuts.cuts[i], b.column * perPixel, b.row * perPixel, b.depth);
    if (atA > 0 && atB > 0) return false;
    if (atA > 0) {
      const float part = atA / (atA - atB);
      from = part > from ? part : from;
    } else if (atB > 0) {
      const float part = atA / (atA - atB);
      to = part < to ? part : to;
    }
  }
  if (from > to) return false;
  const auto between = [&](float part) {
    return ScreenPoint{a.column + (b.column - a.column) * part, a.row + (b.row - a.row) * part,
                       a.depth + (b.depth - a.depth) * part};
  };
  const ScreenPoint start = between(from), end = between(to);
  if (from > 0) a = start;
  if (to < 1) b = end;
  return true;
}

/// Lines `first` to before `last` of the order; `scale`: pixels of the map for each of the line's width
/// and of the cuts. The sink has no cuts.
template <class Sink>
inline void drawLines(const Sink& sink, const ScreenMap& map, LineShape lines, float scale, std::uint64_t first,
                      std::uint64_t last) {
  lines.widthPixels *= scale;
  for (std::uint64_t i = first; i < last; ++i) {
    const std::uint64_t line = lines.order != nullptr ? lines.order[i] : i;
    const std::uint64_t begin = lines.offsets[line], end = lines.offsets[line + 1];
    if (end - begin < 2) continue;
    ScreenPoint before = toScreen(map, lines.points + begin * 3);
    for (std::uint64_t p = begin; p + 1 < end; ++p) {
      const ScreenPoint next = toScreen(map, lines.points + (p + 1) * 3);
      ScreenPoint a = before, b = next;
      before = next;
      if (lines.cuts != nullptr && !clipPiece(*lines.cuts, 1 / scale, a, b)) continue;
      const std::uint32_t id = lines.firstId + static_cast<std::uint32_t>(p);
      if (lines.dots) {
        rasterEdge(sink, lines.widthPixels, a, b, id);
      } else {
        rasterLine(sink, lines, a, b, id);
      }
    }
  }
}

}  // namespace nora::kernel::NORA_ISA
