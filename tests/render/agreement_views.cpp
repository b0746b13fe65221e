#include "tests/render/agreement_views.hpp"

#include "tests/render/shape_phantoms.hpp"

#include <numbers>

namespace nora::agreement {
namespace {

using phantom::Dims;
using phantom::make;
using phantom::scaled;
using phantom::Studio;
using phantom::turned;

constexpr Dims dims{45, 38, 33};

/// A soft ball with waves in it, -1..1; nothing is symmetric.
double shape(double x, double y, double z) {
  const double u = (x - 20) / 18;
  const double v = (y - 18) / 15;
  const double w = (z - 17) / 14;
  const double r = std::sqrt(u * u + v * v + w * w);
  return std::clamp(1.6 - 2 * r, -1.0, 1.0) + 0.25 * std::sin(5 * u + 2 * v) * std::cos(4 * w - v);
}

std::shared_ptr<const Volume> body(VoxelType type, double scale, double offset) {
  return make(type, dims, turned(scaled({1.1, 0.9, 1.7}, {}), dims), [=](auto x, auto y, auto z) {
    return std::round(scale * shape(static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)) + offset);
  });
}

std::shared_ptr<const Volume> withHoles() {
  return make(VoxelType::float32, {30, 31, 29}, scaled({1.5, 1.5, 1.5}, {-20, -22, -24}), [](auto x, auto y, auto z) {
    const bool hole = x > 12 && x < 17 && y > 9 && y < 15;
    return hole ? std::numeric_limits<double>::quiet_NaN()
                : 3 * shape(static_cast<double>(x) * 1.3, static_cast<double>(y) * 1.2, static_cast<double>(z));
  });
}

std::shared_ptr<const Volume> labels(VoxelType type, bool named) {
  auto volume = make(type, {26, 24, 22}, turned(scaled({1.9, 1.8, 2.0}, {}), {26, 24, 22}), [](auto x, auto y, auto z) {
    const double s = shape(static_cast<double>(x) * 1.7, static_cast<double>(y) * 1.6, static_cast<double>(z) * 1.5);
    return s < 0 ? 0 : 1 + x / 7 + 5 * (y / 9) + (s > 0.8 ? 40 : 0);
  });
  if (!named) return volume;
  ImageInfo info = volume->info();
  info.labels =
      LabelTable({{1, "one", {255, 0, 0, 255}}, {2, "two", {0, 255, 0, 128}}, {41, "core", {0, 80, 255, 255}}});
  const std::span<const std::byte> bytes(volume->frame(0), volume->frameBytes());
  return std::make_shared<const Volume>(*Volume::copyOf(info, bytes, "named labels"));
}

/// Interleaved colours, or three planes of a direction.
std::shared_ptr<const Volume> manifold(VoxelType type, std::int64_t components, std::int64_t times) {
  ImageInfo info;
  info.dims = {20, 18, 16};
  info.type = type;
  info.components = components;
  info.timePoints = times;
  info.format = "MIF";
  info.worldFromVoxel = turned(scaled({2.2, 2.1, 2.5}, {}), {20, 18, 16});
  const std::size_t count = std::size_t{20} * 18 * 16 * static_cast<std::size_t>(components * times);
  std::vector<std::byte> bytes(count * bytesPerVoxel(type));
  for (std::size_t i = 0; i < bytes.size() / (isColour(type) ? 1 : 4); ++i) {
    const double value = std::sin(static_cast<double>(i) * 0.013) * std::cos(static_cast<double>(i) * 0.0007);
    if (isColour(type)) {
      bytes[i] = static_cast<std::byte>(static_cast<int>(127 + 120 * value));
    } else {
      const auto stored = static_cast<float>(value);
      std::memcpy(bytes.data() + i * 4, &stored, 4);
    }
  }
  return std::make_shared<const Volume>(*Volume::copyOf(info, bytes, "manifold"));
}

Layer& ct(Studio& s) {
  Layer& layer = s.add("ct", body(VoxelType::int16, 900, 100), -200, 1000);
  s.camera().azimuthDeg = 33;
  s.camera().elevationDeg = 21;
  return layer;
}

Layer& soft(Studio& s) {
  Layer& layer = ct(s);
  s.opacities({{0, 0}, {0.3, 0.02}, {0.6, 0.3}, {1, 0.6}});
  return layer;
}

template <VoxelType type>
void shadedOf(Studio& s) {
  s.add("a", body(type, 45, 68), 10, 115);
  s.opacities({{0.2, 0}, {0.5, 0.1}, {1, 0.7}});
  s.camera().azimuthDeg = 200;
}

template <VoxelType type>
void sliceOf(Studio& s) {
  s.add("a", body(type, 45, 68), 10, 115);
}

template <VolumeMode mode>
void projected(Studio& s) {
  Layer& layer = ct(s);
  if (mode == VolumeMode::minimum) layer.windowLow = -1500;
  s.camera().mode = mode;
}

template <SlabMode mode>
void slab(Studio& s) {
  ct(s).symmetric = mode == SlabMode::maximum;
  for (View& view : s.scene.views) {
    view.slabMm = 9;
    view.slabMode = mode;
  }
}

template <Interpolation filter>
void filtered(Studio& s) {
  ct(s).interpolation = filter;
  s.scene.crosshairMm = {1.3, -2.1, 3.7};
}

Layer& addLabels(Studio& s, VoxelType type, bool named, double outline) {
  Layer& layer = s.add("labels", labels(type, named), 0, 60);
  layer.colourMap = "labels";
  layer.outlinePixels = outline;
  layer.opacity = 0.8;
  return layer;
}

template <VectorLook look>
void directions(Studio& s) {
  ct(s);
  Layer& layer = s.add("v", manifold(VoxelType::float32, 3, 1), 0, 1);
  layer.vectors = look;
  layer.modulatedBy = "ct";
}

void overlays(Studio& s) {
  ct(s).gamma = 1.6;
  Layer& warm = s.add("t", withHoles(), 0.5, 3);
  warm.colourMap = "hot";
  warm.symmetric = true;
  warm.thresholdLow = 0.4;
  warm.opacity = 0.6;
  addLabels(s, VoxelType::int32, true, 2);
}

void timePoint(Studio& s) {
  s.add("series", manifold(VoxelType::float32, 1, 4), -1, 1).time = 2;
}

void colours(Studio& s, VoxelType type, bool slabs) {
  s.add("rgb", manifold(type, 1, 1), 0, 255);
  for (View& view : s.scene.views) {
    view.slabMm = slabs ? 8 : 0;
    view.slabMode = SlabMode::mean;
  }
}

void cutOpen(Studio& s) {
  soft(s);
  s.camera().crop = CropBox{{-15, -12, -20}, {14, 13, 18}};
  s.camera().clipPlanes = {{{0, 0, 4}, {0.3, -1, 0.5}}};
}

void sliced(Studio& s) {
  soft(s);
  addLabels(s, VoxelType::uint8, true, 1.5).inVolume = false;
  s.camera().slices = {Plane::axial, Plane::sagittal};
  s.scene.crosshairMm = {2, 1, -3};
}

void isosurface(Studio& s) {
  ct(s).isoValue = 350;
  s.camera().mode = VolumeMode::isosurface;
}

void severalInOneRay(Studio& s) {
  soft(s).inVolume = true;
  Layer& other = s.add("t", withHoles(), 0, 3);
  other.inVolume = true;
  other.transfer = phantom::transferAcross(other, {{0.2, 0}, {0.8, 0.4}});
  addLabels(s, VoxelType::int16, true, 0).inVolume = true;
}

void severalProjected(Studio& s) {
  ct(s).inVolume = true;
  Layer& other = s.add("t", withHoles(), 0, 3);
  other.inVolume = true;
  other.colourMap = "hot";
  other.thresholdLow = 1;
  addLabels(s, VoxelType::float32, false, 0).inVolume = true;
  s.camera().mode = VolumeMode::maximum;
  s.camera().slices = {Plane::coronal};
}

}  // namespace

/// A translucent ball and lines within fog, and a slice.
void shapes(Studio& studio) {
  studio.add("fog", body(VoxelType::uint8, 70, 80), 0, 200).inVolume = true;
  studio.opacities({{0, 0}, {1, 0.05}});
  studio.camera().slices = {Plane::axial};
  studio.add("ball", phantom::surface(phantom::sphere({0, 0, 0}, 20, 24))).opacity = 0.5;
  studio.add("lines", phantom::tracts({{{-30, -30, -30}, {30, 30, 30}}, {{30, -30, 0}, {-30, 30, 10}}}));
}

const std::vector<AgreementView>& views() {
  static const std::vector<AgreementView> all{
      {"Int8Slice", "axial", sliceOf<VoxelType::int8>},
      {"Uint32Slice", "coronal", sliceOf<VoxelType::uint32>},
      {"Int64Slice", "sagittal", sliceOf<VoxelType::int64>},
      {"DoubleSlice", "axial", sliceOf<VoxelType::float64>},
      {"LinearSlice", "coronal", filtered<Interpolation::linear>},
      {"NearestSlice", "coronal", filtered<Interpolation::nearest>},
      {"CubicSlice", "coronal", filtered<Interpolation::cubic>},
      {"MaximumSlab", "axial", slab<SlabMode::maximum>},
      {"MinimumSlab", "sagittal", slab<SlabMode::minimum>},
      {"MeanSlab", "coronal", slab<SlabMode::mean>},
      {"Overlays", "axial", overlays},
      {"ShapesInFog", "3d", shapes},
      {"ShapesInSlice", "coronal", shapes},
      {"FilledLabels", "coronal", [](Studio& s) { addLabels(s, VoxelType::uint16, false, 0); }},
      {"LabelOutlines", "axial", [](Studio& s) { addLabels(s, VoxelType::float32, true, 2.5); }},
      {"Directions", "axial", directions<VectorLook::direction>},
      {"Sticks", "coronal", directions<VectorLook::sticks>},
      {"ColourSlice", "axial", [](Studio& s) { colours(s, VoxelType::rgb24, false); }},
      {"ColourSlab", "sagittal", [](Studio& s) { colours(s, VoxelType::rgba32, true); }},
      {"TimePoint", "axial", timePoint},
      {"Nothing", "axial", [](Studio&) {}},
      {"NothingInSpace", "3d", [](Studio&) {}},
      {"ShadedInt16", "3d", [](Studio& s) { soft(s); }},
      {"ShadedUint8", "3d", shadedOf<VoxelType::uint8>},
      {"ShadedInt8", "3d", shadedOf<VoxelType::int8>},
      {"ShadedUint16", "3d", shadedOf<VoxelType::uint16>},
      {"ShadedInt32", "3d", shadedOf<VoxelType::int32>},
      {"ShadedColours", "3d", [](Studio& s) { colours(s, VoxelType::rgb24, false); }},
      {"CutOpen", "3d", cutOpen},
      {"WithSlices", "3d", sliced},
      {"Isosurface", "3d", isosurface},
      {"LabelSurfaces", "3d", [](Studio& s) { addLabels(s, VoxelType::int64, true, 0); }},
      {"Maximum", "3d", projected<VolumeMode::maximum>},
      {"Minimum", "3d", projected<VolumeMode::minimum>},
      {"Mean", "3d", projected<VolumeMode::mean>},
      {"SeveralInOneRay", "3d", severalInOneRay},
      {"SeveralProjected", "3d", severalProjected},
  };
  return all;
}

}  // namespace nora::agreement
