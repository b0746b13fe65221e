// Random secrets: API tokens, web sessions, share links, CSRF values. The holder has the text; the index keeps its hash
// only, so that a stolen index lets nobody in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nora {

/// From the kernel (getrandom), waits until it is seeded. Ends the program if the kernel has none.
[[nodiscard]] std::string randomBytes(std::size_t count);

struct NewSecret {
  std::string text;  // prefix and 43 characters: 256 random bits as base64url. Shown once, never kept.
  std::string hash;  // what to keep: hashOfSecret(text)
};

/// `prefix` (as "nora_token_") lets people and scanners of repositories see what a text is.
[[nodiscard]] NewSecret newSecret(std::string_view prefix = {});

/// SHA-256 as 64 hex digits. No salt and no work factor: the text has 256 random bits, and it must be found by its
/// hash.
[[nodiscard]] std::string hashOfSecret(std::string_view text);

/// Constant time. False for an empty text.
[[nodiscard]] bool secretMatches(std::string_view text, std::string_view hash);

/// Whether a text can be a secret made by newSecret(prefix); asked before the index is.
[[nodiscard]] bool looksLikeSecret(std::string_view text, std::string_view prefix = {});

}  // namespace nora
