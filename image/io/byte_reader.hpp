// A bounds-checked cursor over untrusted bytes, either byte order; and checked parsing of numbers in header text.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nora {

/// Reads forward; once it has run over the end every answer is zero or empty and `good` is false.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes, std::endian order = std::endian::little)
      : bytes_(bytes), order_(order) {}

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
  void setOrder(std::endian order) { order_ = order; }

  void seek(std::size_t position) {
    good_ = good_ && position <= bytes_.size();
    at_ = good_ ? position : bytes_.size();
  }
  void skip(std::size_t size) { static_cast<void>(take(size)); }

  std::span<const std::byte> take(std::size_t size) {
    if (!good_ || size > left()) {
      good_ = false;
      at_ = bytes_.size();
      return {};
    }
    const auto taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
  }

  template <class T>
  T number() {
    static_assert(std::is_arithmetic_v<T>);
    std::array<std::byte, sizeof(T)> raw{};
    const auto from = take(sizeof(T));
    if (from.empty()) return T{};
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      raw[order_ == std::endian::native ? i : sizeof(T) - 1 - i] = from[i];
    }
    return std::bit_cast<T>(raw);
  }

  /// `size` bytes of text, up to the first NUL.
  std::string_view text(std::size_t size) {
    const auto taken = take(size);
    const std::string_view all(reinterpret_cast<const char*>(taken.data()), taken.size());
    return all.substr(0, all.find('\0'));
  }
  /// Up to the next line feed (not included, a carriage return before it neither) or the end.
  std::string_view line() {
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + at_, left());
    const auto end = rest.find('\n');
    std::string_view out = rest.substr(0, end);
    at_ += end == std::string_view::npos ? rest.size() : end + 1;
    if (!out.empty() && out.back() == '\r') out.remove_suffix(1);
    return out;
  }

 private:
  std::span<const std::byte> bytes_;
  std::endian order_;
  std::size_t at_ = 0;
  bool good_ = true;
};

[[nodiscard]] inline std::string_view asText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(space);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// Pieces between characters of `separators`, without the empty ones; at most `most` (the rest is left out).
[[nodiscard]] inline std::vector<std::string_view> words(std::string_view text,
                                                         std::string_view separators = " \t\r\n\v\f",
                                                         std::size_t most = 65536) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; out.size() < most;) {
    at = text.find_first_not_of(separators, at);
    if (at == std::string_view::npos) break;
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

/// The whole text as a number ("+5" too); empty if it is anything else or out of range. "nan" and "inf" are numbers
/// for floating point.
template <class T>
[[nodiscard]] std::optional<T> numberFrom(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace nora
