// CUDA's side of render/device/device.hpp. The runtime is linked statically and looks for the driver when it is first
// called, so that the program starts without one.
#include "render/cuda/cuda_device.hpp"

#include "render/cuda/launch.hpp"

#include <string>

namespace nora {
namespace {

constexpr int deviceNumber = 0;
constexpr int oldestGeneration = 8;  // compute capability: Ampere; what the kernels are compiled for

std::string reasonOf(cudaError_t status) {
  return std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")";
}

std::string versionOf(int number) {  // 13020: 13.2
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

/// Without a driver CUDA says that it is too old.
std::string whyNone(cudaError_t status) {
  int driver = 0;
  int runtime = 0;
  if (status != cudaErrorInsufficientDriver) return reasonOf(status);
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) return "there is no NVIDIA driver";
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) return reasonOf(status);
  return "the driver is made for CUDA " + versionOf(driver) + ", and nora needs one for " + versionOf(runtime);
}

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(const cudaDeviceProp& properties) : name_("cuda (" + std::string(properties.name) + ")") {}
  ~CudaDevice() override {
    if (stream_) cudaStreamDestroy(stream_);
  }

  Result<void> open() { return checked(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }

  std::string name() const override { return name_; }
  bool lost() const override { return lost_; }
  Result<std::size_t> freeMemory() override;
  Result<std::byte*> allocate(std::size_t bytes) override;
  void release(std::byte* memory) override { ignore(cudaFree(memory)); }
  Result<std::byte*> allocateStaging(std::size_t bytes) override;
  void releaseStaging(std::byte* memory) override { ignore(cudaFreeHost(memory)); }
  Result<void> copyTo(std::byte* to, const std::byte* from, std::size_t bytes) override;
  Result<void> copyFrom(std::byte* to, const std::byte* from, std::size_t bytes) override;
  Result<void> drawSlices(const kernel::SlicePlan& plan, kernel::RayCounts* counts) override;
  Result<void> drawRays(const kernel::RayPlan& plan, kernel::RayUse use, kernel::RayCounts* counts) override;
  Result<void> wait() override;

 private:
  /// CUDA keeps the last error for whoever asks next.
  static void ignore(cudaError_t status) {
    if (status != cudaSuccess) static_cast<void>(cudaGetLastError());
  }
  Result<void> checked(cudaError_t status, const char* doing);
  Result<void> lostError() const { return fail(ErrorCode::unavailable, "the GPU is lost"); }

  std::string name_;
  cudaStream_t stream_ = nullptr;
  bool lost_ = false;
};

Result<void> CudaDevice::checked(cudaError_t status, const char* doing) {
  if (status == cudaSuccess) return {};
  ignore(status);
  const std::string what = std::string(doing) + " failed: " + reasonOf(status);
  if (status == cudaErrorMemoryAllocation) return fail(ErrorCode::limitExceeded, what);
  lost_ = true;
  return fail(ErrorCode::unavailable, what);
}

Result<std::size_t> CudaDevice::freeMemory() {
  std::size_t free = 0;
  std::size_t total = 0;
  if (auto asked = checked(cudaMemGetInfo(&free, &total), "asking for the GPU's memory"); !asked) {
    return tl::make_unexpected(asked.error());
  }
  return free;
}

Result<std::byte*> CudaDevice::allocate(std::size_t bytes) {
  if (lost_) return tl::make_unexpected(lostError().error());
  void* memory = nullptr;
  const auto made = checked(cudaMalloc(&memory, bytes), "taking memory of the GPU");
  if (!made) return tl::make_unexpected(made.error());
  return static_cast<std::byte*>(memory);
}

Result<std::byte*> CudaDevice::allocateStaging(std::size_t bytes) {
  if (lost_) return tl::make_unexpected(lostError().error());
  void* memory = nullptr;
  const auto made = checked(cudaMallocHost(&memory, bytes), "taking pinned memory");
  if (!made) return tl::make_unexpected(made.error());
  return static_cast<std::byte*>(memory);
}

Result<void> CudaDevice::copyTo(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (lost_) return lostError();
  return checked(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copying to the GPU");
}

Result<void> CudaDevice::copyFrom(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (lost_) return lostError();
  return checked(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "copying from the GPU");
}

Result<void> CudaDevice::drawSlices(const kernel::SlicePlan& plan, kernel::RayCounts* counts) {
  if (lost_) return lostError();
  return checked(kernel::cuda::launchSlices(plan, counts, stream_), "drawing slices on the GPU");
}

Result<void> CudaDevice::drawRays(const kernel::RayPlan& plan, kernel::RayUse use, kernel::RayCounts* counts) {
  if (lost_) return lostError();
  const auto launch = [&] {
    switch (use) {
      case kernel::RayUse::mediumAlone: return kernel::cuda::launchMediumAlone(plan, counts, stream_);
      case kernel::RayUse::projections: return kernel::cuda::launchProjections(plan, counts, stream_);
      case kernel::RayUse::everything: break;
    }
    return kernel::cuda::launchEverything(plan, counts, stream_);
  };
  return checked(launch(), "drawing rays on the GPU");
}

Result<void> CudaDevice::wait() {
  if (lost_) return lostError();
  return checked(cudaStreamSynchronize(stream_), "drawing on the GPU");
}

}  // namespace

Result<std::unique_ptr<Device>> openCudaDevice() {
  int count = 0;
  cudaDeviceProp properties{};
  cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count == 0) status = cudaErrorNoDevice;
  if (status == cudaSuccess) status = cudaGetDeviceProperties(&properties, deviceNumber);
  if (status != cudaSuccess) {
    const std::string why = whyNone(status);
    static_cast<void>(cudaGetLastError());
    return fail(ErrorCode::unsupported, "no NVIDIA GPU can be used here: " + why);
  }
  if (properties.major < oldestGeneration) {
    return fail(ErrorCode::unsupported, std::string(properties.name) + " has compute capability " +
                                            std::to_string(properties.major) + "." + std::to_string(properties.minor) +
                                            ", and nora needs 8.0 or more");
  }
  auto device = std::make_unique<CudaDevice>(properties);
  if (auto opened = device->open(); !opened) return tl::make_unexpected(opened.error());
  return device;
}

}  // namespace nora
