// The kernels that draw geometry. They work on one thing at a time: wider instructions would not help.
#define NORA_LANES 1
#define NORA_ISA geometry
#include "render/kernel/geometry_kernels.hpp"

#include "render/kernel/geometry.hpp"

namespace nora::kernel {

const GeometryKernels& geometryKernels() {
  static constexpr GeometryKernels kernels{&geometry::drawNearestMesh, &geometry::drawNearestLines,
                                           &geometry::listMesh,        &geometry::listLines,
                                           &geometry::shadeGeometry,   &geometry::blendGeometry};
  return kernels;
}

float depthOfKey(std::uint64_t key) {
  return geometry::depthOf(key);
}

}  // namespace nora::kernel
