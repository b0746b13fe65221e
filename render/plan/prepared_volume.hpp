// What a volume view needs beyond the voxels: ranges of its bricks, and how far each brick is from one that can be
// seen.
#pragma once

#include "image/volume.hpp"
#include "render/kernel/plan.hpp"
#include "render/scene/transfer_function.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace nora {

/// One frame (time point and component) of a volume, ready to be ray cast.
class PreparedVolume {
 public:
  /// Reads all voxels of the frame once (in parallel). Types that the kernels do not cast are copied: 32- and 64-bit
  /// whole numbers and doubles to float, colours to their luminance.
  PreparedVolume(const std::shared_ptr<const Volume>& volume, std::int64_t time, std::int64_t component,
                 const kernel::Kernels& kernels);

  [[nodiscard]] bool isFor(const std::shared_ptr<const Volume>& volume, std::int64_t time,
                           std::int64_t component) const;
  [[nodiscard]] bool expired() const { return volume_.expired(); }
  [[nodiscard]] const kernel::Grid& grid() const { return grid_; }
  [[nodiscard]] const int* bricks() const { return bricks_; }

  /// Distances in bricks (Chebyshev, at most 15) to the next brick that the tables can show. Kept until they change.
  [[nodiscard]] const std::uint8_t* distances(const TransferFunction& transfer, float entryPerStored,
                                              float entryOffset);

 private:
  void convert(const Volume& volume, std::int64_t time, std::int64_t component);
  void markVisible(const TransferFunction& transfer, float entryPerStored, float entryOffset);
  void spreadDistances();

  std::weak_ptr<const Volume> volume_;
  std::int64_t time_ = 0;
  std::int64_t component_ = 0;
  kernel::Grid grid_;
  std::vector<std::byte> converted_;
  int bricks_[3]{};
  std::vector<float> low_;  // of stored values
  std::vector<float> high_;
  std::vector<std::uint8_t> distances_;
  std::vector<std::uint8_t> scratch_;
  std::vector<std::uint32_t> shownBefore_;
  std::unique_ptr<TransferFunction> transfer_;  // that `distances_` is for
};

/// The few frames that were shown last. Does not keep volumes alive.
class PreparedVolumes {
 public:
  [[nodiscard]] PreparedVolume& get(const std::shared_ptr<const Volume>& volume, std::int64_t time,
                                    std::int64_t component, const kernel::Kernels& kernels);

 private:
  static constexpr std::size_t most_ = 8;
  std::vector<std::unique_ptr<PreparedVolume>> frames_;  // last used first
};

}  // namespace nora
