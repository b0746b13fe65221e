// Bytes as text: hexadecimal and base64url (RFC 4648 section 5, without padding).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nora {

[[nodiscard]] std::string toHex(std::string_view bytes);  // lower case
[[nodiscard]] std::string toBase64Url(std::string_view bytes);
/// Strict: nothing for padding, other characters, an impossible length, or bits set behind the last byte, so that one
/// value has one text.
[[nodiscard]] std::optional<std::string> fromBase64Url(std::string_view text);

/// RFC 3986: everything but letters, digits and -._~ as %XX.
[[nodiscard]] std::string percentEncode(std::string_view text);
/// `a=1&b=2` from the query of an address or a form; nothing if `name` is missing or there twice.
[[nodiscard]] std::optional<std::string> queryValue(std::string_view query, std::string_view name);

}  // namespace nora
