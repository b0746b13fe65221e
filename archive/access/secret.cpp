#include "archive/access/secret.hpp"

#include "archive/access/digest.hpp"
#include "archive/access/encoding.hpp"

#include <cerrno>
#include <cstdlib>

#include <sys/random.h>

namespace nora {
namespace {

constexpr std::size_t secretBytes = 32;

}  // namespace

std::string randomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t got = 0; got < count;) {
    const ssize_t more = ::getrandom(bytes.data() + got, count - got, 0);
    if (more < 0 && errno != EINTR) std::abort();
    if (more > 0) got += static_cast<std::size_t>(more);
  }
  return bytes;
}

NewSecret newSecret(std::string_view prefix) {
  NewSecret secret;
  secret.text = std::string(prefix) + toBase64Url(randomBytes(secretBytes));
  secret.hash = hashOfSecret(secret.text);
  return secret;
}

std::string hashOfSecret(std::string_view text) {
  return toHex(sha256(text));
}

bool secretMatches(std::string_view text, std::string_view hash) {
  return !text.empty() && equalInConstantTime(hashOfSecret(text), hash);
}

bool looksLikeSecret(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size() || text.substr(0, prefix.size()) != prefix) return false;
  const auto bytes = fromBase64Url(text.substr(prefix.size()));
  return bytes && bytes->size() == secretBytes;
}

}  // namespace nora
