// What the process as a whole tells in /metrics.
#pragma once

#include "base/metrics.hpp"

#include <string>

namespace nora {

constexpr const char* programVersion = "0.1.0";

/// Memory, open files, uptime from now on, and the version that was built.
void addProcessMetrics(Metrics& metrics);

}  // namespace nora
