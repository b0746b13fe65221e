// Validity of UTF-8, for text from files, names and messages.
#pragma once

#include <cstddef>
#include <string_view>

namespace nora {

/// Length in bytes of the valid UTF-8 sequence at text[at], 1 to 4; 0 if there is none (overlong forms, surrogates and
/// code points beyond U+10FFFF are not valid). `at` lies in `text`. Source: RFC 3629.
[[nodiscard]] std::size_t utf8Length(std::string_view text, std::size_t at);

}  // namespace nora
