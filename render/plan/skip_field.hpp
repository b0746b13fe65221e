// Which bricks of a layer can be jumped over: how far each is from one that shows something, or the most that it can
// add to a projection. Kept from picture to picture.
#pragma once

#include "render/kernel/plan.hpp"
#include "render/plan/prepared_volume.hpp"
#include "render/scene/transfer_function.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace nora {

/// The ranges of values that a layer shows, both ends included.
struct ShownRange {
  float low = 0;
  float high = 0;
  friend bool operator==(const ShownRange&, const ShownRange&) = default;
};

/// One layer's. One thread at a time.
class SkipField {
 public:
  /// For a medium. Distances in bricks (Chebyshev, at most 15) to the next one that the tables can show.
  [[nodiscard]] const std::uint8_t* distances(const PreparedVolume& volume, const TransferFunction& transfer,
                                              float entryPerStored, float entryOffset);

  /// For surfaces and labels: bricks whose values (slope * stored + inter) reach into one of two ranges.
  [[nodiscard]] const std::uint8_t* distances(const PreparedVolume& volume, const ShownRange& range,
                                              const ShownRange& other, float slope, float inter);

  /// For projections: fills the layer's bounds.
  void bound(const PreparedVolume& volume, kernel::RayMode mode, kernel::RayLayer& layer);

 private:
  enum class Use : std::uint8_t { nothing, medium, ranges, projection };
  struct Ranges {
    ShownRange range, other;
    float slope = 1;
    float inter = 0;
    friend bool operator==(const Ranges&, const Ranges&) = default;
  };

  void markVisible(const PreparedVolume& volume, float entryPerStored, float entryOffset);
  void spreadDistances(const int* bricks);
  void spreadOnce(const int* bricks, std::ptrdiff_t z);
  [[nodiscard]] bool lowerOnce(const int* bricks, std::ptrdiff_t z);
  void fillBounds(const PreparedVolume& volume, kernel::RayMode mode, const kernel::SliceLayer& look);

  Use use_ = Use::nothing;
  std::uint64_t volume_ = 0;  // PreparedVolume::number
  TransferFunction transfer_;
  Ranges ranges_;
  kernel::RayMode mode_ = kernel::RayMode::maximum;
  bool symmetric_ = false;
  std::vector<std::uint8_t> distances_, scratch_;
  std::vector<std::uint32_t> shownBefore_;
  std::vector<float> bound_, coarse_;
};

}  // namespace nora
