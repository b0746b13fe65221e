// Look-up tables in CSV and TSV files: BIDS (index, name, abbreviation, color), Slicer (LabelValue, Name, Color_R, ...)
// and what people make in a spreadsheet. Source: BIDS 1.9, derivatives, "common image-derived labels".
#include "image/io/label_parsers.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/delimited_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace nora {
namespace {

constexpr std::size_t absent = static_cast<std::size_t>(-1);

struct Columns {
  std::size_t value = absent, name = absent, colour = absent;
  std::array<std::size_t, 4> rgba{absent, absent, absent, absent};
};

/// Letters and digits only, in lower case.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  }
  return out;
}

std::size_t find(const std::vector<std::string>& header, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto at = std::find(header.begin(), header.end(), name);
    if (at != header.end()) return static_cast<std::size_t>(at - header.begin());
  }
  return absent;
}

std::optional<Columns> columnsOf(const std::vector<std::string>& cells) {
  std::vector<std::string> header;
  for (const std::string& cell : cells) header.push_back(plain(cell));
  Columns columns;
  columns.value = find(header, {"index", "labelvalue", "value", "labelid", "labelindex", "labelno", "roiid", "id", "no",
                                "label", "number", "key"});
  columns.name = find(header, {"name", "labelname", "regionname", "roiname", "structure", "region", "roi", "label",
                               "description", "fullname", "abbreviation"});
  if (columns.name == columns.value) columns.name = absent;
  columns.colour = find(header, {"color", "colour", "hex", "hexcolor", "hexcolour", "rgb"});
  columns.rgba = {find(header, {"colorr", "red", "r", "colourr"}), find(header, {"colorg", "green", "g", "colourg"}),
                  find(header, {"colorb", "blue", "b", "colourb"}),
                  find(header, {"colora", "alpha", "a", "opacity", "coloura"})};
  const bool channels = std::all_of(columns.rgba.begin(), columns.rgba.begin() + 3, [](auto c) { return c != absent; });
  if (!channels) columns.rgba = {absent, absent, absent, absent};
  if (columns.value == absent || (columns.name == absent && columns.colour == absent && !channels)) return std::nullopt;
  return columns;
}

class Rows {
 public:
  Rows(const Columns& columns, DelimitedText& text, const std::string& name)
      : columns_(columns), text_(text), name_(name) {}

  Result<LabelRows> read() {
    LabelRows out{"label table", {}, columns_.colour != absent || columns_.rgba[0] != absent};
    std::vector<std::string> cells;
    while (text_.next(cells) && out.labels.size() <= LabelTable::maxLabels) {
      const auto value = numberFrom<std::int64_t>(at(cells, columns_.value));
      if (!value) return wrong("\"" + at(cells, columns_.value).substr(0, 40) + "\" is no whole number");
      Label label{*value, std::string(trimmed(at(cells, columns_.name))), {0, 0, 0, 255}, false};
      auto coloured = takeColour(cells, label);
      if (!coloured) return tl::make_unexpected(coloured.error());
      out.labels.push_back(std::move(label));
    }
    scaleFractions(out.labels);
    return out;
  }

 private:
  [[nodiscard]] static std::string at(const std::vector<std::string>& cells, std::size_t column) {
    return column < cells.size() ? cells[column] : std::string{};
  }
  [[nodiscard]] tl::unexpected<Error> wrong(const std::string& what) const {
    return fail(ErrorCode::invalidInput, "line " + std::to_string(text_.line()) + ": " + what, name_);
  }

  Result<void> takeColour(const std::vector<std::string>& cells, Label& label) {
    if (columns_.rgba[0] != absent) {
      std::array<double, 4> channels{0, 0, 0, -1};
      for (std::size_t c = 0; c < channels.size(); ++c) {
        const std::string cell = at(cells, columns_.rgba[c]);
        const std::string_view word = trimmed(cell);
        if (word.empty() || word == "n/a") {
          if (c < 3) return {};
          continue;
        }
        const auto value = numberFrom<double>(word);
        if (!value || !(*value >= 0 && *value <= 255)) return wrong("\"" + cell.substr(0, 40) + "\" is no colour");
        whole_ = whole_ || *value > 1;
        channels[c] = *value;
      }
      colours_.push_back(channels);
      label.hasColour = true;
      return {};
    }
    const std::string cell = at(cells, columns_.colour);
    const std::string_view word = trimmed(cell);
    if (word.empty() || word == "n/a") return {};
    const auto colour = colourFromHexText(word);
    if (!colour) return wrong("\"" + cell.substr(0, 40) + "\" is no colour; #rrggbb is expected");
    label.rgba = *colour;
    label.hasColour = true;
    return {};
  }

  /// Channels go to 255, or to 1 if none of the file is larger.
  void scaleFractions(std::vector<Label>& labels) const {
    if (colours_.empty()) return;
    auto from = colours_.begin();
    for (Label& label : labels) {
      if (!label.hasColour || from == colours_.end()) continue;
      for (std::size_t c = 0; c < 4; ++c) {
        const double full = whole_ ? 255 : 1;
        const double value = (*from)[c] < 0 ? (label.value == 0 ? 0 : full) : (*from)[c];
        label.rgba[c] = static_cast<std::uint8_t>(std::lround(value / full * 255));
      }
      ++from;
    }
  }

  const Columns& columns_;
  DelimitedText& text_;
  const std::string& name_;
  std::vector<std::array<double, 4>> colours_;
  bool whole_ = false;
};

}  // namespace

std::optional<std::array<std::uint8_t, 4>> colourFromHexText(std::string_view text) {
  if (text.starts_with('#')) {
    text.remove_prefix(1);
  } else if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
  } else if (text.size() < 6) {
    return std::nullopt;
  }
  std::string full(text);
  if (text.size() == 3) full = {text[0], text[0], text[1], text[1], text[2], text[2]};
  if (full.size() == 6) full += "ff";
  if (full.size() != 8) return std::nullopt;
  std::array<std::uint8_t, 4> rgba{};
  for (std::size_t i = 0; i < rgba.size(); ++i) {
    const char* from = full.data() + 2 * i;
    const auto [end, error] = std::from_chars(from, from + 2, rgba[i], 16);
    if (error != std::errc{} || end != from + 2) return std::nullopt;
  }
  return rgba;
}

ParsedLabels parseLabelColumns(std::string_view text, const std::string& name) {
  const char separator = guessSeparator(text);
  if (separator == 0) return std::nullopt;
  DelimitedText rows(text, separator);
  std::vector<std::string> header;
  if (!rows.next(header)) return std::nullopt;
  const auto columns = columnsOf(header);
  if (!columns) return std::nullopt;
  return Rows(*columns, rows, name).read();
}

}  // namespace nora
