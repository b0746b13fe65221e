// Names of files may have any bytes; the index, JSON and pages have UTF-8. This writes the one as the other, both ways.
#pragma once

#include <string>
#include <string_view>

namespace nora {

/// Bytes that are not UTF-8 become U+EF80..U+EFFF, one for each byte from 0x80 (as the encoding OPTU-8 does); so do the
/// bytes of such characters in the name itself, so that no two names are the same. Other text stays.
[[nodiscard]] std::string textOfPath(std::string_view bytes);
/// The other way round.
[[nodiscard]] std::string pathOfText(std::string_view text);

}  // namespace nora
