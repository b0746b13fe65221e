#include "render/device/plan_upload.hpp"

#include "render/device/plan_arrays.hpp"

#include <cstring>
#include <type_traits>

namespace nora {
namespace {

constexpr std::size_t alignment = 256;  // whole memory transactions

std::size_t aligned(std::size_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

std::size_t pictureBytes(int width, int height) {
  return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4;
}

VoxelSource sourceOf(const std::byte* voxels, const kernel::Grid& grid) {
  return {voxels, bytesOf(grid), grid.content};
}

}  // namespace

/// Adds up what a plan needs; leaves it as it is.
struct PlanUpload::Measure {
  std::vector<VoxelSource>& wanted;
  std::size_t tables = aligned(sizeof(kernel::RayCounts));  // which come first
  std::size_t pictures = 0;

  void voxels(const std::byte*& first, const kernel::Grid& grid) { wanted.push_back(sourceOf(first, grid)); }
  template <class T>
  void table(const T*& /*first*/, std::size_t count) {
    tables += aligned(count * sizeof(T));
  }
  template <class T>
  void nested(const T*& first, std::size_t count) {
    tables += aligned(count * sizeof(T));
    for (std::size_t i = 0; i < count; ++i) {
      T one = first[i];
      visitArrays(one, *this);
    }
  }
  void picture(std::uint8_t*& /*rgba*/, int width, int height) { pictures += aligned(pictureBytes(width, height)); }
};

/// Copies tables to the staging buffer and turns all pointers into the device's.
struct PlanUpload::Place {
  const DeviceVoxels& held;
  std::byte* staging;
  std::byte* device;
  std::byte* pictures;
  std::size_t at = aligned(sizeof(kernel::RayCounts));
  std::size_t pictureAt = 0;

  void voxels(const std::byte*& first, const kernel::Grid& grid) { first = held.find(sourceOf(first, grid)); }
  template <class T>
  T* copy(const T*& first, std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::byte* to = staging + at;
    std::memcpy(to, first, count * sizeof(T));
    first = reinterpret_cast<const T*>(device + at);
    at += aligned(count * sizeof(T));
    return reinterpret_cast<T*>(to);
  }
  template <class T>
  void table(const T*& first, std::size_t count) {
    copy(first, count);
  }
  template <class T>
  void nested(const T*& first, std::size_t count) {
    T* copies = copy(first, count);
    for (std::size_t i = 0; i < count; ++i) visitArrays(copies[i], *this);
  }
  void picture(std::uint8_t*& rgba, int width, int height) {
    rgba = reinterpret_cast<std::uint8_t*>(pictures + pictureAt);
    pictureAt += aligned(pictureBytes(width, height));
  }
};

PlanUpload::PlanUpload(Device& device, DeviceVoxels& voxels)
    : device_(device),
      voxels_(voxels),
      staging_(device, DeviceMemory::Kind::staging),
      tables_(device, DeviceMemory::Kind::device),
      pictures_(device, DeviceMemory::Kind::device) {}

template <class Plan>
Result<void> PlanUpload::run(Plan& plan) {
  wanted_.clear();
  Measure measure{wanted_};
  Plan measured = plan;
  visitArrays(measured, measure);
  if (auto room = staging_.reserve(measure.tables); !room) return room;
  if (auto room = tables_.reserve(measure.tables); !room) return room;
  if (auto room = pictures_.reserve(measure.pictures); !room) return room;
  if (auto held = voxels_.hold(wanted_); !held) return held;
  std::memset(staging_.data(), 0, sizeof(kernel::RayCounts));
  Place place{voxels_, staging_.data(), tables_.data(), pictures_.data()};
  visitArrays(plan, place);
  return device_.copyTo(tables_.data(), staging_.data(), measure.tables);
}

template Result<void> PlanUpload::run(kernel::SlicePlan& plan);
template Result<void> PlanUpload::run(kernel::RayPlan& plan);

}  // namespace nora
