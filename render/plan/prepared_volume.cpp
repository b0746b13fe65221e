#include "render/plan/prepared_volume.hpp"

#include "image/content_number.hpp"
#include "render/plan/grid.hpp"

#include <algorithm>
#include <cstring>

#include <tbb/parallel_for.h>

namespace nora {
namespace {

bool castDirectly(VoxelType type) {
  return type == VoxelType::int8 || type == VoxelType::uint8 || type == VoxelType::int16 || type == VoxelType::uint16 ||
         type == VoxelType::float32;
}

}  // namespace

PreparedVolume::PreparedVolume(const std::shared_ptr<const Volume>& volume, std::int64_t time, std::int64_t component,
                               bool asLabels, const kernel::Kernels& kernels)
    : number_(nextContentNumber()),
      volume_(volume),
      time_(time),
      component_(component),
      ownType_(asLabels || castDirectly(volume->info().type)),
      grid_(gridOf(*volume, time, component)) {
  if (!ownType_) convert(*volume, time, component);
  for (int a = 0; a < 3; ++a) {
    bricks_[a] = static_cast<int>((grid_.dims[a] + kernel::brickEdge - 1) / kernel::brickEdge);
  }
  const auto perLayer = static_cast<std::size_t>(bricks_[0]) * static_cast<std::size_t>(bricks_[1]);
  low_.resize(perLayer * static_cast<std::size_t>(bricks_[2]));
  high_.resize(low_.size());
  tbb::parallel_for(0, bricks_[2], [&](int z) {
    std::vector<float> row(static_cast<std::size_t>(grid_.dims[0]) * 2);
    const std::size_t first = perLayer * static_cast<std::size_t>(z);
    kernels.brickRanges(grid_, z, row.data(), low_.data() + first, high_.data() + first);
  });
}

bool PreparedVolume::isFor(const std::shared_ptr<const Volume>& volume, std::int64_t time, std::int64_t component,
                           bool asLabels) const {
  const bool typeFits = ownType_ == (asLabels || castDirectly(volume->info().type));
  return typeFits && volume_.lock() == volume && time_ == time && component_ == component;
}

void PreparedVolume::convert(const Volume& volume, std::int64_t time, std::int64_t component) {
  const VoxelType type = volume.info().type;
  const bool colour = isColour(type);
  const std::byte* from = volume.frame(time, component);
  const std::size_t in = bytesPerVoxel(type);
  const std::size_t out = colour ? 1 : sizeof(float);
  const auto sliceVoxels = static_cast<std::size_t>(volume.dims()[0]) * static_cast<std::size_t>(volume.dims()[1]);
  converted_.resize(sliceVoxels * static_cast<std::size_t>(volume.dims()[2]) * out + gatherPadding);
  tbb::parallel_for(std::int64_t{0}, volume.dims()[2], [&](std::int64_t z) {
    const std::size_t first = static_cast<std::size_t>(z) * sliceVoxels;
    for (std::size_t i = first; i < first + sliceVoxels; ++i) {
      if (colour) {
        const auto channel = [&](std::size_t c) { return std::to_integer<unsigned>(from[i * in + c]); };
        converted_[i] = static_cast<std::byte>((299 * channel(0) + 587 * channel(1) + 114 * channel(2) + 500) / 1000);
        continue;
      }
      visitScalar(type, [&](auto stored) {
        std::memcpy(&stored, from + i * in, sizeof stored);
        const auto value = static_cast<float>(stored);
        std::memcpy(converted_.data() + i * sizeof value, &value, sizeof value);
      });
    }
  });
  grid_ = makeGrid(converted_.data(), colour ? kernel::Stored::uint8 : kernel::Stored::float32, volume.dims(),
                   static_cast<std::int64_t>(out), number_);
}

PreparedVolume& PreparedVolumes::get(const std::shared_ptr<const Volume>& volume, std::int64_t time,
                                     std::int64_t component, bool asLabels, const kernel::Kernels& kernels) {
  std::erase_if(frames_, [](const auto& frame) { return frame->expired(); });
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (!frames_[i]->isFor(volume, time, component, asLabels)) continue;
    std::rotate(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(i),
                frames_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return *frames_.front();
  }
  if (frames_.size() >= most_) frames_.pop_back();
  frames_.insert(frames_.begin(), std::make_unique<PreparedVolume>(volume, time, component, asLabels, kernels));
  return *frames_.front();
}

}  // namespace nora
