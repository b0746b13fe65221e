// Reading voxels for many lanes at once: nearest and trilinear, with the meaning of Volume::value and Volume::trilinear
// (edges clamped, background beyond half a voxel outside). Results are stored values, before slope and intercept.
#pragma once

#include "render/kernel/lanes.hpp"
#include "render/kernel/plan.hpp"

namespace nora::kernel::NORA_ISA {

struct Point {
  Float x, y, z;
};

/// The eight voxels around a position, and where it lies between them.
struct Cell {
  Int x, y, z;       // lowest corner
  Float fx, fy, fz;  // 0..1 towards the next voxel
};

/// The extent of a grid, spread over lanes once.
struct Extent {
  Float last[3];      // centre of the last voxel
  Float lastCell[3];  // lowest corner of the last cell: one less, but not negative

  Extent() = default;
  inline explicit Extent(const Grid& grid) {
    for (int a = 0; a < 3; ++a) {
      const auto n = static_cast<float>(grid.dims[a] - 1);
      last[a] = splat(n);
      lastCell[a] = splat(n > 0 ? n - 1 : 0.0F);
    }
  }

  [[nodiscard]] inline Mask contains(const Point& p) const {
    const Float half = splat(0.5F);
    const Mask x = both(lessEqual(-half, p.x), lessEqual(p.x, last[0] + half));
    const Mask y = both(lessEqual(-half, p.y), lessEqual(p.y, last[1] + half));
    const Mask z = both(lessEqual(-half, p.z), lessEqual(p.z, last[2] + half));
    return both(both(x, y), z);
  }
  /// The faces themselves are outside, as rounding half away from zero has it.
  [[nodiscard]] inline Mask containsNearest(const Point& p) const {
    const Float half = splat(0.5F);
    const Mask x = both(less(-half, p.x), less(p.x, last[0] + half));
    const Mask y = both(less(-half, p.y), less(p.y, last[1] + half));
    const Mask z = both(less(-half, p.z), less(p.z, last[2] + half));
    return both(both(x, y), z);
  }

  [[nodiscard]] inline Cell cellAt(const Point& p) const {
    const Float zero = splat(0.0F);
    const Float x = clampTo(p.x, zero, last[0]);
    const Float y = clampTo(p.y, zero, last[1]);
    const Float z = clampTo(p.z, zero, last[2]);
    Cell cell;
    cell.x = toInt(least(x, lastCell[0]));
    cell.y = toInt(least(y, lastCell[1]));
    cell.z = toInt(least(z, lastCell[2]));
    cell.fx = x - toFloat(cell.x);
    cell.fy = y - toFloat(cell.y);
    cell.fz = z - toFloat(cell.z);
    return cell;
  }

  [[nodiscard]] inline Cell nearestAt(const Point& p) const {
    const Float zero = splat(0.0F);
    const Float half = splat(0.5F);
    Cell cell{};
    cell.x = toInt(clampTo(p.x + half, zero, last[0]));
    cell.y = toInt(clampTo(p.y + half, zero, last[1]));
    cell.z = toInt(clampTo(p.z + half, zero, last[2]));
    return cell;
  }
};

inline Float mix(Float a, Float b, Float w) {
  return a + w * (b - a);
}

/// Byte offsets of a volume over 2 GB.
struct BigOffset {
  std::int64_t at[lanes];
};

#if defined(NORA_PIXEL_THREADS)
constexpr bool alwaysBig = true;  // addresses have 64 bits anyway, and half the code remains
#else
constexpr bool alwaysBig = false;
#endif

/// Offsets that lie some bytes beside others, which must live as long.
struct MovedOffsets {
  const std::int32_t* at;
  std::int64_t bytes;
};

/// Loads voxels of type T. `big`: offsets need more than 31 bits.
template <class T, bool big>
class Voxels {
 public:
  static constexpr bool isFloat = __is_same(T, float) || __is_same(T, double);
  static constexpr bool gathers = !big && sizeof(T) <= 4;

  inline explicit Voxels(const Grid& grid)
      : base_(grid.voxels),
        strideY_(grid.stride[1]),
        strideZ_(grid.stride[2]),
        nextY_(grid.dims[1] > 1 ? grid.stride[1] : 0),
        nextZ_(grid.dims[2] > 1 ? grid.stride[2] : 0) {}

  [[nodiscard]] inline Int offsetLanes(Int x, Int y, Int z) const {
    return x * static_cast<std::int32_t>(sizeof(T)) + y * static_cast<std::int32_t>(strideY_) +
           z * static_cast<std::int32_t>(strideZ_);
  }
  [[nodiscard]] inline auto offset(Int x, Int y, Int z) const {
    if constexpr (gathers) {
      return offsetsOf(offsetLanes(x, y, z));
    } else {
      BigOffset out;
      for (int i = 0; i < lanes; ++i) {
        out.at[i] = lane(x, i) * static_cast<std::int64_t>(sizeof(T)) + lane(y, i) * strideY_ + lane(z, i) * strideZ_;
      }
      return out;
    }
  }
  [[nodiscard]] inline static MovedOffsets moved(const Offsets& offset, std::int64_t bytes) {
    return {offset.at, bytes};
  }
  [[nodiscard]] inline static MovedOffsets moved(const MovedOffsets& offset, std::int64_t bytes) {
    return {offset.at, offset.bytes + bytes};
  }
  [[nodiscard]] inline static BigOffset moved(BigOffset offset, std::int64_t bytes) {
    for (auto& at : offset.at) at += bytes;
    return offset;
  }
  [[nodiscard]] inline std::int64_t nextY() const { return nextY_; }
  [[nodiscard]] inline std::int64_t nextZ() const { return nextZ_; }

  /// The voxels at an offset.
  template <class Offset>
  [[nodiscard]] inline Float one(const Offset& offset) const {
    if constexpr (gathers) {
      return first(words(offset));
    } else {
      Float out{};
      for (int i = 0; i < lanes; ++i) setLane(out, i, static_cast<float>(scalar(offset.at[i])));
      return out;
    }
  }

  /// The voxels at an offset and the next ones along x: one gather where both lie in four bytes.
  template <class Offset>
  inline void pair(const Offset& offset, Float& a, Float& b) const {
    if constexpr (gathers && sizeof(T) < 4) {
      const Int word = words(offset);
      a = first(word);
      b = second(word);
    } else {
      a = one(offset);
      b = one(moved(offset, sizeof(T)));
    }
  }

  /// The voxel's low 32 bits as a whole number; fractions are rounded.
  template <class Offset>
  [[nodiscard]] inline Int whole(const Offset& offset) const {
    if constexpr (gathers && !isFloat) {
      const Int word = words(offset);
      if constexpr (sizeof(T) == 4) return word;
      return toInt(first(word));
    } else if constexpr (!isFloat) {
      Int out{};
      for (int i = 0; i < lanes; ++i) setLane(out, i, static_cast<std::int32_t>(scalar(offset.at[i])));
      return out;
    } else {
      return rounded(one(offset));
    }
  }

  [[nodiscard]] inline static Int rounded(Float v) {
    const Float most = splat(2147483520.0F);  // the largest float below 2^31
    const Float zero = splat(0.0F);
    const Float number = select(notEqual(v, v), zero, v);
    const Float half = select(less(number, zero), splat(-0.5F), splat(0.5F));
    return toInt(clampTo(number + half, -most, most));
  }

  /// `mayBeFlat`: look whether the position lies in a plane or row of voxels, which needs fewer of them.
  [[nodiscard]] inline Float trilinear(const Cell& cell, bool mayBeFlat) const {
    const auto at = offset(cell.x, cell.y, cell.z);
    const Float zero = splat(0.0F);
    Float value;
    if (mayBeFlat && !any(notEqual(cell.fz, zero))) {
      value = any(notEqual(cell.fy, zero)) ? bilinear(at, cell) : linear(at, cell);
    } else {
      value = mix(bilinear(at, cell), bilinear(moved(at, nextZ_), cell), cell.fz);
    }
    if constexpr (isFloat) {
      if (any(notEqual(value, value))) value = carefully(at, cell);
    }
    return value;
  }

 private:
  template <class Offset>
  [[nodiscard]] inline Float linear(const Offset& at, const Cell& cell) const {
    Float a;
    Float b;
    pair(at, a, b);
    return mix(a, b, cell.fx);
  }
  template <class Offset>
  [[nodiscard]] inline Float bilinear(const Offset& at, const Cell& cell) const {
    return mix(linear(at, cell), linear(moved(at, nextY_), cell), cell.fy);
  }

  /// A neighbour that is not a number does not count if its weight is 0.
  template <class Offset>
  [[nodiscard]] inline Float carefully(const Offset& at, const Cell& cell) const {
    const Float zero = splat(0.0F);
    const Float one_ = splat(1.0F);
    Float sum = zero;
    for (int corner = 0; corner < 8; ++corner) {
      const bool right = (corner & 1) != 0;
      const bool down = (corner & 2) != 0;
      const bool far = (corner & 4) != 0;
      const Float weight =
          (right ? cell.fx : one_ - cell.fx) * (down ? cell.fy : one_ - cell.fy) * (far ? cell.fz : one_ - cell.fz);
      const std::int64_t move = (right ? std::int64_t{sizeof(T)} : 0) + (down ? nextY_ : 0) + (far ? nextZ_ : 0);
      sum = select(notEqual(weight, zero), sum + weight * one(moved(at, move)), sum);
    }
    return sum;
  }

  [[nodiscard]] inline Int words(const Offsets& offset) const { return gatherBytes(base_, offset.at); }
  [[nodiscard]] inline Int words(const MovedOffsets& offset) const {
    return gatherBytes(base_ + offset.bytes, offset.at);
  }

  [[nodiscard]] inline T scalar(std::int64_t offset) const { return loadAligned<T>(base_ + offset); }

  /// Takes the first or second voxel out of four bytes.
  [[nodiscard]] inline static Float first(Int word) {
    if constexpr (__is_same(T, float)) {
      return asFloat(word);
    } else if constexpr (__is_same(T, std::int8_t)) {
      return toFloat(shiftLeft(word, 24) >> 24);
    } else if constexpr (__is_same(T, std::uint8_t)) {
      return toFloat(word & 0xff);
    } else if constexpr (__is_same(T, std::int16_t)) {
      return toFloat(shiftLeft(word, 16) >> 16);
    } else if constexpr (__is_same(T, std::uint16_t)) {
      return toFloat(word & 0xffff);
    } else if constexpr (__is_same(T, std::uint32_t)) {
      return toFloatUnsigned(word);
    } else {
      return toFloat(word);
    }
  }
  [[nodiscard]] inline static Float second(Int word) {
    if constexpr (__is_same(T, std::int8_t)) {
      return toFloat(shiftLeft(word, 16) >> 24);
    } else if constexpr (__is_same(T, std::uint8_t)) {
      return toFloat((word >> 8) & 0xff);
    } else if constexpr (__is_same(T, std::int16_t)) {
      return toFloat(word >> 16);
    } else {
      return toFloat(shiftRightUnsigned(word, 16));
    }
  }

  const std::byte* base_;
  std::int64_t strideY_;
  std::int64_t strideZ_;
  std::int64_t nextY_;
  std::int64_t nextZ_;
};

/// Calls `visitor(Voxels<T, big>)` for the grid's type. 64-bit types always load lane by lane.
template <class Visitor>
inline auto visitVoxels(const Grid& grid, Visitor&& visitor) {
  const auto sized = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (sizeof(T) == 8 || alwaysBig) return visitor(Voxels<T, true>(grid));
    return grid.big ? visitor(Voxels<T, true>(grid)) : visitor(Voxels<T, false>(grid));
  };
  switch (grid.stored) {
    case Stored::int8: return sized(std::int8_t{});
    case Stored::int16: return sized(std::int16_t{});
    case Stored::uint16: return sized(std::uint16_t{});
    case Stored::int32: return sized(std::int32_t{});
    case Stored::uint32: return sized(std::uint32_t{});
    case Stored::int64: return sized(std::int64_t{});
    case Stored::uint64: return sized(std::uint64_t{});
    case Stored::float32: return sized(float{});
    case Stored::float64: return sized(double{});
    default: break;
  }
  return sized(std::uint8_t{});
}

}  // namespace nora::kernel::NORA_ISA
