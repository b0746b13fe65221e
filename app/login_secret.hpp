// A secret of the settings: it stands in a file or in the environment, never among them.
#pragma once

#include "base/error.hpp"

#include <functional>
#include <string>

namespace nora {

/// Like getenv.
using Environment = std::function<const char*(const std::string& name)>;

/// From the file, or from the variable of that name; empty if neither is named. The file's last line break does not
/// count. `setting` is the beginning of both settings' names, as "[ldap] bind_password". Errors: invalidInput (both are
/// named; the file cannot be read or is larger than 4 KiB; the variable is not set; nothing is in it), which name the
/// setting and never what was read.
[[nodiscard]] Result<std::string> loginSecret(const std::string& setting, const std::string& file,
                                              const std::string& variable, const Environment& environment);

}  // namespace nora
