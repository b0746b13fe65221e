// The kernels of one instruction set that draw geometry.
#pragma once

#include "render/kernel/geometry_plan.hpp"

namespace nora::kernel {

/// Any number of threads may call these for parts of the same plan; a step ends before the next begins.
struct GeometryKernels {
  void (*drawNearestMesh)(const GeometryPlan&, int index, std::uint64_t first, std::uint64_t last) = nullptr;
  void (*drawNearestLines)(const GeometryPlan&, int index, std::uint64_t first, std::uint64_t last) = nullptr;
  void (*listMesh)(const GeometryPlan&, const FragmentLists&, bool fill, int index, std::uint64_t first,
                   std::uint64_t last) = nullptr;
  void (*listLines)(const GeometryPlan&, const FragmentLists&, bool fill, int index, std::uint64_t first,
                    std::uint64_t last) = nullptr;
  void (*shadeGeometry)(const GeometryPlan&, const FragmentLists&, const Tile&) = nullptr;
  void (*blendGeometry)(const GeometryPlan&, const FragmentLists&, std::uint8_t* rgba, const Tile&) = nullptr;
};

[[nodiscard]] const GeometryKernels& geometryKernels();
/// The depth in an entry of a Visibility, millimetres.
[[nodiscard]] float depthOfKey(std::uint64_t key);

}  // namespace nora::kernel
