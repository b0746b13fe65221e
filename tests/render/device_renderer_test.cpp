// What goes to a device and comes back, on an emulated one: the pictures of every kind of view, memory, faults.
#include "render/device/device_renderer.hpp"

#include "render/cpu/kernel_sets.hpp"
#include "render/device/fallback_renderer.hpp"
#include "tests/render/agreement_views.hpp"
#include "tests/render/emulated_device.hpp"

namespace nora {
namespace {

using agreement::AgreementView;
using phantom::make;
using phantom::scaled;
using phantom::Studio;

constexpr int width = agreement::width;
constexpr int height = agreement::height;

std::unique_ptr<DeviceRenderer> rendererOn(EmulatedMachine& machine, std::size_t imageBytes = 0,
                                           std::chrono::milliseconds pause = std::chrono::milliseconds(0)) {
  auto made = DeviceRenderer::create(makeEmulatedDevice(machine), kernel::kernelsScalar(), {imageBytes, pause});
  if (!made) ADD_FAILURE() << describe(made.error());
  return made ? std::move(*made) : nullptr;
}

std::unique_ptr<FallbackRenderer> withCpuBehind(EmulatedMachine& machine, std::size_t imageBytes = 0) {
  return std::make_unique<FallbackRenderer>(rendererOn(machine, imageBytes), std::move(*makeCpuRenderer("scalar")));
}

/// The pages of the voxels: their memory ends with padding, and is mapped for itself.
std::vector<std::span<const std::byte>> pagesOf(const LayerVolumes& volumes) {
  constexpr std::size_t page = 4096;
  std::vector<std::span<const std::byte>> out;
  for (const auto& [id, volume] : volumes) {
    out.emplace_back(volume->frame(0), (volume->memoryBytes() + page - 1) / page * page);
  }
  return out;
}

std::shared_ptr<const Volume> even(int value, std::int64_t edge = 16) {
  return make(VoxelType::int16, {edge, edge, edge}, scaled({1, 1, 1}, {0, 0, 0}),
              [=](auto x, auto, auto) { return value + static_cast<double>(x); });
}

struct Agreement : testing::TestWithParam<AgreementView> {
  EmulatedMachine machine;  // outlives the renderer
  Studio studio{"scalar"};
  Frame expected;

  void SetUp() override {
    GetParam().prepare(studio);
    expected = studio.draw(GetParam().view, width, height);
    machine.hidden = pagesOf(studio.volumes);
    studio.renderer = rendererOn(machine);
  }
};
INSTANTIATE_TEST_SUITE_P(Views, Agreement, testing::ValuesIn(agreement::views()),
                         [](const auto& parameter) { return parameter.param.name; });

TEST_P(Agreement, TheReferenceKernelDrawsTheSameBytesFromTheDevicesCopies) {
  const Frame drawn = studio.draw(GetParam().view, width, height);
  EXPECT_EQ(drawn.rgba, expected.rgba);
  EXPECT_EQ(machine.foreignPointers, 0)
      << "a pointer in render/kernel/plan.hpp is not in render/device/plan_arrays.hpp";
  EXPECT_EQ(drawn.geometry.originMm, expected.geometry.originMm);
}

TEST_P(Agreement, TheKernelOfTheGpuDrawsTheSamePicture) {
  constexpr double alike = 45;  // dB, as between CPU and GPU
  machine.pixelThreads = true;
  EXPECT_GE(phantom::psnr(studio.draw(GetParam().view, width, height), expected), alike);
}

TEST_P(Agreement, TheViewShowsSomething) {
  if (GetParam().name.starts_with("Nothing")) GTEST_SKIP() << "but here";
  const auto [low, high] = std::minmax_element(expected.rgba.begin(), expected.rgba.end());
  EXPECT_GT(*high - *low, 100);
  EXPECT_GT(phantom::meanOf(expected, width / 4, height / 4, width * 3 / 4, height * 3 / 4), 2);
}

TEST(DeviceRenderer, StatisticsAreThoseOfTheCpu) {
  for (const bool pixelThreads : {false, true}) {
    EmulatedMachine machine;
    machine.pixelThreads = pixelThreads;
    Studio studio("scalar");
    studio.add("a", even(0), 0, 16);
    studio.opacities({{0, 0}, {1, 0.2}});
    const RenderRequest request = studio.ask("3d", width, height);
    Frame frame;
    const auto cpu = studio.renderer->render(request, frame);
    const auto device = rendererOn(machine)->render(request, frame);
    ASSERT_TRUE(cpu && device);
    EXPECT_GT(device->samples, 1000U);
    EXPECT_EQ(device->samples, cpu->samples);
    EXPECT_EQ(device->skipped, cpu->skipped);
  }
}

TEST(DeviceRenderer, AnImageIsCopiedOnceAndNothingIsAllocatedForMorePictures) {
  EmulatedMachine machine;
  auto renderer = rendererOn(machine);
  Studio studio("scalar");
  studio.add("a", even(0, 64), 0, 100);
  Frame frame;
  const auto draw = [&](double turn, const char* view) {
    studio.camera().azimuthDeg = turn;
    studio.scene.crosshairMm = {turn, turn, turn};
    EXPECT_TRUE(renderer->render({&studio.scene, view, width, height, &studio.volumes}, frame));
  };
  draw(1, "axial");
  draw(1, "3d");
  const std::size_t voxels = std::size_t{64} * 64 * 64 * 2;
  EXPECT_GE(machine.copiedBytes, voxels);
  const int before = machine.calls[Operation::allocate] + machine.calls[Operation::allocateStaging];
  machine.copiedBytes = 0;
  for (int turn = 2; turn < 20; ++turn) draw(turn, turn % 3 == 0 ? "axial" : "3d");
  EXPECT_EQ(machine.calls[Operation::allocate] + machine.calls[Operation::allocateStaging], before);
  EXPECT_LT(machine.copiedBytes, 18 * voxels);
  renderer.reset();
  EXPECT_TRUE(machine.allocations.empty());
  EXPECT_TRUE(machine.staging.empty());
}

TEST(DeviceRenderer, ThePictureStaysOnTheDeviceForEncodersThere) {
  EmulatedMachine machine;
  auto renderer = rendererOn(machine);
  Studio studio("scalar");
  studio.add("a", even(0), 0, 16);
  Frame frame;
  ASSERT_TRUE(renderer->render({&studio.scene, "axial", width, height, &studio.volumes}, frame));
  std::vector<std::uint8_t> there(frame.rgba.size());
  machine.readDevice(reinterpret_cast<std::byte*>(there.data()), renderer->devicePicture(), there.size());
  EXPECT_EQ(there, frame.rgba);
}

TEST(DeviceRenderer, AnotherImageAtTheSameAddressIsNotTakenForTheFirst) {
  EmulatedMachine machine;
  auto renderer = rendererOn(machine);
  Studio studio("scalar");
  studio.add("a", even(0), 0, 100);
  for (const int value : {10, 80, 30, 60}) {
    studio.volumes.clear();  // its mapping is free for the next
    studio.volumes["a"] = even(value);
    Frame frame;
    const RenderRequest request = studio.ask("axial", width, height);
    ASSERT_TRUE(renderer->render(request, frame));
    EXPECT_EQ(frame.rgba, studio.draw("axial", width, height).rgba) << value;
  }
}

TEST(DeviceRenderer, ImagesShownLeastRecentlyMakeRoom) {
  EmulatedMachine machine;
  constexpr std::size_t one = std::size_t{64} * 64 * 64 * 2 + 4;
  auto renderer = rendererOn(machine, 2 * one);
  Studio studio("scalar");
  for (const char* id : {"a", "b", "c"}) studio.add(id, even(id[0] - 'a', 64), 0, 100).visible = false;
  const auto copiedFor = [&](std::size_t layer) {
    for (std::size_t i = 0; i < 3; ++i) studio.scene.layers[i].visible = i == layer;
    machine.copiedBytes = 0;
    Frame frame;
    const auto drawn = renderer->render({&studio.scene, "axial", width, height, &studio.volumes}, frame);
    EXPECT_TRUE(drawn);
    EXPECT_LE(renderer->images().heldBytes(), 2 * one);
    return machine.copiedBytes >= one;
  };
  EXPECT_TRUE(copiedFor(0));
  EXPECT_TRUE(copiedFor(1));
  EXPECT_FALSE(copiedFor(0));
  EXPECT_TRUE(copiedFor(2));  // b goes
  EXPECT_FALSE(copiedFor(0));
  EXPECT_FALSE(copiedFor(2));
  EXPECT_TRUE(copiedFor(1));
}

TEST(DeviceRenderer, APictureBeyondTheBudgetIsAnErrorAndEvictsNothing) {
  EmulatedMachine machine;
  auto renderer = rendererOn(machine, std::size_t{1} << 20);
  Studio studio("scalar");
  studio.add("small", even(0, 32), 0, 100);
  Frame frame;
  ASSERT_TRUE(renderer->render({&studio.scene, "axial", width, height, &studio.volumes}, frame));
  const std::size_t held = renderer->images().heldBytes();
  studio.add("large", even(0, 128), 0, 100);
  const auto drawn = renderer->render({&studio.scene, "axial", width, height, &studio.volumes}, frame);
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.error().code, ErrorCode::limitExceeded);
  EXPECT_NE(drawn.error().what.find("5 MiB"), std::string::npos) << drawn.error().what;
  EXPECT_EQ(renderer->images().heldBytes(), held);
  EXPECT_FALSE(renderer->lost());
}

TEST(DeviceRenderer, ADeviceWithLessMemoryThanTheBudgetEvictsAndThenRefuses) {
  EmulatedMachine machine;
  machine.memory = std::size_t{11} << 19;
  auto renderer = rendererOn(machine, std::size_t{1} << 30, std::chrono::hours(1));
  Studio studio("scalar");
  for (const char* id : {"a", "b"})
    studio.add(id, even(1, 100), 0, 100);  // 2 MB each, beside 2 MB for pictures and tables
  studio.scene.layers[1].visible = false;
  Frame frame;
  const auto draw = [&] { return renderer->render({&studio.scene, "axial", 64, 64, &studio.volumes}, frame); };
  ASSERT_TRUE(draw());
  studio.scene.layers[0].visible = false;
  studio.scene.layers[1].visible = true;
  ASSERT_TRUE(draw());  // evicts the first
  const std::size_t held = renderer->images().heldBytes();
  studio.scene.layers[0].visible = true;
  const auto both = draw();
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().code, ErrorCode::limitExceeded);
  EXPECT_EQ(renderer->images().budget(), held) << "for a while";
  studio.scene.layers[0].visible = false;
  EXPECT_TRUE(draw());
}

/// Two views of two layers, each drawn by a renderer whose nth call of an operation fails.
struct Faults : testing::TestWithParam<Operation> {};
std::string nameOf(const testing::TestParamInfo<Operation>& parameter) {
  constexpr std::array names{"Allocate", "AllocateStaging", "CopyTo", "CopyFrom", "Draw", "Wait"};
  return names[static_cast<std::size_t>(parameter.param)];
}
INSTANTIATE_TEST_SUITE_P(Operations, Faults,
                         testing::Values(Operation::allocate, Operation::allocateStaging, Operation::copyTo,
                                         Operation::copyFrom, Operation::draw, Operation::wait),
                         nameOf);

TEST_P(Faults, EveryPictureIsRightWhicheverCallFails) {
  Studio studio("scalar");
  studio.add("a", even(0, 24), 0, 40);
  studio.add("b", even(5, 20), 0, 40).opacity = 0.5;
  studio.camera().slices = {Plane::axial};
  const Frame slice = studio.draw("axial", width, height);
  const Frame space = studio.draw("3d", width, height);
  const bool isMemory = GetParam() == Operation::allocate || GetParam() == Operation::allocateStaging;
  bool failed = true;
  for (int call = 1; failed; ++call) {
    ASSERT_LT(call, 50);
    EmulatedMachine machine;
    machine.failing[GetParam()] = call;
    auto renderer = withCpuBehind(machine);
    testing::internal::CaptureStderr();
    for (int round = 0; round < 3; ++round) {
      for (const Frame* expected : {&slice, &space}) {
        Frame frame;
        const char* view = expected == &slice ? "axial" : "3d";
        ASSERT_TRUE(renderer->render({&studio.scene, view, width, height, &studio.volumes}, frame));
        ASSERT_EQ(frame.rgba, expected->rgba) << view << ", call " << call;
      }
    }
    const std::string said = testing::internal::GetCapturedStderr();
    failed = machine.calls[GetParam()] >= call;
    EXPECT_EQ(machine.lost, failed && !isMemory);
    EXPECT_EQ(renderer->name(), machine.lost ? "cpu (scalar)" : "emulated") << "memory comes back";
    EXPECT_EQ(machine.lost, said.find("from now on") != std::string::npos) << said;
    EXPECT_LE(std::count(said.begin(), said.end(), '\n'), failed ? 1 : 0) << said;
    renderer.reset();
    EXPECT_TRUE(machine.allocations.empty());
    EXPECT_TRUE(machine.staging.empty());
  }
}

TEST(FallbackRenderer, ALostDeviceIsLeftAlone) {
  EmulatedMachine machine;
  machine.failing[Operation::draw] = 1;
  auto renderer = withCpuBehind(machine);
  Studio studio("scalar");
  studio.add("a", even(0), 0, 16);
  Frame frame;
  const auto draw = [&] { return renderer->render({&studio.scene, "axial", width, height, &studio.volumes}, frame); };
  ASSERT_TRUE(draw());
  const auto calls = machine.calls;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(draw());
  EXPECT_EQ(machine.calls, calls);
}

TEST(FallbackRenderer, WhatIsTooLargeForTheDeviceIsDrawnByTheCpuAndSaidOnce) {
  EmulatedMachine machine;
  auto renderer = withCpuBehind(machine, 1000);
  Studio studio("scalar");
  studio.add("a", even(0), 0, 16);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) {
    Frame frame;
    ASSERT_TRUE(renderer->render({&studio.scene, "axial", width, height, &studio.volumes}, frame));
    EXPECT_EQ(frame.rgba, studio.draw("axial", width, height).rgba);
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_NE(said.find("of the GPU's memory"), std::string::npos) << said;
  EXPECT_EQ(renderer->name(), "cpu (scalar)");
}

TEST(FallbackRenderer, ARequestThatNobodyCanDrawIsNoFaultOfTheDevice) {
  EmulatedMachine machine;
  auto renderer = withCpuBehind(machine);
  Studio studio("scalar");
  studio.add("a", even(0), 0, 16);
  Frame frame;
  testing::internal::CaptureStderr();
  const auto drawn = renderer->render({&studio.scene, "nowhere", width, height, &studio.volumes}, frame);
  EXPECT_TRUE(testing::internal::GetCapturedStderr().empty());
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.error().code, ErrorCode::notFound);
  EXPECT_TRUE(renderer->render({&studio.scene, "axial", width, height, &studio.volumes}, frame));
  EXPECT_EQ(renderer->name(), "emulated");
}

TEST(MakeRenderer, NamesWhatThereIs) {
  EXPECT_TRUE(makeRenderer("cpu"));
  EXPECT_TRUE(makeRenderer("auto"));
  const auto unknown = makeRenderer("metal");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::invalidInput);
  EXPECT_NE(unknown.error().what.find("'metal'"), std::string::npos);
  const auto cuda = makeRenderer("cuda");
  if (cuda) {
    EXPECT_TRUE((*cuda)->name().starts_with("cuda"));
  } else {
    EXPECT_EQ(cuda.error().code, ErrorCode::unsupported);
  }
}

TEST(FallbackRenderer, AStoppedPictureIsNotDrawnByTheOtherOne) {
  EmulatedMachine machine;
  Studio studio;
  studio.add("a", even(5), 0, 10);
  studio.renderer = withCpuBehind(machine);
  studio.draw("axial", width, height);
  const std::string device = studio.renderer->name();
  std::stop_source stop;
  stop.request_stop();
  RenderRequest request{&studio.scene, "axial", width, height, &studio.volumes};
  request.stop = stop.get_token();
  Frame frame;
  const auto drawn = studio.renderer->render(request, frame);
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.error().code, ErrorCode::cancelled);
  EXPECT_EQ(studio.renderer->name(), device);
}

}  // namespace
}  // namespace nora
