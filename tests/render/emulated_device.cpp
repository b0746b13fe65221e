#include "tests/render/emulated_device.hpp"

#include "render/cpu/kernel_sets.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include <sys/mman.h>

namespace nora {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t alignment = 256;

std::size_t up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

/// The pages of an allocation: it ends where they end, so that reading behind it is noticed.
std::span<std::byte> pagesOf(std::byte* memory, std::size_t bytes) {
  std::byte* end = memory + up(bytes, alignment);
  const std::size_t size = up(up(bytes, alignment), page);
  return {end - size, size};
}

void protect(std::span<const std::byte> pages, int protection) {
  auto* first = const_cast<std::byte*>(pages.data());
  if (::mprotect(first, pages.size(), protection) != 0) std::abort();
}

void allowDevice(const EmulatedMachine& machine, bool allowed) {
  for (const auto& [memory, bytes] : machine.allocations) {
    protect(pagesOf(memory, bytes), allowed ? PROT_READ | PROT_WRITE : PROT_NONE);
  }
}

/// Readable memory of this process.
std::vector<std::pair<std::uintptr_t, std::uintptr_t>> mappings() {
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> out;
  std::ifstream file("/proc/self/maps");
  for (std::string line; std::getline(file, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> first >> dash >> end;
    out.emplace_back(first, end);
  }
  return out;
}

/// Where a struct has a word with a flag and seven bytes that nobody sets, which may be those of an old pointer.
std::vector<std::size_t> flagsOf(const kernel::SliceLayer* /*type*/) {
  return {offsetof(kernel::SliceLayer, grid.stored), offsetof(kernel::SliceLayer, grid.big)};
}
std::vector<std::size_t> flagsOf(const kernel::RayLayer* /*type*/) {
  std::vector<std::size_t> out{offsetof(kernel::RayLayer, grid.stored), offsetof(kernel::RayLayer, grid.big),
                               offsetof(kernel::RayLayer, kind)};
  for (const std::size_t at : flagsOf(static_cast<const kernel::SliceLayer*>(nullptr))) {
    out.push_back(offsetof(kernel::RayLayer, look) + at);
  }
  return out;
}
std::vector<std::size_t> flagsOf(const kernel::SlicePlan* /*type*/) {
  return {};
}
std::vector<std::size_t> flagsOf(const kernel::RayPlan* /*type*/) {
  return {offsetof(kernel::RayPlan, mode)};
}

class EmulatedDevice final : public Device {
 public:
  explicit EmulatedDevice(EmulatedMachine& machine) : machine_(machine) {}

  std::string name() const override { return "emulated"; }
  bool lost() const override { return machine_.lost; }
  Result<std::size_t> freeMemory() override { return machine_.memory - machine_.usedBytes(); }

  Result<std::byte*> allocate(std::size_t bytes) override {
    if (fails(Operation::allocate) || bytes > machine_.memory - machine_.usedBytes()) {
      return fail(ErrorCode::limitExceeded, "emulated: out of memory");
    }
    const std::size_t size = up(up(bytes, alignment), page);
    void* mapped = ::mmap(nullptr, size + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return fail(ErrorCode::internal, "mmap");
    std::byte* memory = static_cast<std::byte*>(mapped) + size - up(bytes, alignment);
    machine_.allocations[memory] = bytes;
    return memory;
  }
  void release(std::byte* memory) override {
    const auto pages = pagesOf(memory, machine_.allocations.at(memory));
    ::munmap(pages.data(), pages.size() + page);
    machine_.allocations.erase(memory);
  }
  Result<std::byte*> allocateStaging(std::size_t bytes) override {
    if (fails(Operation::allocateStaging)) return fail(ErrorCode::limitExceeded, "emulated: no pinned memory");
    auto* memory = new std::byte[bytes];
    machine_.staging[memory] = bytes;
    return memory;
  }
  void releaseStaging(std::byte* memory) override {
    machine_.staging.at(memory) = 0;
    machine_.staging.erase(memory);
    delete[] memory;
  }

  Result<void> copyTo(std::byte* to, const std::byte* from, std::size_t bytes) override {
    return queue(Operation::copyTo, [this, to, from, bytes] {
      std::memcpy(to, from, bytes);
      machine_.copiedBytes += bytes;
    });
  }
  Result<void> copyFrom(std::byte* to, const std::byte* from, std::size_t bytes) override {
    return queue(Operation::copyFrom, [to, from, bytes] { std::memcpy(to, from, bytes); });
  }
  Result<void> drawSlices(const kernel::SlicePlan& plan, kernel::RayCounts* counts) override {
    return queue(Operation::draw, [this, plan, counts] { hide([&] { counts->samples += slices(plan); }); });
  }
  Result<void> drawRays(const kernel::RayPlan& plan, kernel::RayUse use, kernel::RayCounts* counts) override {
    return queue(Operation::draw, [this, plan, use, counts] {
      hide([&] {
        const kernel::RayCounts own = rays(plan, use);
        counts->samples += own.samples;
        counts->skipped += own.skipped;
      });
    });
  }
  Result<void> wait() override {
    if (machine_.lost) return lostError();
    if (fails(Operation::wait)) return lose();
    allowDevice(machine_, true);
    for (const auto& work : queue_) work();
    queue_.clear();
    allowDevice(machine_, false);
    return {};
  }

 private:
  static Result<void> lostError() { return fail(ErrorCode::unavailable, "emulated: lost"); }
  Result<void> lose() {
    machine_.lost = true;
    queue_.clear();
    return lostError();
  }
  bool fails(Operation operation) {
    const int call = ++machine_.calls[operation];
    const auto failing = machine_.failing.find(operation);
    return failing != machine_.failing.end() && failing->second == call;
  }
  Result<void> queue(Operation operation, std::function<void()> work) {
    if (machine_.lost) return lostError();
    if (fails(operation)) return lose();
    queue_.push_back(std::move(work));
    return {};
  }
  void hide(const std::function<void()>& draw) const {
    for (const auto& pages : machine_.hidden) protect(pages, PROT_NONE);
    draw();
    for (const auto& pages : machine_.hidden) protect(pages, PROT_READ);
  }

  /// Any word of a struct that is an address in memory which is not the device's: a pointer that was forgotten.
  template <class T>
  void look(const T* structs, int count) {
    const auto maps = mappings();
    const auto* first = reinterpret_cast<const std::byte*>(structs);
    const auto flags = flagsOf(structs);
    for (std::size_t at = 0; at + 8 <= sizeof(T) * static_cast<std::size_t>(count); at += 8) {
      if (std::find(flags.begin(), flags.end(), at % sizeof(T)) != flags.end()) continue;
      std::uintptr_t word = 0;
      std::memcpy(&word, first + at, sizeof word);
      const bool mapped =
          std::any_of(maps.begin(), maps.end(), [&](const auto& m) { return word >= m.first && word < m.second; });
      const bool own = std::any_of(machine_.allocations.begin(), machine_.allocations.end(), [&](const auto& a) {
        const auto begin = reinterpret_cast<std::uintptr_t>(a.first);
        return word >= begin && word < begin + a.second;
      });
      if (mapped && !own) ++machine_.foreignPointers;
    }
  }

  std::uint64_t slices(const kernel::SlicePlan& plan) {
    look(&plan, 1);
    look(plan.layers, plan.layerCount + plan.modulatorCount);
    if (!machine_.pixelThreads) return kernel::kernelsScalar().drawSlices(plan, {0, 0, plan.width, plan.height});
    std::uint64_t samples = 0;
    for (int y = 0; y < plan.height; ++y) {
      for (int x = 0; x < plan.width; ++x) samples += kernel::emulated::drawSlicePixel(plan, x, y);
    }
    return samples;
  }
  kernel::RayCounts rays(const kernel::RayPlan& plan, kernel::RayUse use) {
    look(&plan, 1);
    look(plan.layers, plan.layerCount);
    kernel::RayCounts sum;
    if (!machine_.pixelThreads) {
      kernel::RayPlan drawn = plan;  // the CPU's kernel would draw the slices' pictures again
      for (kernel::RaySlice& slice : drawn.slices) slice.picture.layerCount = 0;
      return kernel::kernelsScalar().drawRays(drawn, {0, 0, plan.width, plan.height});
    }
    for (int y = 0; y < plan.height; ++y) {
      for (int x = 0; x < plan.width; ++x) {
        const kernel::RayCounts one = kernel::emulated::drawRayPixel(plan, use, x, y);
        sum.samples += one.samples;
        sum.skipped += one.skipped;
      }
    }
    return sum;
  }

  EmulatedMachine& machine_;
  std::vector<std::function<void()>> queue_;
};

}  // namespace

std::size_t EmulatedMachine::usedBytes() const {
  std::size_t sum = 0;
  for (const auto& [pointer, bytes] : allocations) sum += bytes;
  return sum;
}

void EmulatedMachine::readDevice(std::byte* to, const std::byte* from, std::size_t bytes) {
  allowDevice(*this, true);
  std::memcpy(to, from, bytes);
  allowDevice(*this, false);
}

std::unique_ptr<Device> makeEmulatedDevice(EmulatedMachine& machine) {
  return std::make_unique<EmulatedDevice>(machine);
}

}  // namespace nora
