// Which renderer a backend's name means.
#include "base/log.hpp"
#include "render/cpu/kernel_sets.hpp"
#include "render/cuda/cuda_device.hpp"
#include "render/device/fallback_renderer.hpp"
#include "render/renderer.hpp"

namespace nora {
namespace {

Result<std::unique_ptr<Renderer>> makeCudaRenderer(std::size_t imageBytes) {
  auto device = openCudaDevice();
  if (!device) return tl::make_unexpected(device.error());
  auto first = DeviceRenderer::create(std::move(*device), *kernel::findKernels(""), {.imageBytes = imageBytes});
  if (!first) return tl::make_unexpected(first.error());
  auto other = makeCpuRenderer();
  if (!other) return other;
  return std::make_unique<FallbackRenderer>(std::move(*first), std::move(*other));
}

}  // namespace

Result<std::unique_ptr<Renderer>> makeRenderer(const std::string& backend, std::size_t deviceImageBytes) {
  if (backend == "cpu") return makeCpuRenderer();
  if (backend != "cuda" && backend != "auto") {
    return fail(ErrorCode::invalidInput, "must be auto, cpu or cuda, not '" + printable(backend) + "'", "backend");
  }
  auto made = makeCudaRenderer(deviceImageBytes);
  if (made || backend == "cuda") return made;
  log::debug("no GPU: " + describe(made.error()));
  return makeCpuRenderer();
}

}  // namespace nora
