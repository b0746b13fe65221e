// What administrators are told of the server, its projects and its index.
#pragma once

#include "app/api/route.hpp"

namespace nora {

/// Quick enough to be asked often.
[[nodiscard]] Result<HttpResponse> serverAnswer(const ApiPlaces& places, const Visit& visit);
/// Reads the whole index (checkIndex). Noted in the audit.
[[nodiscard]] Result<HttpResponse> checkIndexAnswer(const ApiPlaces& places, const Visit& visit);

}  // namespace nora
