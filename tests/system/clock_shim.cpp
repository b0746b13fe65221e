// A wall clock that a test can set under a running program: preloaded, it adds the seconds (int64) that the file
// NORA_TEST_CLOCK begins with. The steady clock stays as it is.
#include <atomic>
#include <cstdint>
#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>
#include <ctime>

namespace {

const std::atomic<std::int64_t>* shared() {
  static const std::atomic<std::int64_t>* const mapped = []() -> const std::atomic<std::int64_t>* {
    const char* file = std::getenv("NORA_TEST_CLOCK");
    const int fd = file != nullptr ? ::open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return nullptr;
    void* at = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    return at == MAP_FAILED ? nullptr : static_cast<const std::atomic<std::int64_t>*>(at);
  }();
  return mapped;
}

std::int64_t offsetSeconds() {
  const auto* set = shared();
  return set != nullptr ? set->load() : 0;
}

[[gnu::constructor]] void mapBeforeFilesAreForbidden() {
  (void)shared();
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) {
  using Real = int (*)(clockid_t, timespec*);
  static const Real real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const int done = real(clock, out);
  if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) out->tv_sec += offsetSeconds();
  return done;
}

int gettimeofday(timeval* out, void*) {
  timespec now{};
  const int done = clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return done;
}

time_t time(time_t* out) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
}
