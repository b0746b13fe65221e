#include "render/device/device_voxels.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <string>

namespace nora {
namespace {

std::string mebibytes(std::size_t bytes) {
  return std::to_string((bytes + (std::size_t{1} << 20) - 1) >> 20) + " MiB";
}

tl::unexpected<Error> tooLarge(std::size_t needed, std::size_t budget) {
  return fail(ErrorCode::limitExceeded, "the images of this picture need " + mebibytes(needed) +
                                            " of the GPU's memory and have " + mebibytes(budget));
}

}  // namespace

DeviceVoxels::~DeviceVoxels() {
  for (const Copy& copy : copies_) device_.release(copy.memory);
}

DeviceVoxels::Copy* DeviceVoxels::entryOf(const VoxelSource& source) {
  const auto found = std::find_if(copies_.begin(), copies_.end(), [&](const Copy& c) { return c.source == source; });
  return found == copies_.end() ? nullptr : &*found;
}

const std::byte* DeviceVoxels::find(const VoxelSource& source) const {
  const auto found = std::find_if(copies_.begin(), copies_.end(), [&](const Copy& c) { return c.source == source; });
  return found == copies_.end() ? nullptr : found->memory;
}

std::size_t DeviceVoxels::budget() const {
  return std::chrono::steady_clock::now() < limitedUntil_ ? std::min(budget_, limit_) : budget_;
}

Result<void> DeviceVoxels::hold(std::span<const VoxelSource> wanted) {
  ++use_;
  std::size_t needed = 0;
  for (auto source = wanted.begin(); source != wanted.end(); ++source) {
    if (source->content == 0) return fail(ErrorCode::internal, "voxels without a content number cannot be kept");
    if (std::find(wanted.begin(), source, *source) == source) needed += source->bytes;
  }
  if (needed > budget()) return tooLarge(needed, budget());
  for (const VoxelSource& source : wanted) {
    if (Copy* copy = entryOf(source)) copy->lastUse = use_;
  }
  for (const VoxelSource& source : wanted) {
    if (entryOf(source)) continue;
    if (auto added = add(source); !added) {
      if (added.error().code != ErrorCode::limitExceeded) return added;
      limit_ = held_;
      limitedUntil_ = std::chrono::steady_clock::now() + pause_;
      return tooLarge(needed, held_);
    }
  }
  return {};
}

Result<void> DeviceVoxels::add(const VoxelSource& source) {
  while (held_ + source.bytes > budget() && evictOne()) {
  }
  auto memory = device_.allocate(source.bytes);
  while (!memory && memory.error().code == ErrorCode::limitExceeded && evictOne())
    memory = device_.allocate(source.bytes);
  if (!memory) return tl::make_unexpected(memory.error());
  if (auto copied = device_.copyTo(*memory, source.voxels, source.bytes); !copied) {
    device_.release(*memory);
    return copied;
  }
  copies_.push_back({source, *memory, use_});
  held_ += source.bytes;
  return {};
}

bool DeviceVoxels::evictOne() {
  const auto oldest = std::min_element(copies_.begin(), copies_.end(),
                                       [](const Copy& a, const Copy& b) { return a.lastUse < b.lastUse; });
  if (oldest == copies_.end() || oldest->lastUse == use_) return false;
  log::debug("the GPU gives up an image of " + mebibytes(oldest->source.bytes));
  device_.release(oldest->memory);
  held_ -= oldest->source.bytes;
  copies_.erase(oldest);
  return true;
}

}  // namespace nora
