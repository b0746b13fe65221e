// Text as the search compares it: upper and lower case, composed and decomposed accents are the same.
#pragma once

#include <string>
#include <string_view>

namespace nora {

/// Unicode NFKC_Casefold: "É", "é" and "e" + accent become one; "ß" becomes "ss". What is not UTF-8 becomes U+FFFD.
///
/// Every text that the search looks at is stored a second time in this form, and every word searched for is brought
/// into it, so that the databases only ever compare code points, and both alike.
/// Thread: any. Source: Unicode TR 31 (toNFKC_Casefold), by ICU.
[[nodiscard]] std::string foldText(std::string_view utf8);

}  // namespace nora
