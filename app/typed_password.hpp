// Passwords for the command line: from a terminal without echo, from a file or standard input; never an argument, which
// others on the machine would see.
#pragma once

#include "base/error.hpp"

#include <string>

namespace nora {

/// `file`: its first line; "-": of standard input; empty: asked for twice at the terminal.
/// Errors: notFound and forbidden (the file); invalidInput (no terminal, or not the same twice); cancelled.
[[nodiscard]] Result<std::string> newPassword(const std::string& file, const std::string& user);

}  // namespace nora
