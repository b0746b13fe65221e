// Rows of CSV and TSV files, one at a time. Own parser because nothing at hand reads the dialects that labs have
// (separators, decimal commas, quotes, line ends) out of memory without a copy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// Of tab, semicolon, comma and bar the one that splits the first lines evenly; 0 if none occurs.
[[nodiscard]] char guessSeparator(std::string_view text);

/// Quotes as RFC 4180 has them ("" inside for one quote, line ends inside are kept), line ends LF, CRLF or CR. A quote
/// that nothing closes is a character like any other.
class DelimitedText {
 public:
  static constexpr std::size_t maxCells = 16384;      // of a row; the rest is left out
  static constexpr std::size_t maxCellBytes = 65536;  // of a cell; the rest is left out
  static constexpr std::size_t maxRowBytes = std::size_t{1} << 20;

  /// `separator` ' ' : any run of spaces and tabs. The text must stay.
  DelimitedText(std::string_view text, char separator) : text_(text), separator_(separator) {}

  /// The next row that is not empty; false at the end. `cells` are replaced.
  [[nodiscard]] bool next(std::vector<std::string>& cells);
  /// The next row is only passed over; false at the end.
  [[nodiscard]] bool skip();
  /// Number of the line in which the last row began, from 1.
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  [[nodiscard]] bool findRow();
  void cell(std::string* out);
  [[nodiscard]] bool quotedCell(std::string* out);
  [[nodiscard]] bool atRowEnd() const { return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }
  void endRow();

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::size_t line_ = 0, nextLine_ = 1;
  bool quotes_ = true;
  std::size_t rowBytes_ = 0;
};

}  // namespace nora
