#include "image/io/delimited_text.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace nora {

char guessSeparator(std::string_view text) {
  constexpr std::size_t lines = 20;
  // In this order: commas also stand inside numbers and names of the others.
  constexpr std::array<char, 4> separators{'\t', ';', ',', '|'};
  char best = 0;
  std::size_t bestCount = 0;
  for (const char separator : separators) {
    std::size_t least = std::numeric_limits<std::size_t>::max(), most = 0, line = 0, count = 0;
    bool quoted = false, empty = true;
    for (std::size_t i = 0; i < text.size() && i < (std::size_t{1} << 20) && line < lines; ++i) {
      if (text[i] == '"') quoted = !quoted;
      if (!quoted && text[i] == separator) ++count;
      const bool lineEnd = !quoted && (text[i] == '\n' || text[i] == '\r');
      if (!lineEnd) empty = false;
      if ((lineEnd || i + 1 == text.size()) && !empty) {
        least = std::min(least, count);
        most = std::max(most, count);
        count = 0;
        empty = true;
        ++line;
      }
    }
    if (line == 0 || most == 0) continue;
    if (least == most) return separator;
    if (least >= bestCount && (best == 0 || least > bestCount)) {
      best = separator;
      bestCount = least;
    }
  }
  return best;
}

bool DelimitedText::findRow() {
  while (at_ < text_.size() && atRowEnd()) endRow();
  line_ = nextLine_;
  return at_ < text_.size();
}

void DelimitedText::endRow() {
  if (at_ >= text_.size()) return;
  if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
  ++at_;
  ++nextLine_;
}

bool DelimitedText::next(std::vector<std::string>& cells) {
  cells.clear();
  rowBytes_ = 0;
  if (!findRow()) return false;
  for (;;) {
    std::string* out = nullptr;
    if (cells.size() < maxCells && rowBytes_ < maxRowBytes) out = &cells.emplace_back();
    cell(out);
    if (out != nullptr) rowBytes_ += out->size();
    if (atRowEnd()) break;
    ++at_;  // the separator
    if (separator_ == ' ') {
      while (!atRowEnd() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
      if (atRowEnd()) break;
    }
  }
  endRow();
  // Rows of padded columns begin with spaces.
  if (separator_ == ' ' && cells.size() > 1 && cells.front().empty()) cells.erase(cells.begin());
  return true;
}

bool DelimitedText::skip() {
  if (!findRow()) return false;
  for (cell(nullptr); !atRowEnd(); cell(nullptr)) ++at_;
  endRow();
  return true;
}

void DelimitedText::cell(std::string* out) {
  if (quotes_ && at_ < text_.size() && text_[at_] == '"' && quotedCell(out)) return;
  const auto ends = [&](char c) {
    return c == '\n' || c == '\r' || c == separator_ || (separator_ == ' ' && c == '\t');
  };
  const std::size_t from = at_;
  while (at_ < text_.size() && !ends(text_[at_])) ++at_;
  if (out != nullptr) out->append(text_.substr(from, std::min(at_ - from, maxCellBytes)));
}

/// False, with nothing read, if no quote closes the cell.
bool DelimitedText::quotedCell(std::string* out) {
  std::string content;
  std::size_t lines = 0;
  for (std::size_t i = at_ + 1; i < text_.size() && i - at_ < maxCellBytes; ++i) {
    if (text_[i] != '"') {
      content += text_[i];
      if (text_[i] == '\n') ++lines;
      continue;
    }
    if (i + 1 < text_.size() && text_[i + 1] == '"') {
      content += text_[i++];
      continue;
    }
    at_ = i + 1;
    nextLine_ += lines;
    if (out != nullptr) *out = std::move(content);
    // What follows a closing quote up to the separator belongs to the cell as well.
    while (at_ < text_.size() && !atRowEnd() && text_[at_] != separator_) {
      if (out != nullptr && out->size() < maxCellBytes) *out += text_[at_];
      ++at_;
    }
    return true;
  }
  quotes_ = false;
  return false;
}

}  // namespace nora
