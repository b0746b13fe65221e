#include "image/io/metaimage_header.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <cctype>

namespace nora {
namespace {

constexpr std::size_t maxHeaderBytes = std::size_t{16} << 20;
constexpr std::size_t maxLineBytes = std::size_t{1} << 16;  // of one field; MetaIO takes fewer

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// "Name = value" or "Name: value"; false if the line is neither.
bool takeLine(std::string_view line, MetaImageHeader& header) {
  const auto separator = line.find_first_of("=:");
  if (separator == std::string_view::npos || line.size() > maxLineBytes) return false;
  const std::string_view name = trimmed(line.substr(0, separator));
  const bool isName = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.' || c == ' ';
  });
  if (isName) header.fields.insert_or_assign(lower(name), std::string(trimmed(line.substr(separator + 1))));
  return isName;
}

}  // namespace

const std::string& MetaImageHeader::value(const char* name) const {
  static const std::string none;
  const auto found = fields.find(name);
  return found == fields.end() ? none : found->second;
}

const std::string& MetaImageHeader::value(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (const std::string& found = value(name); !found.empty()) return found;
  }
  return value("");
}

bool looksLikeMetaImage(std::span<const std::byte> bytes) {
  constexpr std::size_t enough = 512;
  MetaImageHeader header;
  ByteReader in(bytes.first(std::min(bytes.size(), enough)));
  const std::string_view first = in.line();
  if (!takeLine(first, header)) return false;
  return lower(header.value("objecttype")) == "image" || !header.value("ndims").empty();
}

Result<MetaImageHeader> parseMetaImageHeader(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", name);
  ByteReader in(bytes.first(std::min(bytes.size(), maxHeaderBytes)));
  MetaImageHeader header;
  while (in.left() > 0) {
    const std::string_view line = in.line();
    if (trimmed(line).empty()) continue;
    if (!takeLine(line, header)) {
      return fail(ErrorCode::invalidInput, "the header has a line that is no \"Name = value\"", name);
    }
    const std::string& file = header.value("elementdatafile");
    if (file.empty()) continue;
    header.end = in.position();
    if (words(file)[0] == "LIST") {
      while (in.left() > 0) {
        const std::string_view listed = trimmed(in.line());
        if (!listed.empty()) header.listedFiles.emplace_back(listed);
      }
    }
    const std::string& type = header.value("objecttype");
    if (type.empty() || lower(type) == "image") return header;
    return fail(ErrorCode::unsupported, "this is a MetaIO object of type " + printable(type) + ", no image", name);
  }
  return fail(ErrorCode::invalidInput, "the header does not end with ElementDataFile; the file may be cut short", name);
}

}  // namespace nora
