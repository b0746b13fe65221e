#include "image/volume.hpp"

#include "image/content_number.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace nora {
namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

/// Stored value at a byte address; unaligned loads are fine.
double storedValue(VoxelType type, const std::byte* at) {
  if (isColour(type)) {
    const auto channel = [&](int i) { return static_cast<double>(std::to_integer<int>(at[i])); };
    return 0.299 * channel(0) + 0.587 * channel(1) + 0.114 * channel(2);
  }
  return visitScalar(type, [&](auto zero) {
    decltype(zero) stored;
    std::memcpy(&stored, at, sizeof stored);
    return static_cast<double>(stored);
  });
}

}  // namespace

Volume::Volume(ImageInfo info, MappedBytes bytes, std::size_t offset, std::string name, const TimeRange& held,
               const Affine& voxelFromWorld)
    : info_(std::move(info)),
      bytes_(std::move(bytes)),
      offset_(offset),
      contentNumber_(nextContentNumber()),
      name_(std::move(name)),
      held_(held),
      voxelFromWorld_(voxelFromWorld) {}

Result<Volume> Volume::create(ImageInfo info, MappedBytes bytes, std::size_t offset, std::string name,
                              std::optional<TimeRange> held) {
  const auto count = voxelCount(info, name);
  if (!count) return tl::make_unexpected(count.error());
  const TimeRange range = held.value_or(TimeRange{0, info.timePoints});
  if (range.first < 0 || range.count < 1 || range.first >= info.timePoints ||
      range.count > info.timePoints - range.first) {
    return fail(ErrorCode::invalidInput, "time points that the image does not have", name);
  }
  const std::size_t frames = *count / static_cast<std::size_t>(info.timePoints);
  const std::size_t needed = frames * static_cast<std::size_t>(range.count) * bytesPerVoxel(info.type);
  if (offset % 16 != 0) return fail(ErrorCode::internal, "voxels are not aligned to 16 bytes", name);
  if (bytes.size() < paddingBytes || offset > bytes.size() - paddingBytes ||
      needed > bytes.size() - paddingBytes - offset) {
    return fail(ErrorCode::invalidInput, "fewer voxels than the header claims", name);
  }
  const auto inverted = inverse(info.worldFromVoxel);
  if (!inverted) return fail(ErrorCode::invalidInput, "the affine is singular: the image has no place in space", name);
  return Volume(std::move(info), std::move(bytes), offset, std::move(name), range, *inverted);
}

Result<Volume> Volume::copyOf(ImageInfo info, std::span<const std::byte> voxels, std::string name) {
  const std::size_t size = voxels.size() + paddingBytes;
  auto fd = createMemoryFile(name, size);
  if (!fd) return tl::make_unexpected(fd.error());
  {
    auto mapping = MappedBytes::readWrite(fd->get(), size, name);
    if (!mapping) return tl::make_unexpected(mapping.error());
    if (!voxels.empty()) std::memcpy(mapping->writable().data(), voxels.data(), voxels.size());
  }
  auto bytes = MappedBytes::readOnly(fd->get(), name);
  if (!bytes) return tl::make_unexpected(bytes.error());
  return create(std::move(info), std::move(*bytes), 0, std::move(name));
}

Volume Volume::withStatistics(const VoxelStatistics& statistics) && {
  info_.statistics = statistics;
  return std::move(*this);
}

std::size_t Volume::frameBytes() const {
  return static_cast<std::size_t>(info_.dims[0] * info_.dims[1] * info_.dims[2]) * bytesPerVoxel(info_.type);
}

const std::byte* Volume::frame(std::int64_t t, std::int64_t c) const {
  const auto number = static_cast<std::size_t>(c * held_.count + t - held_.first);
  return bytes_.bytes().data() + offset_ + number * frameBytes();
}

double Volume::value(std::int64_t x, std::int64_t y, std::int64_t z, std::int64_t t, std::int64_t c) const {
  const auto& d = info_.dims;
  const bool inside =
      x >= 0 && y >= 0 && z >= 0 && x < d[0] && y < d[1] && z < d[2] && holds(t) && c >= 0 && c < info_.components;
  if (!inside) return notANumber;
  const auto index = static_cast<std::size_t>((z * d[1] + y) * d[0] + x);
  const double stored = storedValue(info_.type, frame(t, c) + index * bytesPerVoxel(info_.type));
  return info_.slope * stored + info_.inter;
}

double Volume::trilinear(const Vec3& voxel, std::int64_t t, std::int64_t c) const {
  std::array<std::array<std::int64_t, 2>, 3> corner{};
  std::array<std::array<double, 2>, 3> weight{};
  for (std::size_t a = 0; a < 3; ++a) {
    const auto last = static_cast<double>(info_.dims[a] - 1);
    if (!(voxel[a] >= -0.5 && voxel[a] <= last + 0.5)) return notANumber;
    const double p = std::clamp(voxel[a], 0.0, last);
    const double low = std::min(std::floor(p), std::max(last - 1, 0.0));
    corner[a] = {static_cast<std::int64_t>(low), std::min(static_cast<std::int64_t>(low) + 1, info_.dims[a] - 1)};
    weight[a] = {1 - (p - low), p - low};
  }
  double sum = 0;
  for (std::size_t k = 0; k < 8; ++k) {
    const std::array<std::size_t, 3> side{k & 1, (k >> 1) & 1, k >> 2};
    const double w = weight[0][side[0]] * weight[1][side[1]] * weight[2][side[2]];
    if (w == 0) continue;
    sum += w * value(corner[0][side[0]], corner[1][side[1]], corner[2][side[2]], t, c);
  }
  return std::isfinite(sum) ? sum : notANumber;
}

std::array<int, 3> colourAt(const Volume& volume, const std::array<std::int64_t, 3>& voxel, std::int64_t t,
                            std::int64_t c) {
  const auto& dims = volume.dims();
  const auto index = static_cast<std::size_t>((voxel[2] * dims[1] + voxel[1]) * dims[0] + voxel[0]);
  const std::byte* at = volume.frame(t, c) + index * bytesPerVoxel(volume.info().type);
  return {std::to_integer<int>(at[0]), std::to_integer<int>(at[1]), std::to_integer<int>(at[2])};
}

Probe probeAtMm(const Volume& volume, const Vec3& mm, std::int64_t t, std::int64_t c) {
  Probe out;
  out.mm = mm;
  const Vec3 voxel = volume.voxelFromWorld().point(mm);
  constexpr double farAway = 1e15;  // keeps the conversion to integers defined
  const bool somewhere = std::isfinite(voxel[0]) && std::isfinite(voxel[1]) && std::isfinite(voxel[2]);
  if (!somewhere) {
    out.voxel = {-1, -1, -1};
    out.value = out.trilinear = notANumber;
    return out;
  }
  for (std::size_t a = 0; a < 3; ++a) {
    out.voxel[a] = static_cast<std::int64_t>(std::round(std::clamp(voxel[a], -farAway, farAway)));
  }
  out.value = volume.value(out.voxel[0], out.voxel[1], out.voxel[2], t, c);
  out.inside = out.voxel[0] >= 0 && out.voxel[1] >= 0 && out.voxel[2] >= 0 && out.voxel[0] < volume.dims()[0] &&
               out.voxel[1] < volume.dims()[1] && out.voxel[2] < volume.dims()[2];
  out.trilinear = volume.trilinear(voxel, t, c);
  return out;
}

Probe probeAtVoxel(const Volume& volume, const std::array<std::int64_t, 3>& voxel, std::int64_t t, std::int64_t c) {
  const Vec3 position{static_cast<double>(voxel[0]), static_cast<double>(voxel[1]), static_cast<double>(voxel[2])};
  Probe out = probeAtMm(volume, volume.worldFromVoxel().point(position), t, c);
  out.voxel = voxel;
  out.value = volume.value(voxel[0], voxel[1], voxel[2], t, c);
  out.trilinear = volume.trilinear(position, t, c);
  out.inside = voxel[0] >= 0 && voxel[1] >= 0 && voxel[2] >= 0 && voxel[0] < volume.dims()[0] &&
               voxel[1] < volume.dims()[1] && voxel[2] < volume.dims()[2];
  return out;
}

}  // namespace nora
