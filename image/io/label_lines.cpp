// Look-up tables made of lines of words.
//
// Own parser because each tool reads its own dialect only: FreeSurfer's alpha is inverted (0: opaque), Slicer's and
// MRtrix's is not; MRtrix has two names; ITK-SNAP's alpha is a fraction; FSLeyes has fractions throughout.
#include "image/io/label_parsers.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace nora {
namespace {

/// One line, cut into words.
struct Line {
  std::size_t number = 0;
  std::vector<std::string_view> words;  // quoted ones without their quotes
  bool quoted = false;                  // the last word
};

struct Lines {
  std::vector<Line> rows;
  bool freeSurfer = false, slicer = false, itkSnap = false;  // by the comments
};

bool isWhole(std::string_view word) {
  return numberFrom<std::int64_t>(word).has_value();
}

Line split(std::string_view text, std::size_t number) {
  constexpr std::string_view space = " \t\r\f\v";
  Line line;
  line.number = number;
  for (std::size_t at = 0;;) {
    at = text.find_first_not_of(space, at);
    if (at == std::string_view::npos) return line;
    const auto close = text[at] == '"' ? text.find('"', at + 1) : std::string_view::npos;
    line.quoted = close != std::string_view::npos;
    const auto end = line.quoted ? close : std::min(text.find_first_of(space, at), text.size());
    const auto from = line.quoted ? at + 1 : at;
    line.words.push_back(text.substr(from, end - from));
    at = line.quoted ? end + 1 : end;
  }
}

void readComment(std::string_view comment, Lines& lines) {
  const auto has = [&](std::string_view what) { return comment.find(what) != std::string_view::npos; };
  if (has("Color table file")) lines.slicer = true;
  if (has("ITK-SnAP") || has("ITK-SNAP")) lines.itkSnap = true;
  if (has("FreeSurferColorLUT") || has("#No.") || has("# No.") || has("Label Name")) lines.freeSurfer = true;
}

Lines linesOf(std::string_view text) {
  Lines lines;
  ByteReader reader(std::as_bytes(std::span(text)));
  for (std::size_t number = 1; reader.left() > 0; ++number) {
    const std::string_view line = trimmed(reader.line());
    if (line.empty()) continue;
    if (line.starts_with('#') || line.starts_with("//") || line.starts_with('*') || line.starts_with(';')) {
      readComment(line, lines);
      continue;
    }
    lines.rows.push_back(split(line, number));
  }
  return lines;
}

tl::unexpected<Error> wrongLine(const Line& line, const std::string& what, const std::string& name) {
  return fail(ErrorCode::invalidInput, "line " + std::to_string(line.number) + ": " + what, name);
}

std::optional<std::uint8_t> byteFrom(std::string_view word) {
  const auto value = numberFrom<int>(word);
  if (!value || *value < 0 || *value > 255) return std::nullopt;
  return static_cast<std::uint8_t>(*value);
}

std::optional<std::uint8_t> byteFromFraction(std::string_view word) {
  const auto value = numberFrom<double>(word);
  if (!value || !(*value >= 0 && *value <= 1)) return std::nullopt;
  return static_cast<std::uint8_t>(std::lround(*value * 255));
}

std::string joined(const Line& line, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) (out += i > from ? " " : "").append(line.words[i]);
  return out;
}

/// index red green blue alpha(0..1) visible mesh "name"
ParsedLabels itkSnap(const Lines& lines, const std::string& name) {
  constexpr std::size_t wanted = 8;
  const Line& first = lines.rows.front();
  if (first.words.size() != wanted || !first.quoted) return std::nullopt;
  LabelRows out{"ITK-SNAP labels", {}, true};
  for (const Line& line : lines.rows) {
    if (line.words.size() != wanted) return wrongLine(line, "ITK-SNAP labels have seven numbers and a name", name);
    const auto value = numberFrom<std::int64_t>(line.words[0]);
    const auto r = byteFrom(line.words[1]), g = byteFrom(line.words[2]), b = byteFrom(line.words[3]);
    const auto alpha = byteFromFraction(line.words[4]);
    const auto visible = numberFrom<int>(line.words[5]);
    if (!value) return wrongLine(line, "the value must be a whole number", name);
    if (!r || !g || !b) return wrongLine(line, "the colour must be three numbers from 0 to 255", name);
    if (!alpha || !visible) return wrongLine(line, "the opacity must be a number from 0 to 1", name);
    const std::uint8_t shown = *visible == 0 ? std::uint8_t{0} : *alpha;
    out.labels.push_back({*value, std::string(line.words[7]), {*r, *g, *b, shown}, true});
  }
  return out;
}

/// "S index red green blue": MRIcron's text form of a .lut
ParsedLabels mricronText(const Lines& lines, const std::string& name) {
  constexpr std::size_t wanted = 5;
  const Line& first = lines.rows.front();
  if (first.words.size() != wanted || first.words[0] != "S") return std::nullopt;
  LabelRows out{"MRIcron colour table", {}, true};
  for (const Line& line : lines.rows) {
    if (line.words.size() != wanted) return wrongLine(line, "an index and three numbers are expected", name);
    const auto value = byteFrom(line.words[1]);
    const auto r = byteFrom(line.words[2]), g = byteFrom(line.words[3]), b = byteFrom(line.words[4]);
    if (!value || !r || !g || !b) return wrongLine(line, "numbers from 0 to 255 are expected", name);
    out.labels.push_back({*value, "", {*r, *g, *b, *value == 0 ? std::uint8_t{0} : std::uint8_t{255}}, true});
  }
  return out;
}

/// index red green blue name, with colours from 0 to 1
ParsedLabels fsleyes(const Lines& lines, const std::string& name) {
  constexpr std::size_t colours = 3;
  bool fraction = false;
  for (const Line& line : lines.rows) {
    if (line.words.size() < 1 + colours || !isWhole(line.words[0])) return std::nullopt;
    for (std::size_t i = 1; i <= colours; ++i) {
      if (!byteFromFraction(line.words[i])) return std::nullopt;
      fraction = fraction || line.words[i].find('.') != std::string_view::npos;
    }
  }
  if (!fraction) return std::nullopt;
  LabelRows out{"FSLeyes look-up table", {}, false};
  for (const Line& line : lines.rows) {
    const auto value = numberFrom<std::int64_t>(line.words[0]);
    if (!value) return wrongLine(line, "the value must be a whole number", name);
    Label label{*value, joined(line, 1 + colours, line.words.size()), {0, 0, 0, 255}, true};
    for (std::size_t i = 0; i < colours; ++i) label.rgba[i] = byteFromFraction(line.words[i + 1]).value_or(0);
    if (label.value == 0) label.rgba[3] = 0;
    out.certain = out.certain || !label.name.empty();
    out.labels.push_back(std::move(label));
  }
  return out;
}

/// How many words at the end of a line may be a colour: bytes, at most four.
std::size_t trailingBytes(const Line& line) {
  std::size_t count = 0;
  while (count < 4 && count + 1 < line.words.size() && byteFrom(line.words[line.words.size() - 1 - count])) ++count;
  return count;
}

/// FreeSurfer's alpha is a transparency, as all zeros tell; Slicer's and MRtrix's is an opacity.
bool invertedAlpha(const std::vector<Label>& labels, const Lines& lines) {
  if (lines.slicer) return false;
  const auto all = [&](std::uint8_t alpha) {
    return std::all_of(labels.begin(), labels.end(),
                       [&](const Label& label) { return label.value == 0 || label.rgba[3] == alpha; });
  };
  return all(0) || (lines.freeSurfer && !all(255));
}

/// MRtrix tables have a short and a long name, both without spaces; then the short ones differ from each other.
bool hasShortNames(const Lines& lines, std::size_t colours) {
  constexpr std::size_t enough = 3;
  std::set<std::string_view> seen;
  for (const Line& line : lines.rows) {
    if (line.words.size() != 3 + colours || !seen.insert(line.words[1]).second) return false;
  }
  return lines.rows.size() >= enough;
}

/// index name... red green blue [alpha]
ParsedLabels nameThenColour(const Lines& lines, const std::string& name) {
  const Line& first = lines.rows.front();
  if (!isWhole(first.words[0]) || first.words.size() < 5 || isWhole(first.words[1])) return std::nullopt;
  std::size_t colours = 4;
  for (const Line& line : lines.rows) {
    // Names may end with a number: the line with the fewest tells how many there are.
    if (line.words.size() >= 5) colours = std::min(colours, trailingBytes(line));
  }
  if (colours < 3) {
    if (trailingBytes(first) < 3 || !(lines.freeSurfer || lines.slicer)) return std::nullopt;
    colours = trailingBytes(first);
  }
  LabelRows out{lines.slicer ? "Slicer colour table" : "look-up table", {}, true};
  const bool shortNames = colours == 4 && hasShortNames(lines, colours);
  for (const Line& line : lines.rows) {
    const auto value = numberFrom<std::int64_t>(line.words[0]);
    if (!value) return wrongLine(line, "the value must be a whole number", name);
    const std::size_t end = line.words.size() - std::min(line.words.size(), colours);
    if (end < 1 || trailingBytes(line) < colours) {
      return wrongLine(line, "a colour of " + std::to_string(colours) + " numbers from 0 to 255 is expected", name);
    }
    Label label{*value, joined(line, shortNames ? 2 : 1, end), {0, 0, 0, 255}, true};
    for (std::size_t i = 0; i < colours; ++i) label.rgba[i] = byteFrom(line.words[end + i]).value_or(0);
    if (colours == 3 && *value == 0) label.rgba[3] = 0;
    out.labels.push_back(std::move(label));
  }
  if (colours == 4 && invertedAlpha(out.labels, lines)) {
    out.format = "FreeSurfer look-up table";
    for (Label& label : out.labels)
      label.rgba[3] = label.value == 0 ? 0 : static_cast<std::uint8_t>(255 - label.rgba[3]);
  } else if (shortNames) {
    out.format = "MRtrix look-up table";
  }
  return out;
}

/// index red green blue [alpha] [name...]
ParsedLabels colourThenName(const Lines& lines, const std::string& name) {
  std::size_t colours = 4;
  bool named = false;
  for (const Line& line : lines.rows) {
    std::size_t bytes = 0;
    while (bytes < 4 && bytes + 1 < line.words.size() && byteFrom(line.words[bytes + 1])) ++bytes;
    colours = std::min(colours, bytes);
    named = named || line.words.size() > 1 + bytes;
  }
  if (colours < 3 || !isWhole(lines.rows.front().words[0])) return std::nullopt;
  LabelRows out{"look-up table", {}, named && lines.rows.size() > 1};
  for (const Line& line : lines.rows) {
    const auto value = numberFrom<std::int64_t>(line.words[0]);
    if (!value) return wrongLine(line, "the value must be a whole number", name);
    Label label{*value, joined(line, 1 + colours, line.words.size()), {0, 0, 0, 255}, true};
    for (std::size_t i = 0; i < colours; ++i) label.rgba[i] = byteFrom(line.words[1 + i]).value_or(0);
    if (colours == 3 && *value == 0) label.rgba[3] = 0;
    out.labels.push_back(std::move(label));
  }
  return out;
}

/// "value name", as MRIcron (which has a code behind the name), MRtrix and many by hand
ParsedLabels valueAndName(const Lines& lines) {
  LabelRows out{"label names", {}, false};
  for (const Line& line : lines.rows) {
    const auto value = numberFrom<std::int64_t>(line.words[0]);
    if (!value || line.words.size() < 2 || isWhole(line.words[1])) return std::nullopt;
    std::size_t end = line.words.size();
    if (end == 3 && isWhole(line.words[2])) --end;
    out.labels.push_back({*value, joined(line, 1, end), {0, 0, 0, 0}, false});
  }
  return out;
}

}  // namespace

ParsedLabels parseLabelLines(std::string_view text, const std::string& name) {
  const Lines lines = linesOf(text);
  if (lines.rows.empty()) return std::nullopt;
  if (auto labels = itkSnap(lines, name)) return labels;
  if (auto labels = mricronText(lines, name)) return labels;
  if (auto labels = nameThenColour(lines, name)) return labels;
  if (auto labels = fsleyes(lines, name)) return labels;
  if (auto labels = colourThenName(lines, name)) return labels;
  return valueAndName(lines);
}

ParsedLabels parseBinaryLut(const InputFile& file) {
  constexpr std::size_t entries = 256, imageJHeader = 32;
  constexpr std::string_view imageJ = "ICOL";
  auto bytes = file.bytes;
  if (bytes.size() == 3 * entries + imageJHeader && asText(bytes).starts_with(imageJ))
    bytes = bytes.subspan(imageJHeader);
  if (bytes.size() != 3 * entries) return std::nullopt;
  LabelRows out{"MRIcron colour table", {}, true};
  for (std::size_t i = 0; i < entries; ++i) {
    const auto channel = [&](std::size_t c) { return static_cast<std::uint8_t>(bytes[c * entries + i]); };
    const std::uint8_t alpha = i == 0 ? 0 : 255;
    out.labels.push_back({static_cast<std::int64_t>(i), "", {channel(0), channel(1), channel(2), alpha}, true});
  }
  return out;
}

}  // namespace nora
