#include "image/io/tck_header.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <string_view>

namespace nora {
namespace {

constexpr std::string_view tracksMagic = "mrtrix tracks";
constexpr std::string_view valuesMagic = "mrtrix track scalars";

/// Keys that say how to read the file; all others are shown as they are.
struct Keys {
  std::optional<std::string_view> datatype, file, count;
};

void addField(TckHeader& header, std::string_view key, std::string_view value) {
  constexpr std::size_t mostFields = 100;
  constexpr std::size_t mostValueBytes = 1000;
  if (header.fields.size() < mostFields) header.fields.emplace_back(key, value.substr(0, mostValueBytes));
}

/// Where the text ends: behind END, or at the data where END is missing. Empty if neither is found.
std::optional<std::size_t> readLines(std::span<const std::byte> bytes, TckHeader& header, Keys& keys) {
  ByteReader reader(bytes.first(std::min(bytes.size(), TckHeader::mostBytes)));
  static_cast<void>(reader.line());
  while (reader.left() > 0) {
    const std::string_view line = trimmed(reader.line());
    if (line == "END") return reader.position();
    if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      const auto key = trimmed(line.substr(0, colon));
      const auto value = trimmed(line.substr(colon + 1));
      if (key == "datatype") {
        keys.datatype = value;
      } else if (key == "file") {
        keys.file = value;
      } else if (key == "count") {
        keys.count = value;
      } else {
        addField(header, key, value);
      }
    }
    if (!keys.file) continue;
    const auto parts = words(*keys.file);
    const auto offset = parts.size() == 2 ? numberFrom<std::size_t>(parts[1]) : std::nullopt;
    if (!offset || reader.position() < *offset) continue;
    if (asText(bytes).substr(reader.position()).starts_with("END")) continue;  // the offset is wrong, not the text
    header.warnings.emplace_back("the header has no END; it was taken to end where the streamlines begin");
    return reader.position();
  }
  return std::nullopt;
}

bool readType(std::string_view datatype, TckHeader& header) {
  std::string type(datatype);
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  header.wide = type.starts_with("float64");
  const auto order = std::string_view(type).substr(std::min<std::size_t>(type.size(), 7));
  header.order = order == "be" ? std::endian::big : std::endian::little;
  return (header.wide || type.starts_with("float32")) && (order == "be" || order == "le" || order.empty());
}

Result<std::size_t> dataOffset(std::optional<std::string_view> file, std::size_t headerEnd, TckHeader& header,
                               const std::string& name) {
  const auto parts = file ? words(*file) : std::vector<std::string_view>{};
  if (parts.size() < 2) {
    header.warnings.emplace_back(
        "the header does not say where the streamlines begin; they were taken to follow it directly");
    return headerEnd;
  }
  if (parts[0] != ".") {
    return fail(ErrorCode::unsupported, "the streamlines are in another file; convert it with MRtrix's tckconvert",
                name);
  }
  const auto offset = numberFrom<std::size_t>(parts[1]);
  if (!offset || *offset < headerEnd) {
    return fail(ErrorCode::invalidInput,
                "the header says that the streamlines begin at \"" + std::string(parts[1]) +
                    "\", but its own text goes on to byte " + std::to_string(headerEnd),
                name);
  }
  return *offset;
}

}  // namespace

bool hasTckMagic(std::span<const std::byte> bytes) {
  return asText(bytes).starts_with(tracksMagic);
}
bool hasTsfMagic(std::span<const std::byte> bytes) {
  return asText(bytes).starts_with(valuesMagic);
}

Result<TckHeader> parseTckHeader(std::span<const std::byte> bytes, const std::string& name) {
  TckHeader header;
  header.values = hasTsfMagic(bytes);
  if (!header.values && !hasTckMagic(bytes)) {
    return fail(ErrorCode::invalidInput, "the file does not begin as a .tck file does (\"mrtrix tracks\")", name);
  }
  Keys keys;
  const auto end = readLines(bytes, header, keys);
  if (!end) return fail(ErrorCode::invalidInput, "the header has no END; the file is cut short or damaged", name);
  if (!keys.datatype) {
    header.warnings.emplace_back("the header does not name the type of its numbers; they were taken as Float32LE");
  } else if (!readType(*keys.datatype, header)) {
    return fail(ErrorCode::unsupported,
                "the datatype \"" + std::string(*keys.datatype) + "\" is none of Float32 and Float64", name);
  }
  const auto offset = dataOffset(keys.file, *end, header, name);
  if (!offset) return tl::make_unexpected(offset.error());
  header.dataOffset = *offset;
  if (keys.count) header.count = numberFrom<std::uint64_t>(*keys.count);
  return header;
}

}  // namespace nora
