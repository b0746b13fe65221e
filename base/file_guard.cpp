#include "base/file_guard.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr std::size_t mostGuards = 16384;

/// Read by the signal handler: nothing but lock-free atomics.
struct Slot {
  std::atomic<std::uintptr_t> begin{0};  // 0: free
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> hurt{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

std::array<Slot, mostGuards> slots;
std::atomic<std::size_t> slotsEverUsed{0};
std::mutex slotsMutex;  // of those who take and free slots; never taken by the handler
struct sigaction before {};

Slot* slotAt(std::uintptr_t address) {
  const std::size_t used = slotsEverUsed.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    const std::uintptr_t begin = slots[i].begin.load(std::memory_order_acquire);
    if (begin != 0 && address >= begin && address < slots[i].end.load(std::memory_order_relaxed)) return &slots[i];
  }
  return nullptr;
}

/// Zeros from the page of the fault to the end: what lies behind a cut is gone too, and one fault is enough.
bool mend(std::uintptr_t address) {
  Slot* slot = slotAt(address);
  if (slot == nullptr) return false;
  slot->hurt.store(true, std::memory_order_release);
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t from = address / page * page;
  const std::uintptr_t end = slot->end.load(std::memory_order_relaxed);
  void* zeros = ::mmap(reinterpret_cast<void*>(from), end - from, PROT_READ,  // NOLINT(performance-no-int-to-ptr)
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  return zeros != MAP_FAILED;
}

void onBusError(int signal, siginfo_t* info, void* context) {
  const int savedErrno = errno;
  if (mend(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    errno = savedErrno;
    return;
  }
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction != nullptr) {
    before.sa_sigaction(signal, info, context);
    return;
  }
  ::sigaction(SIGBUS, &before, nullptr);  // the same fault comes again and ends as it would have
}

void takeHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = onBusError;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &before);
  });
}

std::optional<std::size_t> takeSlot(std::span<const std::byte> pages) {
  const std::lock_guard lock(slotsMutex);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].begin.load(std::memory_order_relaxed) != 0) continue;
    const auto begin = reinterpret_cast<std::uintptr_t>(pages.data());
    slots[i].hurt.store(false, std::memory_order_relaxed);
    slots[i].end.store(begin + pages.size(), std::memory_order_relaxed);
    slots[i].begin.store(begin, std::memory_order_release);
    if (i >= slotsEverUsed.load(std::memory_order_relaxed)) slotsEverUsed.store(i + 1, std::memory_order_release);
    return i;
  }
  return std::nullopt;
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileStamp> stampOf(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  return FileStamp{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
                   nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

Result<std::unique_ptr<FileGuard>> FileGuard::over(std::span<const std::byte> pages, int fd, const FileStamp& stamp,
                                                   const std::string& name) {
  takeHandler();
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return fail(ErrorCode::limitExceeded, std::string("cannot keep it open: ") + std::strerror(errno), name);
  const auto slot = takeSlot(pages);
  if (!slot) return fail(ErrorCode::limitExceeded, "too many mapped files at once", name);
  return std::unique_ptr<FileGuard>(new FileGuard(*slot, std::move(own), stamp));
}

FileGuard::FileGuard(std::size_t slot, UniqueFd fd, const FileStamp& stamp)
    : slot_(slot), fd_(std::move(fd)), stamp_(stamp) {}

FileGuard::~FileGuard() {
  const std::lock_guard lock(slotsMutex);
  slots[slot_].begin.store(0, std::memory_order_release);
}

bool FileGuard::isIntact() const {
  return !slots[slot_].hurt.load(std::memory_order_acquire) && stampOf(fd_.get()) == stamp_;
}

}  // namespace nora
