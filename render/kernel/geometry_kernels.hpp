// The kernels of one instruction set that draw geometry.
#pragma once

#include "render/kernel/geometry_plan.hpp"

namespace nora::kernel {

/// Any number of threads may call these for parts of the same plan; a step ends before the next begins.
struct GeometryKernels {
  void (*drawOpaqueMesh)(const GeometryPlan&, int index, std::uint64_t first, std::uint64_t last) = nullptr;
  void (*drawOpaqueLines)(const GeometryPlan&, int index, std::uint64_t first, std::uint64_t last) = nullptr;
  void (*listMesh)(const GeometryPlan&, const FragmentLists&, bool fill, int index, std::uint64_t first,
                   std::uint64_t last) = nullptr;
  void (*listLines)(const GeometryPlan&, const FragmentLists&, bool fill, int index, std::uint64_t first,
                    std::uint64_t last) = nullptr;
  void (*shadeGeometry)(const GeometryPlan&, const FragmentLists&, const Tile&) = nullptr;
};

}  // namespace nora::kernel
