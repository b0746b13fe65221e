// SHA-256, HMAC and comparing without telling by the time it takes. By OpenSSL's libcrypto.
#pragma once

#include <string>
#include <string_view>

namespace nora {

[[nodiscard]] std::string sha256(std::string_view bytes);                              // 32 bytes
[[nodiscard]] std::string hmacSha256(std::string_view key, std::string_view message);  // 32 bytes; RFC 2104

/// The time depends on the lengths only.
[[nodiscard]] bool equalInConstantTime(std::string_view a, std::string_view b);

/// Overwrites a secret that is no longer needed; not left out by the compiler.
void wipe(std::string& secret);

}  // namespace nora
