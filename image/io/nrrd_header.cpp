#include "image/io/nrrd_header.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace nora {
namespace {

constexpr std::size_t magicBytes = 8;  // "NRRD0005"
constexpr std::size_t maxHeaderBytes = std::size_t{64} << 20;
constexpr std::size_t maxPieces = 4096;

std::string canonicalName(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\t') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out == "centerings" ? "centers" : out;
}

/// "\n" and "\\" stand for a line feed and a backslash.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'n' || text[i + 1] == '\\');
    if (escape) ++i;
    out += escape && text[i] == 'n' ? '\n' : text[i];
  }
  return out;
}

bool isKnown(const std::string& field) {
  static constexpr std::string_view known[] = {"content",          "number",        "type",        "blocksize",
                                               "dimension",        "space",         "sizes",       "spacings",
                                               "axismins",         "axismaxs",      "centers",     "kinds",
                                               "labels",           "units",         "min",         "max",
                                               "oldmin",           "oldmax",        "endian",      "encoding",
                                               "lineskip",         "byteskip",      "datafile",    "thicknesses",
                                               "spaceunits",       "sampleunits",   "spaceorigin", "spacedirections",
                                               "measurementframe", "spacedimension"};
  return std::find(std::begin(known), std::end(known), field) != std::end(known);
}

/// One line that is neither blank nor a comment. False if it is no field and no pair.
bool takeLine(std::string_view line, NrrdHeader& header) {
  const auto field = line.find(": ");
  const auto pair = line.find(":=");
  if (pair < field) {
    header.pairs.emplace_back(unescaped(line.substr(0, pair)), unescaped(line.substr(pair + 2)));
    return true;
  }
  const auto colon = field == std::string_view::npos ? line.find(':') : field;
  if (colon == std::string_view::npos) return false;
  const std::string name = canonicalName(line.substr(0, colon));
  if (!isKnown(name)) {
    header.warnings.push_back("the header field \"" + printable(line.substr(0, std::min<std::size_t>(colon, 64))) +
                              "\" is unknown; ignored");
  } else if (!header.fields.emplace(name, trimmed(line.substr(colon + 1))).second) {
    header.warnings.push_back("the header has the field \"" + name + "\" twice; the first counts");
  }
  return true;
}

}  // namespace

const std::string* NrrdHeader::field(const char* name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? nullptr : &found->second;
}

std::string_view NrrdHeader::value(std::string_view key) const {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == key; });
  return found == pairs.end() ? std::string_view{} : trimmed(found->second);
}

bool hasNrrdMagic(std::span<const std::byte> bytes) {
  if (bytes.size() < magicBytes) return false;
  const auto text = asText(bytes.first(magicBytes));
  return text.starts_with("NRRD") &&
         std::all_of(text.begin() + 4, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<NrrdHeader> parseNrrdHeader(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", name);
  if (!hasNrrdMagic(bytes)) {
    return fail(ErrorCode::invalidInput, "this is no NRRD file: it does not begin with NRRD and a version", name);
  }
  ByteReader in(bytes.first(std::min(bytes.size(), maxHeaderBytes)));
  NrrdHeader header;
  header.version = numberFrom<int>(trimmed(in.line()).substr(4, 4)).value_or(0);
  if (header.version > 5) {
    return fail(ErrorCode::unsupported, "NRRD version " + std::to_string(header.version) + " is not known", name);
  }
  while (in.left() > 0) {
    const std::string_view line = in.line();
    if (line.empty()) {
      header.hasEnd = true;
      break;
    }
    if (line.front() == '#') continue;
    if (!takeLine(line, header)) {
      return fail(ErrorCode::invalidInput, "the header has a line that is neither a field nor a key with its value",
                  name);
    }
    const std::string* files = header.field("datafile");
    if (files == nullptr || words(*files).empty() || words(*files)[0] != "LIST") continue;
    while (in.left() > 0) {
      const std::string_view file = trimmed(in.line());
      if (!file.empty()) header.dataFiles.emplace_back(file);
    }
  }
  if (!header.hasEnd && bytes.size() > maxHeaderBytes) {
    return fail(ErrorCode::invalidInput, "the header has no end: no blank line within 64 MiB", name);
  }
  header.end = in.position();
  return header;
}

std::vector<std::string> nrrdPieces(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; out.size() < maxPieces;) {
    at = text.find_first_not_of(" \t", at);
    if (at == std::string_view::npos) break;
    const char open = text[at];
    const bool bracketed = open == '(' || open == '"';
    std::size_t end = bracketed ? text.find(open == '(' ? ')' : '"', at + 1) : text.find_first_of(" \t", at);
    end = std::min(end, text.size());
    if (open == '"') {
      out.emplace_back(text.substr(at + 1, end - at - 1));
      at = std::min(end + 1, text.size());
    } else {
      if (open == '(') end = std::min(end + 1, text.size());
      out.emplace_back(text.substr(at, end - at));
      at = end;
    }
  }
  return out;
}

std::optional<std::vector<double>> nrrdVector(std::string_view piece) {
  piece = trimmed(piece);
  if (piece.size() < 2 || piece.front() != '(' || piece.back() != ')') return std::nullopt;
  std::vector<double> out;
  for (const std::string_view word : words(piece.substr(1, piece.size() - 2), ", \t", maxPieces)) {
    const auto number = numberFrom<double>(word);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    out.push_back(*number);
  }
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace nora
