// A volume view by the book: one ray a pixel, many short steps, double precision, no skipping and no tables. Slow; the
// picture that the quick one is compared with.
#pragma once

#include "benchmarks/render_subjects.hpp"

#include <vector>

namespace nora::bench {

/// Red, green and blue of every `every`th pixel in both directions of the shaded view "3d", with `oversampled` steps to
/// a voxel. The transfer function, the light and the camera are those of the scene.
[[nodiscard]] std::vector<double> denseReference(const Subject& subject, const Scene& scene, int width, int height,
                                                 int every, int oversampled);

/// Decibels between it and a frame.
[[nodiscard]] double psnr(const std::vector<double>& reference, const Frame& frame, int every);

/// Where the light of a volume view stands, and how surfaces answer it; the same numbers that the kernels have.
struct Lamp {
  Vec3 towards{};  // unit
  double ambient = 0.22;
  double diffuse = 0.88;
  double specular = 0.12;
  double power = 16;
  double even = 0.8;  // light where there is no surface
};
[[nodiscard]] Lamp lampOf(const ViewGeometry& geometry);

}  // namespace nora::bench
