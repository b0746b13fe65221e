#include "image/io/voxel_parts.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/gzip.hpp"
#include "image/io/mesh_content.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

namespace nora {
namespace {

std::span<const std::byte> codedBytes(const VoxelPart& part) {
  const auto all = part.file->bytes;
  const auto rest = all.subspan(std::min<std::uint64_t>(part.offset, all.size()));
  return part.codedBytes == 0 ? rest : rest.first(std::min<std::uint64_t>(part.codedBytes, rest.size()));
}

std::size_t unitOf(const StoredVoxel& stored) {
  return isColour(stored.number) ? 1 : bytesPerVoxel(stored.number);
}

/// The most bytes of voxels that the part can hold.
std::uint64_t mostBytes(const VoxelPart& part, const StoredVoxel& stored) {
  const std::uint64_t coded = codedBytes(part).size();
  switch (part.coding) {
    case PartCoding::gzip:
    case PartCoding::zlib: return coded * maxDeflateRatio;
    case PartCoding::ascii: return (coded + 1) / 2 * unitOf(stored);
    case PartCoding::hex: return coded / 2;
    case PartCoding::raw: break;
  }
  return coded;
}

bool isSeparator(std::byte b) {
  const char c = static_cast<char>(b);
  return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

/// A real number; beyond the range of double it is infinite or 0, which from_chars leaves to strtod.
std::optional<double> realFrom(std::string_view word) {
  if (const auto value = numberFrom<double>(word)) return value;
  if (word.find_first_not_of("+-.0123456789eE") != std::string_view::npos) return std::nullopt;
  const std::string text(word);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size()) return std::nullopt;
  return value;
}

/// A number of the type; for integers also a real one without a fraction: "12.0" where a short is meant.
template <class T>
std::optional<T> storedNumber(std::string_view word) {
  if (const auto exact = numberFrom<T>(word)) return exact;
  const auto real = realFrom(word);
  if constexpr (std::is_floating_point_v<T>) {
    if (!real) return std::nullopt;
    constexpr double largest = std::numeric_limits<T>::max();
    if (std::abs(*real) <= largest || std::isnan(*real)) return static_cast<T>(*real);
    return std::copysign(std::numeric_limits<T>::infinity(), static_cast<T>(*real > 0 ? 1 : -1));
  } else {
    constexpr double limit = 9e15;  // whole numbers are exact up to here
    if (!real || !(*real >= -limit && *real <= limit)) return std::nullopt;
    const auto whole = static_cast<std::int64_t>(*real);
    if (static_cast<double>(whole) != *real || !std::in_range<T>(whole)) return std::nullopt;
    return static_cast<T>(whole);
  }
}

Result<void> decodeAscii(std::span<const std::byte> coded, VoxelType type, std::span<std::byte> to,
                         const std::string& name) {
  return visitScalar(type, [&](auto zero) -> Result<void> {
    using T = decltype(zero);
    std::size_t at = 0;
    for (std::size_t made = 0; made < to.size(); made += sizeof(T)) {
      while (at < coded.size() && isSeparator(coded[at])) ++at;
      const std::size_t start = at;
      while (at < coded.size() && !isSeparator(coded[at])) ++at;
      if (start == at) {
        return fail(ErrorCode::invalidInput,
                    "the file is cut short: it holds " + std::to_string(made / sizeof(T)) + " of " +
                        std::to_string(to.size() / sizeof(T)) + " numbers",
                    name);
      }
      const auto value = storedNumber<T>(asText(coded.subspan(start, at - start)));
      if (!value) {
        return fail(ErrorCode::invalidInput,
                    "number " + std::to_string(made / sizeof(T) + 1) + " of the voxels is no number of their type",
                    name);
      }
      std::memcpy(to.data() + made, &*value, sizeof(T));
    }
    return {};
  });
}

int hexDigit(std::byte b) {
  const int c = std::to_integer<int>(b);
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Result<void> decodeHex(std::span<const std::byte> coded, std::span<std::byte> to, const std::string& name) {
  std::size_t digits = 0;
  for (std::size_t at = 0; at < coded.size() && digits < 2 * to.size(); ++at) {
    if (isSeparator(coded[at]) && coded[at] != std::byte{','}) continue;
    const int digit = hexDigit(coded[at]);
    if (digit < 0) return fail(ErrorCode::invalidInput, "the voxels hold a character that is no hex digit", name);
    to[digits / 2] = to[digits / 2] << 4 | static_cast<std::byte>(digit);
    ++digits;
  }
  if (digits == 2 * to.size()) return {};
  return fail(ErrorCode::invalidInput,
              "the file is cut short: it holds " + std::to_string(digits / 2) + " of " + std::to_string(to.size()) +
                  " bytes of voxels",
              name);
}

/// `to` is zeroed.
Result<void> decode(const VoxelPart& part, const StoredVoxel& stored, std::span<std::byte> to) {
  const auto coded = codedBytes(part);
  switch (part.coding) {
    case PartCoding::ascii: return decodeAscii(coded, stored.number, to, part.file->name);
    case PartCoding::hex: return decodeHex(coded, to, part.file->name);
    case PartCoding::zlib:
      if (!isGzip(coded)) return inflateExactly(coded, to, part.file->name);
      [[fallthrough]];
    case PartCoding::gzip: {
      if (part.decodedSkip == 0) return inflateGzip(coded, to, to.size(), part.file->name).map([](std::size_t) {});
      const std::size_t size = part.decodedSkip + to.size();
      const auto all = std::make_unique_for_overwrite<std::byte[]>(size);
      const auto made = inflateGzip(coded, {all.get(), size}, size, part.file->name);
      if (!made) return tl::make_unexpected(made.error());
      std::memcpy(to.data(), all.get() + part.decodedSkip, to.size());
      return {};
    }
    case PartCoding::raw: break;
  }
  std::memcpy(to.data(), coded.data(), to.size());
  return {};
}

Result<void> decodeAll(std::span<const VoxelPart> parts, const StoredVoxel& stored, std::span<std::byte> to,
                       const ReadOptions& options) {
  std::size_t at = 0;
  for (const VoxelPart& part : parts) {
    const auto done = decode(part, stored, to.subspan(at, part.bytes));
    if (!done) return done;
    at += part.bytes;
    options.progress(static_cast<double>(at) / static_cast<double>(to.size()));
  }
  return {};
}

/// Numbers of text are in native order already.
bool isSwapped(const StridedImage& image, std::span<const VoxelPart> parts) {
  return image.stored.swapped && parts.front().coding != PartCoding::ascii;
}

Result<ReadImage> readAssembled(StridedImage image, std::span<const VoxelPart> parts, const ReadOptions& options,
                                MemorySink& sink) {
  const Axes dims = axesOf(image.info);
  std::size_t size = bytesPerVoxel(image.info.type);
  for (const std::int64_t d : dims) size *= static_cast<std::size_t>(d);
  auto memory = sink.allocate(size + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  image.stored.swapped = isSwapped(image, parts);
  if (isPacked(image)) {
    const auto voxels = memory->first(size);
    const auto done = decodeAll(parts, image.stored, voxels, options);
    if (!done) return tl::make_unexpected(done.error());
    swapInPlace(image.stored, voxels);
    return ReadImage{std::move(image.info)};
  }
  std::size_t decoded = 0;
  for (const VoxelPart& part : parts) decoded += part.bytes;
  std::vector<std::byte> content(decoded);
  const auto done = decodeAll(parts, image.stored, content, options);
  if (!done) return tl::make_unexpected(done.error());
  placeVoxels(dims, image.order, image.stored, image.scales, content, *memory, options.progress);
  return ReadImage{std::move(image.info)};
}

/// A printf pattern with one whole number in it.
struct NamePattern {
  std::string before;
  std::string after;
  std::size_t width = 0;
  bool zeros = false;

  [[nodiscard]] std::string name(std::int64_t n) const {
    std::string number = std::to_string(n);
    const std::size_t sign = n < 0 ? 1 : 0;
    if (number.size() < width) number.insert(zeros ? sign : 0, width - number.size(), zeros ? '0' : ' ');
    return before + number + after;
  }
};

std::optional<NamePattern> parsePattern(std::string_view pattern) {
  constexpr std::size_t widest = 255;
  NamePattern out;
  bool found = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || pattern.substr(i).starts_with("%%")) {
      i += pattern[i] == '%' ? 1 : 0;
      (found ? out.after : out.before) += pattern[i];
      continue;
    }
    const std::size_t digits = i + 1;
    const std::size_t end = pattern.find_first_not_of("0123456789", digits);
    if (found || end == std::string_view::npos ||
        std::string_view("diu").find(pattern[end]) == std::string_view::npos) {
      return std::nullopt;
    }
    out.zeros = pattern[digits] == '0';
    if (end > digits) out.width = numberFrom<std::size_t>(pattern.substr(digits, end - digits)).value_or(widest + 1);
    if (out.width > widest) return std::nullopt;
    found = true;
    i = end;
  }
  if (!found) return std::nullopt;
  return out;
}

}  // namespace

Result<void> checkParts(const StridedImage& image, std::span<const VoxelPart> parts) {
  for (const VoxelPart& part : parts) {
    const std::uint64_t most = mostBytes(part, image.stored);
    std::uint64_t needed = 0;
    const bool overflow = __builtin_add_overflow(part.bytes, part.decodedSkip, &needed);
    if (!overflow && needed <= most) continue;
    return fail(ErrorCode::invalidInput,
                "the header claims " + std::to_string(part.bytes) + " bytes of voxels, the file holds " +
                    std::to_string(most) + (part.coding == PartCoding::raw ? "; it is cut short" : " at most"),
                part.file->name);
  }
  return {};
}

Result<ReadImage> readParts(StridedImage image, std::span<const VoxelPart> parts, const ReadOptions& options,
                            MemorySink& sink) {
  const auto honest = checkParts(image, parts);
  if (!honest) return tl::make_unexpected(honest.error());
  const VoxelPart& first = parts.front();
  const InputFile data{first.file->name, codedBytes(first)};
  const bool gzip = first.coding == PartCoding::gzip || (first.coding == PartCoding::zlib && isGzip(data.bytes));
  if (parts.size() > 1 || (!gzip && first.coding != PartCoding::raw)) {
    return readAssembled(std::move(image), parts, options, sink);
  }
  image.order.first += static_cast<std::int64_t>(first.decodedSkip);
  return readStrided(std::move(image), data, gzip ? Packing::gzip : Packing::plain, options, sink);
}

Result<std::vector<std::string>> numberedNames(std::string_view pattern, std::int64_t first, std::int64_t last,
                                               std::int64_t step, std::size_t most, const std::string& where) {
  const auto parsed = parsePattern(pattern);
  const bool forward = step > 0 ? last >= first : last <= first;
  if (!parsed || step == 0 || !forward) {
    return fail(ErrorCode::invalidInput, "\"" + printable(pattern) + "\" is no pattern of numbered file names", where);
  }
  std::vector<std::string> names;
  for (std::int64_t n = first; step > 0 ? n <= last : n >= last;) {
    if (names.size() >= most) {
      return fail(ErrorCode::limitExceeded, "the header names more than " + std::to_string(most) + " data files",
                  where);
    }
    names.push_back(parsed->name(n));
    if (__builtin_add_overflow(n, step, &n)) break;
  }
  return names;
}

std::string localName(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '\\', '/');
  const bool drive = out.size() > 2 && out[1] == ':' && out[2] == '/';
  if (drive || out.starts_with("/")) return out.substr(out.find_last_of('/') + 1);
  while (out.starts_with("./")) out.erase(0, 2);
  return out;
}

Error missingPart(std::string_view part, const std::string& header) {
  const auto elements = words(part, "/\\");
  const bool outside = part.starts_with('/') || part.find(':') == 1 ||
                       std::find(elements.begin(), elements.end(), "..") != elements.end();
  const std::string shown = "its data file \"" + printable(part) + "\" ";
  if (!outside) return {ErrorCode::notFound, shown + "is missing; it has to lie beside it", header};
  return {ErrorCode::notFound, shown + "lies outside the folder of its header and was not read; put it beside", header};
}

Result<const InputFile*> findPart(std::span<const InputFile> files, const InputFile& header, std::string_view part,
                                  bool sole) {
  const auto baseName = [](std::string_view path) { return path.substr(path.find_last_of('/') + 1); };
  const InputFile* byName = nullptr;
  const InputFile* other = nullptr;
  for (const InputFile& file : files) {
    if (&file == &header) continue;
    const std::string_view name = file.name;
    if (name.ends_with(part) && (name.size() == part.size() || name[name.size() - part.size() - 1] == '/'))
      return &file;
    if (byName == nullptr && baseName(name) == baseName(part)) byName = &file;
    other = &file;
  }
  if (byName != nullptr) return byName;
  if (sole && other != nullptr && files.size() == 2) return other;
  return tl::make_unexpected(missingPart(part, header.name));
}

}  // namespace nora
