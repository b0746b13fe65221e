// Base64 text inside other formats (GIFTI, VTK XML), decoded into memory that the caller owns.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace nora {

/// No text of `characters` decodes to more bytes than this.
[[nodiscard]] constexpr std::size_t mostBase64Bytes(std::size_t characters) {
  return characters / 4 * 3 + (characters % 4 + 1) / 2;
}

/// Decodes all of `text` into `out`; the answer is the number of bytes. White space is skipped. Padding may be missing;
/// text may go on behind it (VTK encodes a header and its data one after the other, each with padding of its own).
/// Errors: invalidInput (a character that is none of base64, a single one left over, more than `out` holds), with
/// `name` as its place. Source: RFC 4648, section 4.
[[nodiscard]] Result<std::size_t> decodeBase64(std::string_view text, std::span<std::byte> out,
                                               const std::string& name);

}  // namespace nora
