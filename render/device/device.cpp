#include "render/device/device.hpp"

#include <algorithm>

namespace nora {

Result<void> DeviceMemory::reserve(std::size_t bytes) {
  constexpr std::size_t least = std::size_t{1} << 20;
  constexpr std::size_t kept = std::size_t{64} << 20;  // what a single huge picture took is given back
  const bool tooMuch = size_ > kept && size_ / 8 > bytes;
  if (bytes <= size_ && !tooMuch) return {};
  clear();
  const std::size_t wanted = std::max(least, bytes + bytes / 4);  // growing a little at a time would cost each picture
  const auto made = kind_ == Kind::staging ? device_->allocateStaging(wanted) : device_->allocate(wanted);
  if (!made) return tl::make_unexpected(made.error());
  data_ = *made;
  size_ = wanted;
  return {};
}

void DeviceMemory::clear() {
  if (data_ && kind_ == Kind::staging) device_->releaseStaging(data_);
  if (data_ && kind_ == Kind::device) device_->release(data_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace nora
