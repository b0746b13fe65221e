// The volumes that the rendering benchmarks draw: real ones where there are some, else generated ones.
#pragma once

#include "image/volume.hpp"
#include "render/renderer.hpp"
#include "render/scene/scene.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace nora::bench {

/// Voxels are int16 cubes along the world's axes, edge^3 of them, centred at the world's origin.
struct Subject {
  std::string name;  // "CT", "CT (generated)"
  std::shared_ptr<const Volume> volume;
};

/// The chest CT that NORA_BENCH_CT names (a folder of DICOM or a file), else ct_lidc_0314 of the shared data, else a
/// generated body with noise. Its axes are stretched to fill the cube: few CT have 512 slices.
[[nodiscard]] Subject ctSubject(int edge);

/// The T1 that NORA_BENCH_T1 names, else that of the sample data.
[[nodiscard]] Subject t1Subject(int edge);

/// The generated body, always the same.
[[nodiscard]] Subject madeSubject(int edge, VoxelType type = VoxelType::int16);

/// How a subject is looked at, whole, as a session begins.
struct Look {
  std::string name;
  Transfer transfer;
  VolumeMode mode = VolumeMode::shaded;
};

/// From opaque to thin. Colours and opacities of one millimetre.
[[nodiscard]] Look boneLook();
[[nodiscard]] Look fleshLook();
[[nodiscard]] Look fogLook();
[[nodiscard]] Look brainLook(const ImageInfo& info);

/// One layer and one view named "3d".
[[nodiscard]] Scene sceneOf(const Subject& subject, const Look& look);

/// A renderer and the frame that it draws into.
class Stage {
 public:
  Stage(const Subject& subject, const Look& look);

  /// Draws, and ends the program with a message if that fails.
  RenderStatistics draw(int width, int height, double stepScale = 1);

  /// Begins to draw and gives that up after a time: how long it takes until the renderer is back, in ms.
  double drawAndStop(int width, int height, std::chrono::milliseconds after);

  [[nodiscard]] const Frame& frame() const { return frame_; }
  [[nodiscard]] Scene& scene() { return scene_; }
  [[nodiscard]] const Subject& subject() const { return subject_; }

 private:
  Subject subject_;
  Scene scene_;
  LayerVolumes volumes_;
  std::unique_ptr<Renderer> renderer_;
  Frame frame_;
};

/// Of two pictures of the same size, in decibels.
[[nodiscard]] double psnr(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b);

}  // namespace nora::bench
