#include "app/process_metrics.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace nora {
namespace {

/// The second number of /proc/self/statm: pages that are in memory.
double residentBytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double openFiles() {
  std::error_code error;
  double count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error); !error && it != end(it);
       it.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

void addProcessMetrics(Metrics& metrics) {
  metrics.computed("nora_process_resident_memory_bytes", "Memory that is not swapped out.", residentBytes);
  metrics.computed("nora_process_open_fds", "Open files and connections.", openFiles);
  metrics.computed("nora_uptime_seconds", "Since the start.", [begin = std::chrono::steady_clock::now()] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  });
  metrics.gauge("nora_build_info", "Always 1; the label tells the version.", {{"version", programVersion}}).set(1);
}

}  // namespace nora
