// What the readers of surfaces share: the arrays in the sink, checks of a finished mesh, names told by file names.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/array_block.hpp"
#include "image/io/file_reader.hpp"
#include "image/surface.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nora {

/// Plan all arrays, allocate once, fill.
struct MeshArrays {
  ArrayPlan plan;
  std::span<std::byte> memory = {};

  [[nodiscard]] Result<void> allocate(MemorySink& sink, const std::string& name);
  template <class T>
  [[nodiscard]] std::span<T> as(std::size_t array) const {
    return plan.as<T>(memory, array);
  }
  [[nodiscard]] std::span<std::byte> bytesOf(std::size_t array) const {
    const ArrayInfo& info = plan.arrays()[array];
    return memory.subspan(info.offset,
                          static_cast<std::size_t>(info.count * info.components) * bytesPerVoxel(info.type));
  }
};

/// Plans points and triangles and says so in `info`.
void planMesh(MeshArrays& arrays, SurfaceInfo& info, std::int64_t vertices, std::int64_t triangles);

/// Every point finite, every corner a vertex. Errors: invalidInput, naming the number.
[[nodiscard]] Result<void> checkMesh(const MeshArrays& arrays, const SurfaceInfo& info, const std::string& name);

/// Points and normals of the surface, moved. `worldFromFile` need not be orthogonal.
void transformMesh(const MeshArrays& arrays, const SurfaceInfo& info, const Affine& worldFromFile);

/// Negates x and y of points and normals.
[[nodiscard]] Affine rasFromLps();

/// The world that the tkRAS ("surface RAS") coordinates of FreeSurfer lie in, by the volume that the surface was made
/// of: its direction cosines and the world position of its centre. The sizes of voxels cancel out.
/// Source: FreeSurfer's description of coordinate systems: scanner = vox2ras * inverse(vox2ras-tkr) * tkRAS.
struct VolumeGeometry {
  Vec3 xRas{}, yRas{}, zRas{}, centre{};
};
[[nodiscard]] Affine scannerFromTkRas(const VolumeGeometry& geometry);

/// The name without folders and without .gz: "/a/lh.white.gz" -> "lh.white".
[[nodiscard]] std::string meshBaseName(const std::string& fileName);
/// Case does not matter; a .gz behind the suffix neither.
[[nodiscard]] bool hasMeshSuffix(const std::string& fileName, std::string_view suffix);
/// "CortexLeft", "CortexRight" by lh., rh., hemi-L, .L. and the like, else empty.
[[nodiscard]] std::string structureOfName(const std::string& fileName);
/// What values without a name are called: "lh.thickness" -> "thickness", "sub-1.curv.shape.gii" -> "sub-1.curv".
[[nodiscard]] std::string dataNameOf(const std::string& fileName);

/// Sets info.space by a header's "SPACE=LPS" or "SPACE=RAS" (3D Slicer); without one the space is unknown, is taken as
/// RAS, and a warning says so. True: the points are LPS.
bool applySpaceComment(SurfaceInfo& info, std::string_view header);

}  // namespace nora
