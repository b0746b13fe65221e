// Text files that are compiled into the program.
#pragma once

#include <string_view>

namespace nora {

/// docs/openapi.yaml
[[nodiscard]] std::string_view openApiText();

}  // namespace nora
