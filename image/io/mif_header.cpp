#include "image/io/mif_header.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/gzip.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace nora {
namespace {

constexpr std::string_view magic = "mrtrix image";
constexpr std::size_t maxHeaderBytes = std::size_t{16} << 20;  // command histories and gradient tables grow long
constexpr std::size_t maxAxes = 16;
constexpr std::size_t maxRows = std::size_t{1} << 20;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(::tolower(c)); });
  return out;
}

tl::unexpected<Error> wrong(const std::string& what, const std::string& name) {
  return fail(ErrorCode::invalidInput, "the MRtrix header is damaged: " + what, name);
}

/// "1,2.5,nan"; empty if a part is no number.
std::vector<double> numbersIn(std::string_view text) {
  std::vector<double> out;
  for (const std::string_view word : words(text, ", \t")) {
    const auto number = numberFrom<double>(word);
    if (!number) return {};
    out.push_back(*number);
  }
  return out;
}

Result<void> readDim(MifHeader& header, std::string_view value, const std::string& name) {
  header.dim.clear();
  for (const std::string_view word : words(value, ", \t")) {
    const auto size = numberFrom<std::int64_t>(word);
    if (!size || *size < 1 || header.dim.size() == maxAxes) return wrong("dim is not a list of sizes", name);
    header.dim.push_back(*size);
  }
  return header.dim.empty() ? Result<void>(wrong("dim is empty", name)) : Result<void>();
}

/// "+0,-1,+2": the number is the rank of the axis in storage, the sign its direction; "-0" is not "+0".
Result<void> readLayout(MifHeader& header, std::string_view value, const std::string& name) {
  header.layout.clear();
  for (std::string_view word : words(value, ", \t")) {
    const bool backwards = word.front() == '-';
    if (backwards || word.front() == '+') word.remove_prefix(1);
    const auto rank = numberFrom<int>(word);
    if (!rank || *rank < 0 || *rank >= static_cast<int>(maxAxes)) return wrong("layout is not a list of ranks", name);
    header.layout.push_back(backwards ? -(*rank + 1) : *rank + 1);
  }
  return {};
}

Result<void> readRow(std::vector<std::vector<double>>& rows, std::string_view value, const char* key,
                     const std::string& name) {
  auto row = numbersIn(value);
  if (row.size() < 4 || rows.size() == maxRows)
    return wrong(std::string(key) + " has a row without four numbers", name);
  rows.push_back(std::move(row));
  return {};
}

Result<void> readFile(MifHeader& header, std::string_view value, const std::string& name) {
  constexpr std::size_t maxFiles = 65536;
  MifFile file;
  const auto gap = value.find_last_of(" \t");
  const auto offset = gap == std::string_view::npos ? std::nullopt : numberFrom<std::uint64_t>(value.substr(gap));
  if (!offset && gap != std::string_view::npos && numberFrom<std::int64_t>(value.substr(gap))) {
    return wrong("file has the offset " + std::string(trimmed(value.substr(gap))) + ", before the beginning", name);
  }
  file.name = std::string(offset ? trimmed(value.substr(0, gap)) : value);
  file.offset = offset.value_or(0);
  const bool fits = file.offset <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 16;
  if (file.name.empty() || !fits || header.files.size() == maxFiles) return wrong("file names no place", name);
  header.files.push_back(std::move(file));
  return {};
}

Result<void> readScaling(MifHeader& header, std::string_view value, const std::string& name) {
  const auto numbers = numbersIn(value);
  const bool sound = numbers.size() == 2 && std::isfinite(numbers[0]) && std::isfinite(numbers[1]) && numbers[1] != 0;
  if (!sound) return wrong("scaling is not an offset and a scale", name);
  header.scaling = {numbers[1], numbers[0]};
  return {};
}

void readOther(MifHeader& header, std::string_view key, std::string_view value) {
  constexpr std::size_t maxTextBytes = 8192;
  auto& others = header.others;
  // A repeated key continues its text.
  if (!others.empty() && others.back().first == key) {
    if (others.back().second.size() < maxTextBytes) others.back().second.append("; ").append(value);
  } else {
    others.emplace_back(key, value);
  }
}

Result<void> readField(MifHeader& header, std::string_view key, std::string_view value, const std::string& name) {
  const std::string lowered = lower(key);
  if (lowered == "dim") return readDim(header, value, name);
  if (lowered == "layout") return readLayout(header, value, name);
  if (lowered == "file") return readFile(header, value, name);
  if (lowered == "scaling") return readScaling(header, value, name);
  if (lowered == "transform") return readRow(header.transform, value, "transform", name);
  if (lowered == "dw_scheme") return readRow(header.gradients, value, "dw_scheme", name);
  if (lowered == "vox") {
    header.vox = numbersIn(value);
    return {};
  }
  if (lowered == "datatype") {
    const auto stored = mifDatatype(value);
    if (!stored) return fail(ErrorCode::unsupported, "MRtrix datatype " + printable(value) + " is unknown", name);
    header.stored = *stored;
    return {};
  }
  readOther(header, key, value);
  return {};
}

Result<void> checkTogether(MifHeader& header, bool typed, const std::string& name) {
  if (header.dim.empty()) return wrong("dim is missing", name);
  if (!typed) return wrong("datatype is missing", name);
  if (header.files.empty()) return wrong("file is missing", name);
  if (header.layout.size() != header.dim.size()) return wrong("layout does not have as many axes as dim", name);
  std::vector<bool> seen(header.dim.size());
  for (const long rank : header.layout) {
    const auto at = static_cast<std::size_t>(std::abs(rank) - 1);
    if (at >= seen.size() || seen[at]) return wrong("layout is no order of the axes", name);
    seen[at] = true;
  }
  if (!header.transform.empty() && header.transform.size() < 3) return wrong("transform has too few rows", name);
  header.vox.resize(header.dim.size(), std::numeric_limits<double>::quiet_NaN());
  return {};
}

/// The inflated header; grows until END is there, because its length is not known before.
std::vector<std::byte> inflatedHeader(std::span<const std::byte> bytes) {
  std::vector<std::byte> out;
  for (std::size_t size = std::size_t{1} << 16; size <= maxHeaderBytes; size *= 16) {
    out = inflatePrefix(bytes, size);
    if (out.size() < size || asText(out).find("\nEND") != std::string_view::npos) break;
  }
  return out;
}

}  // namespace

std::optional<StoredVoxel> mifDatatype(std::string_view name) {
  std::string text = lower(trimmed(name));
  StoredVoxel stored;
  if (text.ends_with("le") || text.ends_with("be")) {
    stored.swapped = (std::endian::native == std::endian::little) == text.ends_with("be");
    text.resize(text.size() - 2);
  }
  if (text == "bit") {
    stored.kind = StoredVoxel::Kind::bit;
    return stored;
  }
  const bool complex = text.starts_with("cfloat");
  if (complex) text.erase(0, 1);
  if (text == "float16") {
    stored.kind = complex ? StoredVoxel::Kind::complexHalf : StoredVoxel::Kind::half;
    return stored;
  }
  if (complex) stored.kind = StoredVoxel::Kind::complex;
  if (!fromString(text, stored.number) || isColour(stored.number)) return std::nullopt;
  return stored;
}

bool hasMifMagic(std::span<const std::byte> bytes) {
  if (!isGzip(bytes)) return asText(bytes).starts_with(magic);
  const auto inflated = inflatePrefix(bytes, magic.size());
  return asText(inflated).starts_with(magic);
}

Result<MifHeader> parseMifHeader(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", name);
  const bool compressed = isGzip(bytes);
  const auto inflated = compressed ? inflatedHeader(bytes) : std::vector<std::byte>();
  const std::span<const std::byte> content = compressed ? std::span<const std::byte>(inflated) : bytes;
  ByteReader reader(content.first(std::min(content.size(), maxHeaderBytes)));
  if (trimmed(reader.line()) != magic) {
    return fail(ErrorCode::invalidInput, "this is no MRtrix image: the first line is not \"mrtrix image\"", name);
  }
  MifHeader header;
  bool typed = false;
  while (reader.left() > 0) {
    const std::string_view line = trimmed(reader.line());
    if (line == "END") {
      const auto sound = checkTogether(header, typed, name);
      return sound ? Result<MifHeader>(std::move(header)) : tl::make_unexpected(sound.error());
    }
    const auto colon = line.find(':');
    if (line.empty() || colon == std::string_view::npos) continue;  // as MRtrix: a malformed line is left out
    const std::string_view key = trimmed(line.substr(0, colon));
    typed |= lower(key) == "datatype";
    const auto read = readField(header, key, trimmed(line.substr(colon + 1)), name);
    if (!read && reader.left() == 0) return wrong("its last line makes no sense; the file is cut short", name);
    if (!read) return tl::make_unexpected(read.error());
  }
  // MRtrix ends .mih files without END; voxels behind the header need it.
  const auto sound = checkTogether(header, typed, name);
  if (!sound) return tl::make_unexpected(sound.error());
  const auto isHere = [](const MifFile& file) { return file.name == "."; };
  if (std::none_of(header.files.begin(), header.files.end(), isHere)) return header;
  return wrong("its last line, END, is missing; the file is cut short", name);
}

}  // namespace nora
