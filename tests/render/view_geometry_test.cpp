#include "render/scene/view_geometry.hpp"

#include "tests/render/phantoms.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

ImageInfo head() {
  ImageInfo info;
  info.dims = {180, 220, 160};
  info.worldFromVoxel = phantom::scaled({1, 1, 1.5}, {-89.5, -120, -60});
  return info;
}

ViewGeometry geometryOf(const Scene& scene, const View& view, int width, int height) {
  const ImageInfo info = head();
  const auto geometry = viewGeometry(scene, view, &info, width, height);
  EXPECT_TRUE(geometry);
  return *geometry;
}

Vec3 at(const ViewGeometry& g, double x, double y) {
  return g.originMm + g.rightMm * x + g.downMm * y;
}

void expectNear(const Vec3& a, const Vec3& b) {
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(a[i], b[i], 1e-9) << i;
}

TEST(ViewGeometry, BoundsAreTheOuterVoxelFaces) {
  const Bounds bounds = worldBounds(head());
  expectNear(bounds.low, {-90, -120.5, -60.75});
  expectNear(bounds.high, {90, 99.5, 179.25});
}

TEST(ViewGeometry, ZoomOneJustFits) {
  Scene scene;
  View view;
  const auto tall = geometryOf(scene, view, 1000, 220);  // axial: 180 x 220 mm
  EXPECT_NEAR(length(tall.rightMm), 1, 1e-12);
  EXPECT_NEAR(length(tall.downMm), 1, 1e-12);
  EXPECT_NEAR(at(tall, 0, 0)[1], 99.5, 1e-9);
  const auto narrow = geometryOf(scene, view, 90, 500);
  EXPECT_NEAR(length(narrow.rightMm), 2, 1e-12);
  EXPECT_NEAR(at(narrow, 0, 0)[0], 90, 1e-9);
}

TEST(ViewGeometry, ConventionMirrorsAxialAndCoronalOnly) {
  Scene scene;
  View view;
  expectNear(normalised(geometryOf(scene, view, 100, 100).rightMm), {-1, 0, 0});
  expectNear(normalised(geometryOf(scene, view, 100, 100).downMm), {0, -1, 0});
  view.plane = Plane::coronal;
  expectNear(normalised(geometryOf(scene, view, 100, 100).rightMm), {-1, 0, 0});
  expectNear(normalised(geometryOf(scene, view, 100, 100).downMm), {0, 0, -1});
  scene.convention = Convention::neurological;
  expectNear(normalised(geometryOf(scene, view, 100, 100).rightMm), {1, 0, 0});
  view.plane = Plane::axial;
  expectNear(normalised(geometryOf(scene, view, 100, 100).rightMm), {1, 0, 0});
  for (const auto convention : {Convention::radiological, Convention::neurological}) {
    scene.convention = convention;
    view.plane = Plane::sagittal;
    expectNear(normalised(geometryOf(scene, view, 100, 100).rightMm), {0, -1, 0});
    expectNear(normalised(geometryOf(scene, view, 100, 100).downMm), {0, 0, -1});
  }
}

TEST(ViewGeometry, SlicesLieExactlyInTheCrosshairsPlane) {
  Scene scene;
  scene.crosshairMm = {0.1, 17.3, -8.7};
  View view;
  view.centreMm = Vec3{5, 6, 7};
  for (const auto& [plane, axis] : {std::pair{Plane::axial, 2U}, {Plane::coronal, 1U}, {Plane::sagittal, 0U}}) {
    view.plane = plane;
    const auto g = geometryOf(scene, view, 333, 250);
    EXPECT_EQ(g.originMm[axis], scene.crosshairMm[axis]);
    Vec3 centre = *view.centreMm;
    centre[axis] = scene.crosshairMm[axis];
    expectNear(at(g, 166.5, 125), centre);
  }
}

TEST(ViewGeometry, ZoomKeepsTheCentre) {
  Scene scene;
  View view;
  const auto one = geometryOf(scene, view, 301, 200);
  view.zoom = 4;
  const auto four = geometryOf(scene, view, 301, 200);
  expectNear(at(one, 150.5, 100), at(four, 150.5, 100));
  EXPECT_NEAR(length(one.rightMm), 4 * length(four.rightMm), 1e-12);
}

TEST(ViewGeometry, CameraTurnsAroundThePatient) {
  Scene scene;
  View view;
  view.kind = ViewKind::volume;
  expectNear(geometryOf(scene, view, 100, 100).forward, {0, -1, 0});
  expectNear(normalised(geometryOf(scene, view, 100, 100).rightMm), {-1, 0, 0});
  expectNear(normalised(geometryOf(scene, view, 100, 100).downMm), {0, 0, -1});
  view.azimuthDeg = 90;
  expectNear(geometryOf(scene, view, 100, 100).forward, {1, 0, 0});
  view.azimuthDeg = 0;
  view.elevationDeg = 90;
  expectNear(geometryOf(scene, view, 100, 100).forward, {0, 0, -1});
  for (const double angle : {10.0, 77.0, 190.0, -1000.0}) {
    view.azimuthDeg = angle;
    view.elevationDeg = angle / 3;
    const auto g = geometryOf(scene, view, 100, 100);
    EXPECT_NEAR(dot(g.rightMm, g.downMm), 0, 1e-9);
    expectNear(normalised(cross(g.rightMm, g.downMm)), g.forward);
    expectNear(at(g, 50, 50), (worldBounds(head()).low + worldBounds(head()).high) * 0.5);
  }
}

TEST(ViewGeometry, SizesAreLimited) {
  const Scene scene;
  const View view;
  for (const auto& [w, h] : {std::pair{0, 10}, {10, 0}, {-1, 5}, {16385, 10}, {10, 16385}}) {
    const auto geometry = viewGeometry(scene, view, nullptr, w, h);
    ASSERT_FALSE(geometry);
    EXPECT_EQ(geometry.error().code, ErrorCode::invalidInput);
  }
  EXPECT_TRUE(viewGeometry(scene, view, nullptr, 16384, 1));
}

ImageInfo withStatistics(double min, double max, double p2, double p98, double background, bool integral,
                         std::uint32_t distinct, VoxelType type = VoxelType::int16, double plateaus = 0) {
  ImageInfo info = head();
  info.type = type;
  info.statistics = VoxelStatistics{min, max, 0, 1000, 0, p2, p98, background, integral, distinct, plateaus};
  return info;
}

TEST(LayerDefaults, WindowFollowsLayerThenFileThenStatistics) {
  Layer layer;
  ImageInfo info = withStatistics(0, 4000, 0, 1000, 200, true, 4000);
  EXPECT_EQ(effectiveWindow(layer, info).low, 0);
  EXPECT_EQ(effectiveWindow(layer, info).high, 1100);
  info.windowLow = 5;
  info.windowHigh = 50;
  EXPECT_EQ(effectiveWindow(layer, info).high, 50);
  layer.windowLow = 3;
  layer.windowHigh = 1;
  EXPECT_EQ(effectiveWindow(layer, info).low, 3);
  EXPECT_EQ(effectiveWindow(layer, info).high, 1);
}

TEST(LayerDefaults, AnImageWhoseLowestValuesAreWhiteIsInverseByItsColourMap) {
  ImageInfo xray = withStatistics(0, 4000, 0, 1000, 200, true, 4000);
  EXPECT_EQ(defaultLayer({"a.dcm", ""}, xray, false).colourMap, "gray");
  xray.windowLow = 900;  // as the reader tells MONOCHROME1
  xray.windowHigh = 100;
  const Layer layer = defaultLayer({"a.dcm", ""}, xray, false);
  EXPECT_EQ(layer.colourMap, "inverse");
  EXPECT_EQ(effectiveWindow(layer, xray).low, 100);
  EXPECT_EQ(effectiveWindow(layer, xray).high, 900);
}

TEST(LayerDefaults, DirectionsAreColoursInSlicesAndSlicesIn3D) {
  ImageInfo v1 = withStatistics(-1, 0.99, -0.8, 0.8, 0, false, 0, VoxelType::float32);
  const auto isDirection = [](const ImageInfo& info) {
    return defaultLayer({"a.nii", ""}, info, false).vectors == VectorLook::direction;
  };
  EXPECT_FALSE(isDirection(v1)) << "one value a voxel";
  v1.components = 3;
  EXPECT_TRUE(isDirection(v1)) << "three components of unit vectors";
  v1.components = 1;
  v1.timePoints = 3;
  EXPECT_TRUE(isDirection(v1)) << "as MRtrix stores them";
  v1.statistics->max = 40;
  EXPECT_FALSE(isDirection(v1)) << "a series of three";
  v1.timePoints = 1;
  v1.components = 3;
  v1.intent = "vector";
  EXPECT_TRUE(isDirection(v1)) << "by its intent, scaled by anisotropy or not";
  const Scene scene = defaultScene({"a.nii", ""}, v1);
  EXPECT_EQ(scene.layers[0].inVolume, false);
  EXPECT_EQ(findView(scene, "3d")->slices.size(), 3U);
  v1.fields.emplace_back("intent", "displacement vector");
  EXPECT_FALSE(isDirection(v1)) << "a warp";
}

TEST(LayerDefaults, WindowIsNeverEmpty) {
  const Layer layer;
  EXPECT_EQ(effectiveWindow(layer, head()).high, 1);
  const auto equal = effectiveWindow(layer, withStatistics(7, 7, 7, 7, 7, true, 1));
  EXPECT_EQ(equal.low, 6.5);
  EXPECT_EQ(equal.high, 7.5);
  const auto sparse = effectiveWindow(layer, withStatistics(0, 1, 0, 0, 0.5, true, 2));
  EXPECT_EQ(sparse.high, 1);
  ImageInfo ct = withStatistics(-1000, 1700, -1000, 300, -460, true, 0);
  EXPECT_EQ(effectiveWindow(layer, ct).low, -160);
  EXPECT_EQ(effectiveWindow(layer, ct).high, 240);
  ct.modality = "MR";
  EXPECT_EQ(effectiveWindow(layer, ct).low, -1000);
}

TEST(LayerDefaults, ImagesWithALabelTableAreLabels) {
  ImageInfo parcels = withStatistics(0, 12175, 0, 11175, 900, true, 1200);
  EXPECT_EQ(defaultLayer({"x/image.nii.gz", ""}, parcels, true).colourMap, "hot");
  parcels.labels = LabelTable({{1, "one"}}, "x");
  EXPECT_EQ(defaultLayer({"x/image.nii.gz", ""}, parcels, true).colourMap, "labels");
  EXPECT_EQ(defaultLayer({"x/image.nii.gz", ""}, parcels, true).interpolation, Interpolation::nearest);
  parcels.components = 3;
  EXPECT_EQ(defaultLayer({"x/image.nii.gz", ""}, parcels, true).colourMap, "labels") << "labels that overlap";
  parcels.statistics->integral = false;
  EXPECT_EQ(defaultLayer({"x/image.nii.gz", ""}, parcels, true).colourMap, "hot");
}

TEST(LayerDefaults, LabelsAreNearestAndColoured) {
  const auto atlas = withStatistics(0, 116, 0, 90, 30, true, 117, VoxelType::int16, 0.9);
  EXPECT_EQ(defaultLayer({"x/aal.nii.gz", ""}, atlas, true).colourMap, "labels");
  EXPECT_EQ(defaultLayer({"x/aal.nii.gz", ""}, atlas, true).interpolation, Interpolation::nearest);
  EXPECT_EQ(defaultLayer({"x/T1w.nii.gz", ""}, atlas, false).colourMap, "gray");
  EXPECT_EQ(defaultLayer({"x/torsoLabel.nii.gz", ""}, atlas, true).colourMap, "labels");
  const auto t1 = withStatistics(0, 255, 0, 200, 50, true, 256, VoxelType::uint8);
  EXPECT_EQ(defaultLayer({"ch2.nii.gz", ""}, t1, false).colourMap, "gray");
  EXPECT_EQ(defaultLayer({"sub-01_T1w.nii.gz", ""}, t1, false).interpolation, Interpolation::linear);
  const auto mask = defaultLayer({"lesion.nii", ""}, withStatistics(0, 1, 0, 0, 0.5, true, 2), true);
  EXPECT_EQ(mask.colourMap, "red");
  EXPECT_EQ(mask.thresholdLow, 0.5);
}

TEST(LayerDefaults, FewWholeValuesAreLabelsOnlyInPlateaus) {
  const auto look = [](const char* name, const ImageInfo& info) {
    return defaultLayer({name, ""}, info, true).interpolation == Interpolation::nearest;
  };
  const auto image = [](std::uint32_t distinct, VoxelType type, double plateaus) {
    return withStatistics(0, distinct - 1, 0, distinct - 1, 1, true, distinct, type, plateaus);
  };
  EXPECT_TRUE(look("regions.nii", image(12, VoxelType::uint8, 0.95)));
  EXPECT_FALSE(look("t1.nii", image(40, VoxelType::uint8, 0.2))) << "anatomy with few grey levels";
  EXPECT_FALSE(look("counts.nii", image(12, VoxelType::float32, 0.95))) << "floats without a hint";
  EXPECT_FALSE(look("big.nii", image(300, VoxelType::int16, 0.95)));
  EXPECT_TRUE(look("sub-01_dseg.nii", image(300, VoxelType::float32, 0.8)));
  EXPECT_FALSE(look("brainmask.mgz", image(200, VoxelType::uint8, 0.2))) << "a brain, whatever its name";
  EXPECT_TRUE(look("brain_mask.nii", image(2, VoxelType::uint8, 0)));
  EXPECT_TRUE(look("aparc+aseg.mgz", image(1800, VoxelType::int32, 0.8)));
  ImageInfo named = image(300, VoxelType::uint8, 0.1);
  named.intent = "label";
  EXPECT_TRUE(look("x.nii", named));
  named.statistics->integral = false;
  named.statistics->distinct = 0;
  EXPECT_FALSE(look("x.nii", named)) << "fractions are no labels";
}

TEST(LayerDefaults, SignedMapsAreSymmetricAndThresholded) {
  ImageInfo info = withStatistics(-6, 9, -1.2, 2.0, 0, false, 0, VoxelType::float32);
  auto layer = defaultLayer({"m.nii", ""}, info, true);
  EXPECT_TRUE(layer.symmetric);
  EXPECT_EQ(layer.thresholdLow, 2.0);
  EXPECT_EQ(layer.windowHigh, 9);
  info.intent = "t test";
  EXPECT_EQ(defaultLayer({"m.nii", ""}, info, true).thresholdLow, 2.3);
  EXPECT_FALSE(defaultLayer({"m.nii", ""}, info, false).symmetric);
}

TEST(LayerDefaults, CrosshairIsAVoxelCentreAndIdsAreSafe) {
  const auto scene = defaultScene({"a/b c\n\xff.nii", ""}, head());
  expectNear(scene.crosshairMm, head().worldFromVoxel.point({90, 110, 80}));
  EXPECT_EQ(scene.layers.at(0).id, "b_c__.nii");
  EXPECT_EQ(scene.views.size(), 4U);
}

TEST(LayerDefaults, TheCrosshairStartsAtOnePlaceInEveryStorageOrder) {
  const ImageInfo ras = head();
  const Vec3 expected = defaultScene({"a.nii", ""}, ras).crosshairMm;
  std::array<std::size_t, 3> axes{0, 1, 2};
  do {
    for (unsigned flips = 0; flips < 8; ++flips) {
      ImageInfo stored = ras;
      Affine headFromStored{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
      for (std::size_t a = 0; a < 3; ++a) {
        const bool backwards = (flips >> a & 1U) != 0;
        stored.dims[a] = ras.dims[axes[a]];
        headFromStored(static_cast<int>(axes[a]), static_cast<int>(a)) = backwards ? -1 : 1;
        if (backwards) headFromStored(static_cast<int>(axes[a]), 3) = static_cast<double>(stored.dims[a] - 1);
      }
      stored.worldFromVoxel = ras.worldFromVoxel * headFromStored;
      expectNear(defaultScene({"a.nii", ""}, stored).crosshairMm, expected);
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
}

}  // namespace
}  // namespace nora
