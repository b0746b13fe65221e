#include "render/device/device_renderer.hpp"

#include <algorithm>
#include <cstring>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;

/// The least that draws a plan, whose layers the processor still sees.
kernel::RayUse useOf(const kernel::RayPlan& plan) {
  if (plan.geometry.first) return kernel::RayUse::everything;
  const kernel::RayLayer* end = plan.layers + plan.layerCount;
  if (plan.layerCount == 1 && plan.layers->kind == kernel::RayKind::medium) return kernel::RayUse::mediumAlone;
  const bool projections = std::all_of(
      plan.layers, end, [](const kernel::RayLayer& layer) { return layer.kind == kernel::RayKind::projection; });
  return projections ? kernel::RayUse::projections : kernel::RayUse::everything;
}

std::chrono::microseconds between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from);
}

}  // namespace

Result<std::unique_ptr<DeviceRenderer>> DeviceRenderer::create(std::unique_ptr<Device> device,
                                                               const kernel::Kernels& hostKernels,
                                                               const Options& options) {
  constexpr std::size_t shareOfFree = 5;  // of it one part is left for pictures, tables, the kernels' stacks and others
  const auto free = device->freeMemory();
  if (!free) return tl::make_unexpected(free.error());
  const std::size_t most = *free / shareOfFree * (shareOfFree - 1);
  Options chosen = options;
  if (chosen.imageBytes == 0) chosen.imageBytes = most;
  return std::unique_ptr<DeviceRenderer>(new DeviceRenderer(std::move(device), hostKernels, chosen));
}

DeviceRenderer::DeviceRenderer(std::unique_ptr<Device> device, const kernel::Kernels& hostKernels,
                               const Options& options)
    : device_(std::move(device)),
      hostKernels_(hostKernels),
      voxels_(*device_, options.imageBytes, options.pause),
      upload_(*device_, voxels_),
      back_(*device_, DeviceMemory::Kind::staging) {}

Result<RenderStatistics> DeviceRenderer::render(const RenderRequest& request, Frame& frame) {
  if (lost()) return fail(ErrorCode::unavailable, "the GPU is lost; restart nora to use it again");
  const auto started = Clock::now();
  auto plan = planner_.plan(request, hostKernels_, frame);
  if (!plan) return tl::make_unexpected(plan.error());
  if (request.stop.stop_requested()) return stoppedPicture(request.view);
  auto queued = queue(*plan);
  const auto planned = Clock::now();
  if (queued) queued = queueBack(frame.rgba.size());
  // Even then: the next picture writes what is still being copied.
  const auto done = device_->wait();
  if (!queued) return tl::make_unexpected(queued.error());
  if (!done) return tl::make_unexpected(done.error());

  kernel::RayCounts counts;
  std::memcpy(&counts, back_.data(), sizeof counts);
  std::memcpy(frame.rgba.data(), back_.data() + sizeof counts, frame.rgba.size());
  planner_.finish(frame);
  RenderStatistics statistics;
  statistics.geometry = planner_.geometryTime();
  statistics.samples = counts.samples;
  statistics.skipped = counts.skipped;
  statistics.prepare = between(started, planned) - statistics.geometry;
  statistics.draw = between(planned, Clock::now()) + statistics.geometry;
  return statistics;
}

Result<void> DeviceRenderer::queue(PicturePlan& plan) {
  if (!plan.rays) {
    if (auto uploaded = upload_.run(plan.slices); !uploaded) return uploaded;
    return device_->drawSlices(plan.slices, upload_.counts());
  }
  const kernel::RayUse use = useOf(*plan.rays);
  if (auto uploaded = upload_.run(*plan.rays); !uploaded) return uploaded;
  for (int s = 0; s < plan.rays->sliceCount; ++s) {
    const kernel::SlicePlan& picture = plan.rays->slices[s].picture;
    if (auto drawn = device_->drawSlices(picture, upload_.counts()); !drawn) return drawn;
  }
  return device_->drawRays(*plan.rays, use, upload_.counts());
}

Result<void> DeviceRenderer::queueBack(std::size_t pictureBytes) {
  const std::size_t bytes = sizeof(kernel::RayCounts) + pictureBytes;
  if (auto room = back_.reserve(bytes); !room) return room;
  const auto* counts = reinterpret_cast<const std::byte*>(upload_.counts());
  if (auto copied = device_->copyFrom(back_.data(), counts, sizeof(kernel::RayCounts)); !copied) return copied;
  return device_->copyFrom(back_.data() + sizeof(kernel::RayCounts), upload_.picture(), pictureBytes);
}

}  // namespace nora
