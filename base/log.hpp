// Logging. One line an event, to standard error; no patient names or ids, nothing per frame.
#pragma once

#include <string>
#include <string_view>

namespace nora::log {

enum class Level { debug, info, warning, error };

void setLevel(Level level);
void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace nora::log
