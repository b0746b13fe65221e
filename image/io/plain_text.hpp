// Text of unknown encoding, as UTF-8: tables, notes and look-up tables come from editors of thirty years.
#pragma once

#include "image/io/file_reader.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace nora {

/// Bytes as text. Those of a plain UTF-8 or 8-bit file are not copied; the file must stay.
class PlainText {
 public:
  /// At most so many bytes are inflated from a .gz; the rest is left out and `cut` is set.
  static constexpr std::size_t maxInflatedBytes = std::size_t{64} << 20;

  /// Inflates .gz, drops a byte order mark, converts UTF-16 (only with its mark). Never fails: a damaged .gz gives what
  /// could be had, `damaged` set.
  explicit PlainText(std::span<const std::byte> file, std::size_t maxInflated = maxInflatedBytes);
  PlainText(const PlainText&) = delete;
  PlainText& operator=(const PlainText&) = delete;

  /// The raw characters: UTF-8 or, if not valid, of one byte each (see utf8).
  [[nodiscard]] std::string_view raw() const { return raw_; }
  /// A piece of raw() as UTF-8.
  [[nodiscard]] std::string utf8(std::string_view piece) const;
  /// "UTF-8", "Windows-1252", "UTF-16".
  [[nodiscard]] const char* encoding() const { return encoding_; }
  /// A NUL or another byte that no text has.
  [[nodiscard]] bool binary() const;
  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] bool damaged() const { return damaged_; }

 private:
  std::vector<std::byte> inflated_;
  std::string converted_;
  std::string_view raw_;
  const char* encoding_ = "UTF-8";
  bool singleByte_ = false;
  bool cut_ = false;
  bool damaged_ = false;
};

/// Appends a code point; surrogates and what is beyond U+10FFFF become U+FFFD.
void appendUtf8(std::string& out, char32_t code);

/// `name` ends with `suffix` (lower case) in any case of its letters; ".gz" behind it does not count.
[[nodiscard]] bool hasTextSuffix(const std::string& name, std::string_view suffix);

/// The part behind the last slash, in lower case.
[[nodiscard]] std::string lowerFileName(const std::string& name);

}  // namespace nora
