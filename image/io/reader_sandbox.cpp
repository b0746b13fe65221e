#include "image/io/reader_sandbox.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <memory>
#include <string>

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace nora::reader {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

constexpr rlim_t maxOpenFiles = 512;  // one message brings up to 128

/// Calls that touch only memory, time and descriptors which the process holds already.
constexpr int allowedCalls[] = {
    SCMP_SYS(read),         SCMP_SYS(readv),        SCMP_SYS(pread64),         SCMP_SYS(write),
    SCMP_SYS(writev),       SCMP_SYS(recvmsg),      SCMP_SYS(sendmsg),         SCMP_SYS(poll),
    SCMP_SYS(ppoll),        SCMP_SYS(close),        SCMP_SYS(lseek),           SCMP_SYS(fstat),
    SCMP_SYS(ftruncate),    SCMP_SYS(munmap),       SCMP_SYS(mremap),          SCMP_SYS(madvise),
    SCMP_SYS(brk),          SCMP_SYS(futex),        SCMP_SYS(clock_gettime),   SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time),         SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(getrandom),    SCMP_SYS(getpid),       SCMP_SYS(gettid),          SCMP_SYS(getrusage),
    SCMP_SYS(getcpu),       SCMP_SYS(sched_yield),  SCMP_SYS(sysinfo),         SCMP_SYS(sched_getaffinity),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),  SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),   SCMP_SYS(restart_syscall), SCMP_SYS(uname),
};

void limit(__rlimit_resource resource, rlim_t value) {
  const rlimit both{value, value};
  if (::setrlimit(resource, &both) != 0) log::warning(std::string("reader: setrlimit: ") + std::strerror(errno));
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {}

  template <class... Conditions>
  void allow(int call, Conditions... conditions) {
    if (context_)
      failed_ |= seccomp_rule_add(context_.get(), SCMP_ACT_ALLOW, call, sizeof...(conditions), conditions...) != 0;
  }

  [[nodiscard]] bool load() { return context_ && !failed_ && seccomp_load(context_.get()) == 0; }

 private:
  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  bool failed_ = false;
};

void allowNarrowedCalls(Filter& filter) {
  // No memory that can be executed.
  filter.allow(SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  filter.allow(SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  // glibc's fstat; the flag leaves no room for a plain path.
  filter.allow(SCMP_SYS(newfstatat), SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH));
  // Not F_SETOWN and F_SETSIG, which send signals to others.
  for (const int command : {F_GETFD, F_SETFD, F_GETFL, F_ADD_SEALS, F_GET_SEALS}) {
    filter.allow(SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command)));
  }
  // abort() and raise(): itself only.
  filter.allow(SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())));
  // Only the processor time, which each request sets anew; root could raise the others.
  filter.allow(SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, RLIMIT_CPU));
}

void allowSanitizerCalls(Filter& filter) {
  // The check of virtual tables asks a pipe whether memory can be read.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(openat), SCMP_SYS(readlink), SCMP_SYS(prctl),
                         SCMP_SYS(prlimit64), SCMP_SYS(pipe), SCMP_SYS(pipe2)}) {
    filter.allow(call);
  }
}

}  // namespace

void enterSandbox(const SandboxLimits& limits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::tzset();                   // reads a file, which is not possible any more below
  ::signal(SIGXFSZ, SIG_IGN);  // so that a memory file that is too large is an error, not the end
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, maxOpenFiles);
  limit(RLIMIT_FSIZE, limits.fileBytes);
  if (!sanitized) limit(RLIMIT_AS, limits.addressSpaceBytes);  // a sanitizer reserves terabytes

  Filter filter;
  for (const int call : allowedCalls) filter.allow(call);
  allowNarrowedCalls(filter);
  if (sanitized) allowSanitizerCalls(filter);
  if (!filter.load()) log::warning("reader: the kernel takes no seccomp filter; files are read without it");
}

void allowProcessorTime(std::chrono::seconds seconds) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto until = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec + seconds.count() + 1);
  rlimit both{};
  if (::getrlimit(RLIMIT_CPU, &both) != 0) return;
  both.rlim_cur = both.rlim_max == RLIM_INFINITY ? until : std::min(until, both.rlim_max);
  ::setrlimit(RLIMIT_CPU, &both);
}

}  // namespace nora::reader
