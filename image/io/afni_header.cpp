#include "image/io/afni_header.hpp"

#include "image/io/byte_reader.hpp"

#include <optional>
#include <utility>

namespace nora {
namespace {

/// Walks the text of a header.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  /// The next word between blanks and line ends; empty at the end.
  std::string_view word() {
    skipBlanks();
    const auto end = std::min(text_.find_first_of(blanks, at_), text_.size());
    return text_.substr(std::exchange(at_, end), end - at_);
  }
  void skipBlanks() { at_ = std::min(text_.find_first_not_of(blanks, at_), text_.size()); }
  [[nodiscard]] bool atEnd() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t left() const { return text_.size() - at_; }
  std::string_view take(std::size_t size) { return text_.substr(std::exchange(at_, at_ + size), size); }

 private:
  static constexpr std::string_view blanks{" \t\r\n", 4};
  std::string_view text_;
  std::size_t at_ = 0;
};

/// "type = x", "name = x", "count = x"; with or without blanks around the sign.
std::optional<std::string_view> fieldNamed(std::string_view key, Cursor& cursor) {
  std::string_view word = cursor.word();
  if (!word.starts_with(key)) return std::nullopt;
  word.remove_prefix(key.size());
  if (word.empty()) word = cursor.word();
  if (!word.starts_with('=')) return std::nullopt;
  word.remove_prefix(1);
  return word.empty() ? cursor.word() : word;
}

std::optional<std::string> textOf(Cursor& cursor, std::size_t count) {
  cursor.skipBlanks();
  if (cursor.left() == 0 || cursor.take(1) != "'" || count > cursor.left()) return std::nullopt;
  std::string out(cursor.take(count));
  while (!out.empty() && (out.back() == '~' || out.back() == '\0')) out.pop_back();
  return out;
}

std::optional<std::vector<double>> numbersOf(Cursor& cursor, std::size_t count) {
  if (count > cursor.left()) return std::nullopt;  // each takes a byte at least
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = numberFrom<double>(cursor.word());
    if (!number) return std::nullopt;
    out.push_back(*number);
  }
  return out;
}

template <class Map>
const typename Map::mapped_type* found(const Map& map, std::string_view key) {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

}  // namespace

Result<AfniHeader> AfniHeader::parse(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", name);
  AfniHeader header;
  Cursor cursor(asText(bytes));
  std::string last = "the first attribute";
  const auto damaged = [&] {
    return fail(ErrorCode::invalidInput, "the AFNI header is damaged or cut short at or after " + printable(last),
                name);
  };
  for (cursor.skipBlanks(); !cursor.atEnd(); cursor.skipBlanks()) {
    const auto type = fieldNamed("type", cursor);
    const auto attribute = type ? fieldNamed("name", cursor) : std::nullopt;
    const auto countText = attribute ? fieldNamed("count", cursor) : std::nullopt;
    const auto count = countText ? numberFrom<std::uint32_t>(*countText) : std::nullopt;
    if (!count) return damaged();
    last = std::string(*attribute);
    if (*type == "string-attribute") {
      auto text = textOf(cursor, *count);
      if (!text) return damaged();
      header.texts_[last] = std::move(*text);
    } else if (*type == "integer-attribute" || *type == "float-attribute") {
      auto numbers = numbersOf(cursor, *count);
      if (!numbers) return damaged();
      header.numbers_[last] = std::move(*numbers);
    } else {
      return damaged();
    }
  }
  return header;
}

const std::vector<double>& AfniHeader::numbers(std::string_view attribute) const {
  static const std::vector<double> none;
  const auto* numbers = found(numbers_, attribute);
  return numbers == nullptr ? none : *numbers;
}

std::string_view AfniHeader::text(std::string_view attribute) const {
  const auto* text = found(texts_, attribute);
  return text == nullptr ? std::string_view{} : *text;
}

bool looksLikeAfniHeader(std::span<const std::byte> bytes) {
  constexpr std::size_t enough = 256;
  Cursor cursor(asText(bytes.first(std::min(bytes.size(), enough))));
  const auto type = fieldNamed("type", cursor);
  return type && type->ends_with("-attribute");
}

}  // namespace nora
