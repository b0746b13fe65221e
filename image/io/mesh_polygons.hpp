// Polygons become triangles: a fan around the first corner, as VTK's and most viewers' simplest case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nora {

/// Triangles that a polygon of so many corners makes; none for points and lines.
[[nodiscard]] constexpr std::uint64_t trianglesOf(std::uint64_t corners) {
  return corners < 3 ? 0 : corners - 2;
}

/// Writes fans one corner after the other, so that no polygon has to be kept.
class FanWriter {
 public:
  explicit FanWriter(std::span<std::uint32_t> out) : out_(out) {}

  void begin() { corner_ = 0; }
  /// False: no room (more corners than were counted).
  bool add(std::uint32_t vertex) {
    if (corner_ == 0) first_ = vertex;
    if (corner_ >= 2) {
      if (out_.size() - at_ < 3) return false;
      out_[at_] = first_;
      out_[at_ + 1] = last_;
      out_[at_ + 2] = vertex;
      at_ += 3;
    }
    last_ = vertex;
    ++corner_;
    return true;
  }
  [[nodiscard]] std::size_t triangles() const { return at_ / 3; }

 private:
  std::span<std::uint32_t> out_;
  std::size_t at_ = 0, corner_ = 0;
  std::uint32_t first_ = 0, last_ = 0;
};

}  // namespace nora
