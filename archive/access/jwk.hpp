// Public keys of a provider (JSON Web Keys, RFC 7517) and signatures made with them (RFC 7518: RS256, ES256). By
// OpenSSL.
#pragma once

#include "base/error.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

class JsonWebKey {
 public:
  enum class Algorithm { rs256, es256 };

  /// Thread: any. False for anything but a right signature of `message` by this key.
  [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const;

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  [[nodiscard]] const std::string& id() const { return id_; }  // kid; may be empty

 private:
  friend Result<std::vector<JsonWebKey>> parseKeySet(const std::string& json);
  Algorithm algorithm_ = Algorithm::rs256;
  std::string id_;
  std::shared_ptr<void> key_;  // EVP_PKEY; immutable
};

/// The keys of a set that can be used here: RSA of 2048 to 8192 bits for RS256, P-256 for ES256; made for signatures.
/// Others, as for encryption, are left out. Errors: invalidInput (not a key set, or no key that can be used).
[[nodiscard]] Result<std::vector<JsonWebKey>> parseKeySet(const std::string& json);

}  // namespace nora
