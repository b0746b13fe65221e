// Text of DICOM elements made safe to show: valid UTF-8, no control characters, trimmed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nora {

/// Bytes that are no UTF-8 become U+FFFD; control characters go; blanks around are trimmed; cut at 1024 bytes.
[[nodiscard]] std::string cleanedText(std::string_view text);

/// A decimal or integer string (DS, IS); empty if it is not one finite number.
[[nodiscard]] std::optional<double> numberOfText(std::string_view text);

/// True if SpecificCharacterSet names JIS X 0208 or 0212, which DCMTK cannot convert by glibc's iconv.
[[nodiscard]] bool isJapaneseCodeExtension(std::string_view specificCharacterSet);

/// ISO 2022 text with Japanese escape sequences, and half-width katakana, as UTF-8. What cannot be converted becomes
/// U+FFFD.
[[nodiscard]] std::string utf8FromJapanese(std::string_view text);

/// Loads iconv's module, so that later no file has to be opened.
void prepareJapaneseText();

/// For messages: four digits at most, "0.25".
[[nodiscard]] std::string shortNumber(double value);

/// For messages: "1 slice", "2 slices".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace nora
