// A cursor over the words and lines of an untrusted text: what the text forms of meshes have in common.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace nora {

class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}

  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::size_t left() const { return text_.size() - at_; }
  [[nodiscard]] std::size_t line() const { return line_; }  // the first is 1

  /// True if nothing but white space is left.
  [[nodiscard]] bool atEnd() {
    skipSpace();
    return at_ == text_.size();
  }

  /// Up to white space; empty at the end.
  std::string_view word() {
    skipSpace();
    const std::size_t start = at_;
    while (at_ < text_.size() && !isSpace(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  /// The next word as a number; empty if it is none, or not wholly, or does not fit.
  template <class T>
  std::optional<T> number() {
    skipSpace();
    const char* end = text_.data() + text_.size();
    const char* start = text_.data() + at_;
    if (start != end && *start == '+') ++start;
    T value{};
    const auto [stop, error] = std::from_chars(start, end, value);
    if (error != std::errc{} || (stop != end && !isSpace(*stop))) return std::nullopt;
    at_ = static_cast<std::size_t>(stop - text_.data());
    return value;
  }

  /// A real number; one too small for a double is 0.
  std::optional<double> real() {
    const std::size_t start = (skipSpace(), at_);
    if (const auto value = number<double>()) return value;
    const std::string_view text = word();
    if (text.find_first_not_of("+-.0123456789eE") == std::string_view::npos &&
        text.find("e-") != std::string_view::npos) {
      return 0;
    }
    at_ = start;
    return std::nullopt;
  }

  /// The rest of the line, without its end.
  std::string_view restOfLine() {
    const std::size_t start = at_;
    const std::size_t end = std::min(text_.find_first_of("\r\n", at_), text_.size());
    at_ = end;
    if (at_ < text_.size()) {
      at_ += text_.compare(at_, 2, "\r\n") == 0 ? 2 : 1;
      ++line_;
    }
    return text_.substr(start, end - start);
  }

  /// Skips white space, and comments from `#` to the end of their line.
  void skipComments() {
    for (skipSpace(); at_ < text_.size() && text_[at_] == '#'; skipSpace()) restOfLine();
  }

 private:
  static bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  void skipSpace() {
    for (; at_ < text_.size() && isSpace(text_[at_]); ++at_) {
      const bool crAlone = text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] != '\n');
      if (text_[at_] == '\n' || crAlone) ++line_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace nora
