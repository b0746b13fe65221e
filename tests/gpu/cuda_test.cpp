// The CUDA renderer on a real GPU; skipped where there is none. What it does around the GPU is tested without one
// (tests/render/device_renderer_test.cpp).
#include "render/cpu/kernel_sets.hpp"
#include "render/cuda/cuda_device.hpp"
#include "render/device/fallback_renderer.hpp"
#include "tests/render/agreement_views.hpp"

namespace nora {
namespace {

using agreement::AgreementView;
using phantom::make;
using phantom::scaled;
using phantom::Studio;

/// The renderer on the GPU alone; null and `reason` if there is none.
std::unique_ptr<DeviceRenderer> openGpu(std::string& reason, std::size_t imageBytes = 0) {
  auto device = openCudaDevice();
  if (!device) {
    reason = describe(device.error());
    return nullptr;
  }
  auto made = DeviceRenderer::create(std::move(*device), *kernel::findKernels(""), {.imageBytes = imageBytes});
  if (!made) ADD_FAILURE() << describe(made.error());
  return made ? std::move(*made) : nullptr;
}

struct Cuda : testing::Test {
  std::string reason;
  void SetUp() override {
    if (const auto device = openCudaDevice(); !device) GTEST_SKIP() << describe(device.error());
  }
};

std::size_t freeMemory() {
  const auto device = openCudaDevice();
  return device ? (*device)->freeMemory().value_or(0) : 0;
}

std::shared_ptr<const Volume> ramp(int value, std::int64_t edge) {
  return make(VoxelType::int16, {edge, edge, edge}, scaled({1, 1, 1}, {0, 0, 0}),
              [=](auto x, auto y, auto) { return value + static_cast<double>(x) + static_cast<double>(y) / 4; });
}

struct CudaAgreement : testing::TestWithParam<AgreementView> {};
INSTANTIATE_TEST_SUITE_P(Views, CudaAgreement, testing::ValuesIn(agreement::views()),
                         [](const auto& parameter) { return parameter.param.name; });

TEST_P(CudaAgreement, TheGpuDrawsWhatTheCpuDraws) {
  constexpr double alike = 45;  // dB
  std::string reason;
  auto gpu = openGpu(reason);
  if (!gpu) GTEST_SKIP() << reason;
  for (const int scale : {1, 4}) {
    Studio studio;
    GetParam().prepare(studio);
    const int width = agreement::width * scale;
    const int height = agreement::height * scale;
    const Frame expected = studio.draw(GetParam().view, width, height);
    Frame drawn;
    const RenderRequest request = studio.ask(GetParam().view, width, height);
    const auto first = gpu->render(request, drawn);
    ASSERT_TRUE(first) << describe(first.error());
    const double decibels = phantom::psnr(drawn, expected);
    std::printf("%s %dx%d: %.1f dB, %llu samples\n", GetParam().name.c_str(), width, height, decibels,
                static_cast<unsigned long long>(first->samples));
    EXPECT_GE(decibels, alike);
    Frame again;
    ASSERT_TRUE(gpu->render(request, again));
    EXPECT_EQ(again.rgba, drawn.rgba) << "not the same picture twice";
  }
}

TEST_F(Cuda, ManyPicturesLeaveNothingBehind) {
  auto gpu = openGpu(reason);
  ASSERT_TRUE(gpu);
  Studio studio;
  studio.add("a", ramp(0, 128), 0, 160);
  studio.opacities({{0.2, 0}, {1, 0.3}});
  Frame frame;
  const auto draw = [&](int turn) {
    studio.camera().azimuthDeg = turn;
    studio.scene.crosshairMm = {turn % 100 + 1.0, turn % 90 + 1.0, turn % 80 + 1.0};
    for (const char* view : {"axial", "3d"}) {
      ASSERT_TRUE(gpu->render({&studio.scene, view, 640, 360, &studio.volumes}, frame));
    }
  };
  for (int turn = 0; turn < 5; ++turn) draw(turn);
  const std::size_t before = freeMemory();
  for (int turn = 0; turn < 500; ++turn) draw(turn);
  constexpr std::size_t others = std::size_t{8} << 20;  // what the driver itself may do
  EXPECT_LE(before, freeMemory() + others);
}

TEST_F(Cuda, MemoryIsGivenBackInTheEnd) {
  const auto once = [&] {
    auto gpu = openGpu(reason);
    Studio studio;
    studio.add("a", ramp(0, 256), 0, 300);
    Frame frame;
    EXPECT_TRUE(gpu && gpu->render({&studio.scene, "axial", 640, 360, &studio.volumes}, frame));
  };
  once();  // the driver's own
  const std::size_t before = freeMemory();
  for (int i = 0; i < 10; ++i) once();
  constexpr std::size_t oneImage = std::size_t{32} << 20;
  EXPECT_LE(before, freeMemory() + oneImage);
}

TEST_F(Cuda, ImagesMakeRoomForOthersAndStayRight) {
  constexpr std::size_t one = std::size_t{96} * 96 * 96 * 2 + 4;
  auto gpu = openGpu(reason, 2 * one);
  ASSERT_TRUE(gpu);
  for (int round = 0; round < 3; ++round) {
    for (const int value : {0, 40, 80}) {
      Studio studio;
      studio.add("a", ramp(value, 96), 0, 200);
      Frame frame;
      ASSERT_TRUE(gpu->render({&studio.scene, "axial", 320, 240, &studio.volumes}, frame));
      EXPECT_GE(phantom::psnr(frame, studio.draw("axial", 320, 240)), 45) << value;
      EXPECT_LE(gpu->images().heldBytes(), 2 * one);
    }
  }
}

TEST_F(Cuda, WhatDoesNotFitIsAnErrorAndTheGpuGoesOn) {
  auto gpu = openGpu(reason, 1000);
  ASSERT_TRUE(gpu);
  Studio studio;
  studio.add("a", ramp(0, 64), 0, 100);
  Frame frame;
  const auto drawn = gpu->render({&studio.scene, "axial", 320, 240, &studio.volumes}, frame);
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.error().code, ErrorCode::limitExceeded);
  EXPECT_FALSE(gpu->lost());

  auto device = openCudaDevice();
  ASSERT_TRUE(device);
  const auto memory = (*device)->allocate(std::size_t{1} << 50);
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, ErrorCode::limitExceeded);
  EXPECT_FALSE((*device)->lost());
  EXPECT_TRUE((*device)->wait());
}

TEST_F(Cuda, LargePicturesAreDrawn) {
  auto gpu = openGpu(reason);
  ASSERT_TRUE(gpu);
  Studio studio;
  studio.add("a", ramp(0, 64), 0, 100);
  Frame frame;
  for (const auto& [width, height] :
       {std::pair{16384, 3}, std::pair{3, 16384}, std::pair{1, 1}, std::pair{5000, 4000}}) {
    for (const char* view : {"axial", "3d"}) {
      const auto drawn = gpu->render({&studio.scene, view, width, height, &studio.volumes}, frame);
      ASSERT_TRUE(drawn) << describe(drawn.error());
    }
  }
}

/// Breaks the GPU for this process, as an error in a kernel does.
[[noreturn]] void drawOnABrokenGpu() {
  auto device = openCudaDevice();
  if (!device) std::exit(1);
  kernel::SliceLayer layer;
  const kernel::SlicePlan wild{8, 8, &layer, 1, nullptr};  // no pointer here is the GPU's
  const auto queued = (*device)->drawSlices(wild, nullptr);
  if (queued && (*device)->wait()) std::exit(2);
  if (!(*device)->lost()) std::exit(3);
  if ((*device)->allocate(100) || (*device)->wait()) std::exit(4);
  device->reset();
  auto renderer = makeRenderer("auto");
  if (!renderer || !(*renderer)->name().starts_with("cpu")) std::exit(5);
  Studio studio;
  studio.add("a", ramp(0, 32), 0, 100);
  Frame frame;
  std::exit((*renderer)->render({&studio.scene, "axial", 64, 64, &studio.volumes}, frame) ? 0 : 6);
}

TEST_F(Cuda, ALostGpuIsNoticedAndTheCpuDraws) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // a process of its own
  EXPECT_EXIT(drawOnABrokenGpu(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace nora
