// The kernels alone: what cannot be reached through a scene.
#include "render/cpu/kernel_sets.hpp"
#include "render/plan/grid.hpp"
#include "render/plan/prepared_volume.hpp"
#include "render/plan/segment_table.hpp"
#include "render/plan/skip_field.hpp"
#include "tests/render/phantoms.hpp"

#include <random>

namespace nora {
namespace {

std::shared_ptr<const Volume> noise(VoxelType type, const phantom::Dims& dims) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> values(0, 100);
  return phantom::make(type, dims, Affine{}, [&](auto, auto, auto) { return values(random); });
}

TEST(Kernel, BrickRangesHoldEveryInterpolatedVoxel) {
  for (const auto& isa : phantom::instructionSets()) {
    const auto* kernels = kernel::findKernels(isa);
    for (const auto type : {VoxelType::uint8, VoxelType::int16, VoxelType::float32}) {
      const phantom::Dims dims{21, 9, 17};
      const auto volume = noise(type, dims);
      const kernel::Grid grid = gridOf(*volume, 0, 0);
      std::vector<float> row(42);
      std::vector<float> low(6);
      std::vector<float> high(6);
      for (int bz = 0; bz < 3; ++bz) {
        kernels->brickRanges(grid, bz, row.data(), low.data(), high.data());
        for (int b = 0; b < 6; ++b) {
          double least = 1e9;
          double most = -1e9;
          const std::int64_t x0 = b % 3 * 8;
          const std::int64_t y0 = b / 3 * 8;
          for (std::int64_t z = bz * 8; z <= std::min<std::int64_t>(bz * 8 + 8, 16); ++z) {
            for (std::int64_t y = y0; y <= std::min<std::int64_t>(y0 + 8, 8); ++y) {
              for (std::int64_t x = x0; x <= std::min<std::int64_t>(x0 + 8, 20); ++x) {
                least = std::min(least, volume->value(x, y, z));
                most = std::max(most, volume->value(x, y, z));
              }
            }
          }
          EXPECT_EQ(low[static_cast<std::size_t>(b)], least) << isa;
          EXPECT_EQ(high[static_cast<std::size_t>(b)], most) << isa;
        }
      }
    }
  }
}

/// Draws a volume view with and without the distances, and by way of big offsets.
struct RayFixture {
  std::shared_ptr<const Volume> volume;
  TransferFunction transfer;
  SegmentTable segments;
  kernel::RayPlan plan;
  kernel::RayLayer layer;
  std::vector<std::uint8_t> picture;

  RayFixture() {
    volume = phantom::make(VoxelType::int16, {70, 60, 50}, phantom::scaled({1, 1, 1}, {-35, -30, -25}),
                           [](auto x, auto y, auto z) {
                             const double dx = static_cast<double>(x) - 40;
                             const double dy = static_cast<double>(y) - 20;
                             const double dz = static_cast<double>(z) - 25;
                             return std::clamp(300 - 12 * std::sqrt(dx * dx + dy * dy + dz * dz), 0.0, 200.0);
                           });
    Layer shown;
    shown.windowLow = 0;
    shown.windowHigh = 200;
    View view;
    shown.transfer = phantom::transferAcross(shown, {{0, 0}, {0.3, 0}, {0.4, 0.3}, {0.5, 0}, {0.8, 0}, {1, 0.8}});
    transfer = makeTransferFunction(shown, volume->info());
    segments.fill(transfer, 1);
    plan.width = 90;
    plan.height = 70;
    layer.grid = gridOf(*volume, 0, 0);
    Scene scene;
    view.kind = ViewKind::volume;
    view.azimuthDeg = 33;
    view.elevationDeg = 12;
    const auto g = viewGeometry(scene, view, &volume->info(), plan.width, plan.height).value();
    const auto set = [](double* out, const Vec3& v) { std::copy(v.begin(), v.end(), out); };
    set(layer.origin, volume->voxelFromWorld().point(g.originMm));
    set(layer.right, g.rightMm);
    set(layer.down, g.downMm);
    set(layer.step, g.forward);
    layer.entryPerStored = static_cast<float>(TransferFunction::entries - 1) / 200;
    layer.lastEntry = TransferFunction::entries - 1;
    layer.extinction = segments.extinction();
    layer.extinctionBefore = segments.extinctionBefore();
    layer.segments = segments.segments();
    for (int a = 0; a < 3; ++a) {
      layer.light[a] = static_cast<float>(-g.forward[static_cast<std::size_t>(a)]);
      layer.viewer[a] = layer.light[a];
      layer.metric[a] = 1;
    }
    layer.flatGradient = 1;
    picture.resize(static_cast<std::size_t>(plan.width * plan.height * 4));
  }

  kernel::RayCounts draw(const kernel::Kernels& kernels) {
    plan.rgba = picture.data();
    plan.layers = &layer;
    plan.layerCount = 1;
    return kernels.drawRays(plan, {0, 0, plan.width, plan.height});
  }
};

TEST(Kernel, SkippingEmptySpaceDoesNotChangeThePicture) {
  for (const auto& isa : phantom::instructionSets()) {
    const auto* kernels = kernel::findKernels(isa);
    RayFixture fixture;
    const kernel::RayCounts all = fixture.draw(*kernels);
    const auto expected = fixture.picture;
    const PreparedVolume prepared(fixture.volume, 0, 0, false, *kernels);
    SkipField skip;
    fixture.layer.distance = skip.distances(prepared, fixture.transfer, fixture.layer.entryPerStored, 0);
    std::copy(prepared.bricks(), prepared.bricks() + 3, fixture.layer.bricks);
    const kernel::RayCounts some = fixture.draw(*kernels);
    EXPECT_EQ(fixture.picture, expected) << isa;
    EXPECT_LT(some.samples, all.samples * 3 / 4) << isa;
    EXPECT_EQ(all.skipped, 0U);
    EXPECT_GT(some.skipped, all.samples / 4) << isa;
    EXPECT_GT(*std::max_element(expected.begin(), expected.end() - 1), 100);
  }
}

TEST(Kernel, BigOffsetsGiveTheSamePicture) {
  for (const auto& isa : phantom::instructionSets()) {
    const auto* kernels = kernel::findKernels(isa);
    RayFixture fixture;
    fixture.draw(*kernels);
    const auto expected = fixture.picture;
    fixture.layer.grid.big = true;
    fixture.draw(*kernels);
    EXPECT_EQ(fixture.picture, expected) << isa;
  }
}

TEST(Kernel, DistancesAreChebyshev) {
  // One bright voxel in the brick (2, 5, 3) of 9 x 8 x 7.
  const auto volume = phantom::make(VoxelType::uint8, {72, 64, 56}, Affine{},
                                    [](auto x, auto y, auto z) { return x == 20 && y == 44 && z == 28 ? 200 : 0; });
  const auto* kernels = kernel::findKernels("");
  const PreparedVolume prepared(volume, 0, 0, false, *kernels);
  SkipField skip;
  Layer layer;
  layer.windowLow = 0;
  layer.windowHigh = 200;
  View view;
  layer.transfer = phantom::transferAcross(layer, {{0, 0}, {0.5, 0}, {1, 1}});
  const auto transfer = makeTransferFunction(layer, volume->info());
  const auto* distance = skip.distances(prepared, transfer, (TransferFunction::entries - 1) / 200.0F, 0);
  for (int z = 0; z < 7; ++z) {
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 9; ++x) {
        const int expected = std::max({std::abs(x - 2), std::abs(y - 5), std::abs(z - 3)});
        EXPECT_EQ(distance[(z * 8 + y) * 9 + x], expected) << x << y << z;
      }
    }
  }
}

TEST(Kernel, BricksBelowTheFirstPointAreSkipped) {
  // Opacity rises from the very first point: air, far below it, must not count as its neighbour.
  const auto volume =
      phantom::make(VoxelType::int16, {64, 8, 8}, Affine{}, [](auto x, auto, auto) { return x < 32 ? -1000 : 500; });
  const auto* kernels = kernel::findKernels("");
  const PreparedVolume prepared(volume, 0, 0, false, *kernels);
  for (const bool inverted : {false, true}) {
    SkipField skip;
    Layer layer;
    layer.transfer.points = {{130, inverted ? 1.0 : 0.0, {}}, {260, inverted ? 0.0 : 1.0, {}}};
    const auto transfer = makeTransferFunction(layer, volume->info());
    const float perStored = (TransferFunction::entries - 1) / 130.0F;
    const auto* distance = skip.distances(prepared, transfer, perStored, -130 * perStored);
    EXPECT_EQ(distance[0], inverted ? 0 : 3);
    EXPECT_EQ(distance[3], 0);  // shares a face of voxels with the bright half
    EXPECT_EQ(distance[7], inverted ? 4 : 0);
  }
}

TEST(Kernel, PreparedVolumesForgetWhatIsGone) {
  PreparedVolumes cache;
  const auto* kernels = kernel::findKernels("");
  auto volume = noise(VoxelType::uint8, {9, 9, 9});
  const auto* first = &cache.get(volume, 0, 0, false, *kernels);
  EXPECT_EQ(&cache.get(volume, 0, 0, false, *kernels), first);
  const std::weak_ptr<const Volume> watched = volume;
  volume.reset();
  EXPECT_TRUE(watched.expired());  // the cache does not keep it
}

}  // namespace
}  // namespace nora
