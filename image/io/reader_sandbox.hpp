// What a reader process may do: little memory, no new files, no network, no other processes.
#pragma once

#include <chrono>
#include <cstddef>

namespace nora::reader {

struct SandboxLimits {
  std::size_t addressSpaceBytes = 0;
  std::size_t fileBytes = 0;  // largest size that the process may give to a memory file
};

/// Applies the limits to this process for good; call it once, from its only thread, before any untrusted byte is seen.
/// Every system call that is not on the list fails with EPERM, so that libraries which probe the system go on without.
/// Where the kernel has no seccomp, the limits of memory hold all the same and a warning is logged.
void enterSandbox(const SandboxLimits& limits);

/// Gives this request `seconds` of processor time; what runs longer is ended by SIGXCPU.
void allowProcessorTime(std::chrono::seconds seconds);

}  // namespace nora::reader
