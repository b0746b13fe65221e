#include "archive/access/jwk.hpp"

#include "archive/access/encoding.hpp"

#include <optional>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using Json = nlohmann::json;
using Number = std::unique_ptr<BIGNUM, void (*)(BIGNUM*)>;

constexpr int fewestRsaBits = 2048, mostRsaBits = 8192;
constexpr std::size_t coordinateBytes = 32;  // P-256
constexpr std::size_t mostKeys = 64;

std::string textOf(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

const unsigned char* bytesOf(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number numberOf(std::string_view bytes) {
  return {BN_bin2bn(bytesOf(bytes), static_cast<int>(bytes.size()), nullptr), BN_free};
}

/// A public key from its parameters; null if they are not one.
std::shared_ptr<void> keyFrom(const char* type, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, void (*)(OSSL_PARAM*)> parameters(OSSL_PARAM_BLD_to_param(builder),
                                                                      OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return {key, [](void* made) { EVP_PKEY_free(static_cast<EVP_PKEY*>(made)); }};
}

std::shared_ptr<void> rsaKey(const Json& jwk) {
  const auto modulus = fromBase64Url(textOf(jwk, "n")), exponent = fromBase64Url(textOf(jwk, "e"));
  if (!modulus || !exponent || modulus->size() > mostRsaBits / 8 + 1 || exponent->size() > 8) return nullptr;
  const Number n = numberOf(*modulus), e = numberOf(*exponent);
  if (BN_num_bits(n.get()) < fewestRsaBits || BN_num_bits(n.get()) > mostRsaBits || !BN_is_odd(n.get()) ||
      !BN_is_odd(e.get()) || BN_is_one(e.get())) {
    return nullptr;
  }
  const std::unique_ptr<OSSL_PARAM_BLD, void (*)(OSSL_PARAM_BLD*)> builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return keyFrom("RSA", builder.get());
}

std::shared_ptr<void> p256Key(const Json& jwk) {
  const auto x = fromBase64Url(textOf(jwk, "x")), y = fromBase64Url(textOf(jwk, "y"));
  if (textOf(jwk, "crv") != "P-256" || !x || !y || x->size() != coordinateBytes || y->size() != coordinateBytes) {
    return nullptr;
  }
  const std::string point = "\x04" + *x + *y;  // uncompressed; OpenSSL refuses one that is not on the curve
  const std::unique_ptr<OSSL_PARAM_BLD, void (*)(OSSL_PARAM_BLD*)> builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return keyFrom("EC", builder.get());
}

/// RFC 7518 section 3.4 has r and s one after the other, OpenSSL wants them as DER.
std::optional<std::string> derOf(std::string_view signature) {
  if (signature.size() != 2 * coordinateBytes) return std::nullopt;
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
  if (ECDSA_SIG_set0(pair.get(), numberOf(signature.substr(0, coordinateBytes)).release(),
                     numberOf(signature.substr(coordinateBytes)).release()) != 1) {
    return std::nullopt;
  }
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &der);
  if (length <= 0) return std::nullopt;
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

}  // namespace

bool JsonWebKey::verifies(std::string_view message, std::string_view signature) const {
  std::string raw(signature);
  if (algorithm_ == Algorithm::es256) {
    auto der = derOf(signature);
    if (!der) return false;
    raw = std::move(*der);
  }
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, static_cast<EVP_PKEY*>(key_.get())) == 1 &&
         EVP_DigestVerify(context.get(), bytesOf(raw), raw.size(), bytesOf(message), message.size()) == 1;
}

Result<std::vector<JsonWebKey>> parseKeySet(const std::string& json) {
  const Json set = Json::parse(json, nullptr, false);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array() || set["keys"].size() > mostKeys) {
    return fail(ErrorCode::invalidInput, "is not a set of JSON Web Keys", "jwks_uri");
  }
  std::vector<JsonWebKey> keys;
  for (const auto& jwk : set["keys"]) {
    if (!jwk.is_object()) continue;
    const std::string type = textOf(jwk, "kty"), use = textOf(jwk, "use"), algorithm = textOf(jwk, "alg");
    if (!use.empty() && use != "sig") continue;
    JsonWebKey key;
    key.id_ = textOf(jwk, "kid");
    if (type == "RSA" && (algorithm.empty() || algorithm == "RS256")) {
      key.key_ = rsaKey(jwk);
    } else if (type == "EC" && (algorithm.empty() || algorithm == "ES256")) {
      key.algorithm_ = JsonWebKey::Algorithm::es256;
      key.key_ = p256Key(jwk);
    }
    if (key.key_) keys.push_back(std::move(key));
  }
  if (keys.empty()) {
    return fail(ErrorCode::invalidInput,
                "has no key for RS256 (2048 bits or more) or ES256: change the client's "
                "signature algorithm at the provider",
                "jwks_uri");
  }
  return keys;
}

}  // namespace nora
