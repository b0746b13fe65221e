// What a volume view needs beyond the voxels: the range of values of every brick.
#pragma once

#include "image/volume.hpp"
#include "render/kernel/plan.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace nora {

/// One frame (time point and component) of a volume, ready to be ray cast.
class PreparedVolume {
 public:
  /// Reads all voxels of the frame once (in parallel). Types that the kernels do not cast are copied: 32- and 64-bit
  /// whole numbers and doubles to float, colours to their luminance. `asLabels`: left in their own type.
  PreparedVolume(const std::shared_ptr<const Volume>& volume, std::int64_t time, std::int64_t component, bool asLabels,
                 const kernel::Kernels& kernels);

  [[nodiscard]] bool isFor(const std::shared_ptr<const Volume>& volume, std::int64_t time, std::int64_t component,
                           bool asLabels) const;
  [[nodiscard]] bool expired() const { return volume_.expired(); }
  [[nodiscard]] std::uint64_t number() const { return number_; }  // no other has it
  [[nodiscard]] const kernel::Grid& grid() const { return grid_; }
  [[nodiscard]] const int* bricks() const { return bricks_; }
  /// Least and greatest stored value of each brick; +inf, -inf where there is no number.
  [[nodiscard]] const std::vector<float>& low() const { return low_; }
  [[nodiscard]] const std::vector<float>& high() const { return high_; }

 private:
  void convert(const Volume& volume, std::int64_t time, std::int64_t component);

  std::uint64_t number_ = 0;
  std::weak_ptr<const Volume> volume_;
  std::int64_t time_ = 0;
  std::int64_t component_ = 0;
  bool ownType_ = false;  // in the type of the file
  kernel::Grid grid_;
  std::vector<std::byte> converted_;
  int bricks_[3]{};
  std::vector<float> low_;
  std::vector<float> high_;
};

/// The few frames that were shown last. Does not keep volumes alive.
class PreparedVolumes {
 public:
  [[nodiscard]] PreparedVolume& get(const std::shared_ptr<const Volume>& volume, std::int64_t time,
                                    std::int64_t component, bool asLabels, const kernel::Kernels& kernels);

 private:
  static constexpr std::size_t most_ = 2 * kernel::mostRayLayers;  // those of one picture stay
  std::vector<std::unique_ptr<PreparedVolume>> frames_;            // last used first
};

}  // namespace nora
