// What a fragment looks like: found again from the number of its triangle or piece of line and its pixel, so that only
// what is seen is shaded.
#pragma once

#include "render/kernel/geometry_raster.hpp"
#include "render/kernel/ray_shading.hpp"
#include "render/kernel/slice_blend.hpp"

namespace nora::kernel::NORA_ISA {

struct Spot {
  float x = 0;
  float y = 0;
  float z = 0;
};
inline Spot spotAt(const float* p) {
  return {p[0], p[1], p[2]};
}
inline Spot operator-(const Spot& a, const Spot& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Spot operator+(const Spot& a, const Spot& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Spot operator*(const Spot& a, float s) {
  return {a.x * s, a.y * s, a.z * s};
}
inline float dotOf(const Spot& a, const Spot& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
inline Spot crossOf(const Spot& a, const Spot& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
/// Zero where it has no direction.
inline Spot unitOf(const Spot& a) {
  const float squared = dotOf(a, a);
  return squared > 1e-30F ? a * (1 / __builtin_sqrtf(squared)) : Spot{};
}

/// Red, green, blue 0..255 and how much of it, 0..1.
struct Paint {
  float red = 0;
  float green = 0;
  float blue = 0;
  float alpha = 1;
};
inline Paint paintOf(std::uint32_t colour, float alpha) {
  return {static_cast<float>(colour & 0xff), static_cast<float>(colour >> 8 & 0xff),
          static_cast<float>(colour >> 16 & 0xff), alpha};
}
inline void paintOver(Paint& under, const Paint& over) {
  under.red += (over.red - under.red) * over.alpha;
  under.green += (over.green - under.green) * over.alpha;
  under.blue += (over.blue - under.blue) * over.alpha;
}

template <class T>
inline T storedAt(const std::byte* values, std::size_t index) {
  T value;
  __builtin_memcpy(&value, values + index * sizeof(T), sizeof(T));
  return value;
}

inline float numberAt(const GeometryValues& v, std::size_t index) {
  switch (v.stored) {
    case Stored::int8: return storedAt<std::int8_t>(v.values, index);
    case Stored::uint8: return storedAt<std::uint8_t>(v.values, index);
    case Stored::int16: return storedAt<std::int16_t>(v.values, index);
    case Stored::uint16: return storedAt<std::uint16_t>(v.values, index);
    case Stored::int32: return static_cast<float>(storedAt<std::int32_t>(v.values, index));
    case Stored::uint32: return static_cast<float>(storedAt<std::uint32_t>(v.values, index));
    case Stored::int64: return static_cast<float>(storedAt<std::int64_t>(v.values, index));
    case Stored::uint64: return static_cast<float>(storedAt<std::uint64_t>(v.values, index));
    case Stored::float64: return static_cast<float>(storedAt<double>(v.values, index));
    default: break;
  }
  return storedAt<float>(v.values, index);
}

inline Paint paintOfRamp(const SliceLayer& look, float value) {
  const float shown = look.symmetric && value < 0 ? -value : value;
  const bool seen = value - value == 0 && shown >= look.thresholdLow && shown <= look.thresholdHigh;
  if (!seen) return {0, 0, 0, 0};
  const float place = lane(placeInWindow(look, splat(shown)), 0);
  const int index = static_cast<int>(place + 0.5F) + (look.symmetric && value < 0 ? 256 : 0);
  return paintOf(look.colours[index], look.opacity);
}

inline Paint paintOfLabel(const SliceLayer& look, std::int32_t label) {
  if (label == 0) return {0, 0, 0, 0};
  const auto colour = static_cast<std::uint32_t>(lane(labelColour(look, splat(label)), 0));
  return paintOf(colour, look.opacity * (static_cast<float>(colour >> 24) / 255));
}

inline std::int32_t labelAt(const GeometryValues& v, std::size_t index) {
  if (v.stored == Stored::int32 || v.stored == Stored::uint32) return storedAt<std::int32_t>(v.values, index);
  return static_cast<std::int32_t>(numberAt(v, index));
}

/// Colour of one vertex, point or line.
inline Paint paintAt(const GeometryValues& v, std::size_t index) {
  const std::size_t first = index * static_cast<std::size_t>(v.components);
  if (v.look.look == Look::labels) return paintOfLabel(v.look, labelAt(v, first));
  if (v.look.look == Look::colour) {
    const float alpha = v.components > 3 ? numberAt(v, first + 3) / 255 : 1;
    return {numberAt(v, first), numberAt(v, first + 1), numberAt(v, first + 2), alpha * v.look.opacity};
  }
  return paintOfRamp(v.look, numberAt(v, first));
}

/// Light on a surface: the same as in volumes (ray_shading.hpp).
inline Paint lit(const GeometryPlan& plan, const Spot& normal, Paint paint) {
  const Spot viewer{plan.viewer[0], plan.viewer[1], plan.viewer[2]};
  const Spot lamp{plan.light[0], plan.light[1], plan.light[2]};
  if (!plan.lit) return paint;
  float bright = evenLight, gloss = 0;
  if (dotOf(normal, normal) > 0) {
    const float along = dotOf(normal, viewer) < 0 ? -dotOf(normal, lamp) : dotOf(normal, lamp);
    const float cosine = along > 0 ? (along < 1 ? along : 1) : 0;
    const float c4 = cosine * cosine * cosine * cosine;
    bright = ambient + diffuse * cosine;
    gloss = c4 * c4 * c4 * c4 * 255 * specular;
  }
  const auto channel = [&](float v) {
    const float out = v * bright + gloss;
    return out < 255 ? out : 255;
  };
  return {channel(paint.red), channel(paint.green), channel(paint.blue), paint.alpha};
}

/// Where a pixel lies in a triangle: the weights of its corners, each at least 0.
struct Weights {
  float w[3];
};
inline Weights weightsIn(const ScreenPoint* corners, float column, float row) {
  const auto cross = [](const ScreenPoint& o, const ScreenPoint& p, float c, float r) {
    return (p.column - o.column) * (r - o.row) - (c - o.column) * (p.row - o.row);
  };
  Weights out{{cross(corners[1], corners[2], column, row), cross(corners[2], corners[0], column, row),
               cross(corners[0], corners[1], column, row)}};
  const float area = out.w[0] + out.w[1] + out.w[2];
  float sum = 0;
  for (float& w : out.w) {
    w = area != 0 ? w / area : 1.0F / 3;
    w = w > 0 ? w : 0;
    sum += w;
  }
  for (float& w : out.w) w = sum > 0 ? w / sum : 1.0F / 3;
  return out;
}

/// The same where a triangle is drawn as the line along which it meets depth 0.
inline Weights weightsAlong(const ScreenPoint* corners, float column, float row) {
  Crossing ends[2];
  if (!crossesZero(corners, ends)) return {{1.0F / 3, 1.0F / 3, 1.0F / 3}};
  const ScreenPoint &a = ends[0].at, &b = ends[1].at;
  const float dc = b.column - a.column, dr = b.row - a.row;
  const float squared = dc * dc + dr * dr;
  const float raw = squared > 0 ? ((column - a.column) * dc + (row - a.row) * dr) / squared : 0;
  const float part = raw > 0 ? (raw < 1 ? raw : 1) : 0;
  Weights out{{0, 0, 0}};
  for (int e = 0; e < 2; ++e) {
    const float share = e == 0 ? 1 - part : part;
    out.w[ends[e].from] += share * (1 - ends[e].part);
    out.w[ends[e].to] += share * ends[e].part;
  }
  return out;
}

/// Colour of a place of a triangle, overlays over the mesh's own.
inline Paint paintOfMesh(const MeshLook& mesh, const std::uint32_t* corners, const Weights& weights) {
  int nearest = 0;
  for (int i = 1; i < 3; ++i) nearest = weights.w[i] > weights.w[nearest] ? i : nearest;

  Paint paint = paintOf(mesh.colour, mesh.opacity);
  for (int o = 0; o < mesh.overlayCount; ++o) {
    const GeometryValues& overlay = mesh.overlays[o];
    if (overlay.look.look == Look::labels) {
      paintOver(paint, paintAt(overlay, corners[nearest]));
      continue;
    }
    if (overlay.look.look == Look::ramp) {
      float value = 0;
      for (int i = 0; i < 3; ++i) {
        const float w = weights.w[i];
        if (w > 0) value += w * numberAt(overlay, corners[i] * static_cast<std::size_t>(overlay.components));
      }
      paintOver(paint, paintOfRamp(overlay.look, value));
      continue;
    }
    Paint mixed{0, 0, 0, 0};
    for (int i = 0; i < 3; ++i) {
      const Paint own = paintAt(overlay, corners[i]);
      mixed.red += weights.w[i] * own.red;
      mixed.green += weights.w[i] * own.green;
      mixed.blue += weights.w[i] * own.blue;
      mixed.alpha += weights.w[i] * own.alpha;
    }
    paintOver(paint, mixed);
  }
  return paint;
}

inline Paint shadeMesh(const GeometryPlan& plan, const MeshLook& mesh, std::uint32_t triangle, float column,
                       float row) {
  const std::uint32_t* corners = mesh.shape.triangles + static_cast<std::size_t>(triangle) * 3;
  const float* at[3];
  ScreenPoint screen[3];
  for (int i = 0; i < 3; ++i) {
    at[i] = mesh.shape.points + static_cast<std::size_t>(corners[i]) * 3;
    screen[i] = toScreen(plan.map, at[i]);
  }
  const bool edge = mesh.shape.edgePixels > 0;
  const Weights weights = edge ? weightsAlong(screen, column, row) : weightsIn(screen, column, row);
  const Paint paint = paintOfMesh(mesh, corners, weights);
  if (!plan.lit) return paint;

  const Spot face = unitOf(crossOf(spotAt(at[1]) - spotAt(at[0]), spotAt(at[2]) - spotAt(at[0])));
  if (mesh.normals == nullptr) return lit(plan, face, paint);
  Spot normal{};
  for (int i = 0; i < 3; ++i) {
    normal = normal + spotAt(mesh.normals + static_cast<std::size_t>(corners[i]) * 3) * weights.w[i];
  }
  normal = unitOf(normal);
  return lit(plan, dotOf(normal, normal) > 0 ? normal : face, paint);
}

/// The line that has a point: the last whose first point is not behind it.
inline std::uint64_t lineOf(const LineLook& lines, std::uint64_t point) {
  std::uint64_t low = 0, high = lines.lineCount;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (lines.shape.offsets[middle] <= point ? low : high) = middle;
  }
  return low;
}

inline Paint paintOfDirection(const Spot& along, float alpha) {
  const Spot unit = unitOf(along);
  const auto channel = [](float v) { return 255 * (v < 0 ? -v : v); };
  return {channel(unit.x), channel(unit.y), channel(unit.z), alpha};
}

inline Paint paintOfLine(const LineLook& lines, std::uint64_t point, float part) {
  const float* points = lines.shape.points;
  const Spot a = spotAt(points + point * 3), b = spotAt(points + (point + 1) * 3);
  Paint under = paintOf(lines.colour, lines.opacity);
  switch (lines.by) {
    case LineColour::single: return under;
    case LineColour::direction: return paintOfDirection(b - a, lines.opacity);
    case LineColour::endToEnd: {
      const std::uint64_t line = lineOf(lines, point);
      const std::uint64_t first = lines.shape.offsets[line], last = lines.shape.offsets[line + 1] - 1;
      return paintOfDirection(spotAt(points + last * 3) - spotAt(points + first * 3), lines.opacity);
    }
    case LineColour::lines: paintOver(under, paintAt(lines.values, lineOf(lines, point))); return under;
    case LineColour::points: break;
  }
  if (lines.values.look.look != Look::ramp) {
    paintOver(under, paintAt(lines.values, part < 0.5F ? point : point + 1));
    return under;
  }
  const auto components = static_cast<std::size_t>(lines.values.components);
  const float from = numberAt(lines.values, point * components);
  const float to = numberAt(lines.values, (point + 1) * components);
  paintOver(under, paintOfRamp(lines.values.look, from + (to - from) * part));
  return under;
}

inline Paint shadeLine(const GeometryPlan& plan, const LineLook& lines, std::uint64_t point, float column, float row) {
  const float* at = lines.shape.points + point * 3;
  const ScreenPoint a = toScreen(plan.map, at), b = toScreen(plan.map, at + 3);
  const float dc = b.column - a.column, dr = b.row - a.row;
  const float squared = dc * dc + dr * dr;
  const float raw = squared > 0 ? ((column - a.column) * dc + (row - a.row) * dr) / squared : 0;
  const float part = raw > 0 ? (raw < 1 ? raw : 1) : 0;
  const Paint paint = paintOfLine(lines, point, part);

  // A cylinder around the line: its normal leans sideways with the distance from the middle.
  const Spot along = unitOf(spotAt(at + 3) - spotAt(at));
  const Spot viewer{plan.viewer[0], plan.viewer[1], plan.viewer[2]};
  const Spot sideways = unitOf(crossOf(along, viewer));
  const Spot facing = crossOf(sideways, along);
  float off = 0;
  if (squared > 0 && lines.shape.radiusMm > 0) {
    const float length = __builtin_sqrtf(squared);
    const float pixels = ((column - a.column) * dr - (row - a.row) * dc) / length;  // to the right of the line
    off = pixels / (lines.shape.widthPixels * 0.5F);
    off = off > -1 ? (off < 1 ? off : 1) : -1;
    // `sideways` on the screen: which side is that?
    const float turn =
        (plan.map.column.x * sideways.x + plan.map.column.y * sideways.y + plan.map.column.z * sideways.z) * dr -
        (plan.map.row.x * sideways.x + plan.map.row.y * sideways.y + plan.map.row.z * sideways.z) * dc;
    off = turn < 0 ? -off : off;
  }
  const Spot normal = sideways * off + facing * __builtin_sqrtf(1 - off * off);
  return lit(plan, normal, paint);
}

/// Colour and opacity of what has the number `id`, seen at a place of the picture.
inline Paint shadeFragment(const GeometryPlan& plan, std::uint32_t id, float column, float row) {
  for (int i = 0; i < plan.meshCount; ++i) {
    const MeshShape& shape = plan.meshes[i].shape;
    if (id - shape.firstId < shape.triangleCount)
      return shadeMesh(plan, plan.meshes[i], id - shape.firstId, column, row);
  }
  for (int i = 0; i < plan.lineCount; ++i) {
    const LineLook& lines = plan.lines[i];
    const std::uint64_t point = id - lines.shape.firstId;
    if (point < lines.shape.offsets[lines.lineCount]) return shadeLine(plan, lines, point, column, row);
  }
  return {0, 0, 0, 0};
}

}  // namespace nora::kernel::NORA_ISA
