// SHA-256, HMAC and comparing without telling by the time it takes. By OpenSSL's libcrypto.
#pragma once

#include <string>
#include <string_view>

namespace nora {

[[nodiscard]] std::string sha256(std::string_view bytes);                              // 32 bytes
[[nodiscard]] std::string hmacSha256(std::string_view key, std::string_view message);  // 32 bytes; RFC 2104

/// SHA-256 of what comes piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  [[nodiscard]] std::string finish();  // 64 hex digits; once

 private:
  void* context_;
};

/// The time depends on the lengths only.
[[nodiscard]] bool equalInConstantTime(std::string_view a, std::string_view b);

/// Overwrites a secret that is no longer needed; not left out by the compiler.
void wipe(std::string& secret);

}  // namespace nora
