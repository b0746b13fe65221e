// Text that goes into LDAP filters and names, from people who log in: nothing of it may become syntax.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace nora {

/// For a value within a filter: RFC 4515 section 3. Escapes * ( ) \ NUL and all bytes that are not plain ASCII.
[[nodiscard]] std::string ldapFilterValue(std::string_view text);

/// For a value within a distinguished name: RFC 4514 section 2.4.
[[nodiscard]] std::string ldapNameValue(std::string_view text);

/// `pattern` with {name} (or another word in braces) replaced everywhere by `value`, which is escaped already.
[[nodiscard]] std::string filledIn(std::string pattern, std::string_view word, std::string_view value);

/// Whether a name may be asked for in a directory at all. Errors: invalidInput (empty, longer than 256 bytes, control
/// characters, not UTF-8).
[[nodiscard]] Result<void> checkDirectoryName(std::string_view name);

}  // namespace nora
