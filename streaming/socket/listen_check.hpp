// Can the server listen there? Asked before libwebsockets is, because its own answer does not say why not.
#pragma once

#include "base/error.hpp"

#include <string>

namespace nora {

/// The numeric form of an address to bind to. Errors: invalidInput (no such address here), unavailable (port in use),
/// forbidden (port below 1024 without rights).
[[nodiscard]] Result<std::string> checkListen(const std::string& address, int port);

}  // namespace nora
