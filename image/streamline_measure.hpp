// Bounds, lengths and oddities of streamlines, in one pass over their points: readers may feed it block by block while
// they copy, so that the points pass through the cache once.
#pragma once

#include "image/affine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace nora {

struct TractogramInfo;

class StreamlineMeasure {
 public:
  /// `offsets` ascend from zero and end with the number of points; they must outlive this object.
  explicit StreamlineMeasure(std::span<const std::uint64_t> offsets);

  /// The next points, x y z, x y z, ...: whole points, all together as many as the offsets say.
  void add(std::span<const float> points);

  /// After the last point: writes bounds and lengths, and warnings of points that are not finite and of streamlines
  /// with no or one point.
  void finish(TractogramInfo& info);

 private:
  static constexpr std::size_t lanes = 12;  // four points side by side, which the compiler can vectorise
  static constexpr std::size_t blockPoints = 256;
  using Lanes = std::array<float, lanes>;

  void addBlock(const float* at, std::size_t count);
  void bound(const float* at, std::size_t count);
  void closeStreamlines();

  std::span<const std::uint64_t> offsets_;
  std::uint64_t seen_ = 0;      // points
  std::size_t streamline_ = 0;  // that the next point belongs to
  std::size_t oddPoints_ = 0, empty_ = 0, single_ = 0, measured_ = 0;
  std::array<float, 3> last_{};  // the point before the next
  Lanes least_, most_;
  double length_ = 0, total_ = 0;  // mm
  double shortest_ = std::numeric_limits<double>::infinity(), longest_ = 0;
};

}  // namespace nora
