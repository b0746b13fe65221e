// Every array that a plan points to, and how long it is: the one list from which plans are copied to a device. When a
// struct of render/kernel/plan.hpp gets another member, its size here no longer fits, and the new pointer (if it is
// one) has to be put on the list before the number is changed.
#pragma once

#include "render/kernel/plan.hpp"

#include <cstddef>

namespace nora {

/// What a visitor must have:
///   void voxels(const std::byte*& first, const kernel::Grid& grid);      one frame, of grid's shape, type and content
///   void table(const T*& first, std::size_t count);                      plain numbers
///   void nested(const T*& first, std::size_t count);                     structs that have arrays of their own
///   void picture(std::uint8_t*& rgba, int width, int height);            what is drawn into; nothing to copy
/// Pointers that are null are not shown to it.
template <class Visitor>
void visitArrays(kernel::SliceLayer& layer, Visitor& visitor, bool readsVoxels = true) {
  static_assert(sizeof(kernel::Grid) == 80 && sizeof(kernel::Sticks) == 72 && sizeof(kernel::SliceLayer) == 416);
  if (!readsVoxels) layer.grid.voxels = nullptr;
  if (layer.grid.voxels) visitor.voxels(layer.grid.voxels, layer.grid);
  for (const std::byte*& component : layer.components) {
    if (component && !readsVoxels) component = nullptr;
    if (component) visitor.voxels(component, layer.grid);
  }
  const bool labels = layer.look == kernel::Look::labels;
  const std::size_t ramp = layer.symmetric ? 512 : 256;
  const std::size_t palette = std::size_t{1} << (kernel::labelHueBits + kernel::labelToneBits);
  if (layer.colours) visitor.table(layer.colours, labels ? palette : ramp);
  if (layer.labelProbes > 0) {
    const std::size_t slots = (std::size_t{1} << (32 - layer.labelShift)) + static_cast<std::size_t>(layer.labelProbes);
    visitor.table(layer.labelKeys, slots);
    visitor.table(layer.labelColours, slots);
  }
  if (layer.slabCount > 0) visitor.table(layer.slabOffsets, static_cast<std::size_t>(layer.slabCount));
}

template <class Visitor>
void visitArrays(kernel::SlicePlan& plan, Visitor& visitor) {
  static_assert(sizeof(kernel::SlicePlan) == 40);
  visitor.picture(plan.rgba, plan.width, plan.height);
  const auto count = static_cast<std::size_t>(plan.layerCount) + static_cast<std::size_t>(plan.modulatorCount);
  if (count > 0) visitor.nested(plan.layers, count);
}

template <class Visitor>
void visitArrays(kernel::RayLayer& layer, Visitor& visitor) {
  static_assert(sizeof(kernel::RayLayer) == 760);
  const auto product = [](const int* n) {
    return static_cast<std::size_t>(n[0]) * static_cast<std::size_t>(n[1]) * static_cast<std::size_t>(n[2]);
  };
  visitor.voxels(layer.grid.voxels, layer.grid);
  visitArrays(layer.look, visitor, false);
  const auto entries = static_cast<std::size_t>(layer.lastEntry) + 1;
  constexpr std::size_t segments = std::size_t{kernel::segmentLevels} * kernel::segmentLevels;
  if (layer.extinction) visitor.table(layer.extinction, entries);
  if (layer.extinctionBefore) visitor.table(layer.extinctionBefore, entries);
  if (layer.segments) visitor.table(layer.segments, segments);
  if (layer.distance) visitor.table(layer.distance, product(layer.bricks));
  if (layer.bound) visitor.table(layer.bound, product(layer.bricks));
  if (layer.coarseBound) visitor.table(layer.coarseBound, product(layer.coarse));
}

template <class Visitor>
void visitArrays(kernel::RayPlan& plan, Visitor& visitor) {
  static_assert(sizeof(kernel::RaySlice) == 168 && sizeof(kernel::RayPlan) == 984);
  static_assert(sizeof(kernel::RayGeometry) == 40 && sizeof(kernel::Fragment) == 8);
  visitor.picture(plan.rgba, plan.width, plan.height);
  if (plan.layerCount > 0) visitor.nested(plan.layers, static_cast<std::size_t>(plan.layerCount));
  if (plan.geometry.first) {
    const auto pixels = static_cast<std::size_t>(plan.width) * static_cast<std::size_t>(plan.height);
    visitor.table(plan.geometry.first, pixels);
    visitor.table(plan.geometry.counts, pixels);
    if (plan.geometry.fragmentCount > 0) visitor.table(plan.geometry.fragments, plan.geometry.fragmentCount);
  }
  for (int s = 0; s < plan.sliceCount; ++s) visitArrays(plan.slices[s].picture, visitor);
}

/// Bytes of one frame, and of what kernels may load behind it.
[[nodiscard]] inline std::size_t bytesOf(const kernel::Grid& grid) {
  constexpr std::size_t loadedBehind = 4;
  return static_cast<std::size_t>(grid.stride[2]) * static_cast<std::size_t>(grid.dims[2]) + loadedBehind;
}

}  // namespace nora
