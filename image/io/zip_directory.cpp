#include "image/io/zip_directory.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/gzip.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include <libdeflate.h>

namespace nora {
namespace {

constexpr std::uint32_t localMagic = 0x04034b50;
constexpr std::uint32_t entryMagic = 0x02014b50;
constexpr std::uint32_t endMagic = 0x06054b50;
constexpr std::uint32_t end64Magic = 0x06064b50;
constexpr std::uint32_t locator64Magic = 0x07064b50;
constexpr std::size_t endBytes = 22;
constexpr std::size_t entryBytes = 46;
constexpr std::size_t locator64Bytes = 20;
constexpr std::uint32_t in64 = 0xffffffff;  // "the number is in the zip64 record"

struct Directory {
  std::uint64_t entries = 0, size = 0, offset = 0;
};

/// One entry of the directory, as it is written.
struct Entry {
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t packed = 0, plain = 0, local = 0;
  std::string name;
};

/// Where a member begins and ends in the file, header included.
struct Extent {
  std::size_t begin = 0, end = 0;
};

tl::unexpected<Error> damaged(const std::string& name) {
  return fail(ErrorCode::invalidInput, "the archive is cut short or damaged; copy the file again from its source",
              name);
}

/// The end record is the last in the file, but for a comment of up to 65535 bytes.
std::optional<std::size_t> findEnd(std::span<const std::byte> bytes) {
  constexpr std::size_t mostComment = 65535;
  if (bytes.size() < endBytes) return std::nullopt;
  const std::size_t last = bytes.size() - endBytes;
  const std::size_t first = last > mostComment ? last - mostComment : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    if (ByteReader(bytes.subspan(at)).number<std::uint32_t>() == endMagic) return at;
  }
  return std::nullopt;
}

std::optional<Directory> find64(std::span<const std::byte> bytes, std::size_t end) {
  if (end < locator64Bytes) return std::nullopt;
  ByteReader locator(bytes.subspan(end - locator64Bytes));
  if (locator.number<std::uint32_t>() != locator64Magic) return std::nullopt;
  locator.skip(4);
  ByteReader record(bytes);
  record.seek(locator.number<std::uint64_t>());
  if (record.number<std::uint32_t>() != end64Magic) return std::nullopt;
  record.skip(28);
  Directory directory;
  directory.entries = record.number<std::uint64_t>();
  directory.size = record.number<std::uint64_t>();
  directory.offset = record.number<std::uint64_t>();
  if (!record.good()) return std::nullopt;
  return directory;
}

Result<Directory> findDirectory(std::span<const std::byte> bytes, const std::string& name) {
  const auto end = findEnd(bytes);
  if (!end) return damaged(name);
  ByteReader reader(bytes.subspan(*end + 4));
  const auto disk = reader.number<std::uint16_t>();
  reader.skip(4);
  Directory directory;
  directory.entries = reader.number<std::uint16_t>();
  directory.size = reader.number<std::uint32_t>();
  directory.offset = reader.number<std::uint32_t>();
  if (directory.entries == 0xffff || directory.size == in64 || directory.offset == in64) {
    if (const auto wide = find64(bytes, *end)) directory = *wide;
  }
  if (disk != 0 && disk != 0xffff) return fail(ErrorCode::unsupported, "the archive is one of several parts", name);
  const bool sound = directory.offset <= *end && directory.size <= *end - directory.offset &&
                     directory.entries <= directory.size / entryBytes;
  if (!sound) return damaged(name);
  return directory;
}

/// Numbers that did not fit into 32 bits, in the order in which they are missing.
void takeExtra64(ByteReader extra, Entry& entry) {
  constexpr std::uint16_t zip64 = 1;
  while (extra.left() >= 4) {
    const auto id = extra.number<std::uint16_t>();
    ByteReader field(extra.take(extra.number<std::uint16_t>()));
    if (id != zip64) continue;
    for (std::uint64_t* number : {&entry.plain, &entry.packed, &entry.local}) {
      if (*number == in64 && field.left() >= 8) *number = field.number<std::uint64_t>();
    }
  }
}

std::optional<Entry> readEntry(ByteReader& reader) {
  if (reader.number<std::uint32_t>() != entryMagic) return std::nullopt;
  Entry entry;
  reader.skip(4);
  entry.flags = reader.number<std::uint16_t>();
  entry.method = reader.number<std::uint16_t>();
  reader.skip(4);
  entry.crc32 = reader.number<std::uint32_t>();
  entry.packed = reader.number<std::uint32_t>();
  entry.plain = reader.number<std::uint32_t>();
  const auto nameBytes = reader.number<std::uint16_t>();
  const auto extraBytes = reader.number<std::uint16_t>();
  const auto commentBytes = reader.number<std::uint16_t>();
  reader.skip(8);
  entry.local = reader.number<std::uint32_t>();
  entry.name = asText(reader.take(nameBytes));
  takeExtra64(ByteReader(reader.take(extraBytes)), entry);
  reader.skip(commentBytes);
  if (!reader.good()) return std::nullopt;
  return entry;
}

Result<ZipMember> memberOf(const Entry& entry, std::span<const std::byte> bytes, const std::string& name,
                           Extent& extent) {
  constexpr std::uint16_t encrypted = 1, deflate = 8;
  if ((entry.flags & encrypted) != 0) {
    return fail(ErrorCode::unsupported, "the archive is encrypted; pack it again without a password", name);
  }
  if (entry.method != 0 && entry.method != deflate) {
    return fail(ErrorCode::unsupported,
                "\"" + entry.name + "\" is packed by method " + std::to_string(entry.method) +
                    "; pack the archive again, stored or deflated",
                name);
  }
  ByteReader local(bytes);
  local.seek(entry.local);
  const bool magic = local.number<std::uint32_t>() == localMagic;
  local.skip(22);
  const std::size_t nameBytes = local.number<std::uint16_t>();
  const std::size_t extraBytes = local.number<std::uint16_t>();
  local.skip(nameBytes + extraBytes);
  if (!magic || !local.good() || entry.packed > local.left()) return damaged(name);
  const bool stored = entry.method == 0;
  const bool honest = stored ? entry.plain == entry.packed : entry.plain / maxDeflateRatio <= entry.packed;
  if (!honest) {
    return fail(ErrorCode::invalidInput,
                "\"" + entry.name + "\" claims " + std::to_string(entry.plain) + " bytes, but only " +
                    std::to_string(entry.packed) + " are there for them",
                name);
  }
  extent = {static_cast<std::size_t>(entry.local), local.position() + static_cast<std::size_t>(entry.packed)};
  return ZipMember{entry.name, !stored, bytes.subspan(local.position(), entry.packed), entry.plain, entry.crc32};
}

bool overlap(std::vector<Extent>& extents) {
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) return true;
  }
  return false;
}

}  // namespace

bool hasZipMagic(std::span<const std::byte> bytes) {
  return ByteReader(bytes).number<std::uint32_t>() == localMagic;
}

Result<std::vector<ZipMember>> readZipDirectory(std::span<const std::byte> bytes, const std::string& name) {
  constexpr std::uint64_t mostEntries = 65536;
  const auto directory = findDirectory(bytes, name);
  if (!directory) return tl::make_unexpected(directory.error());
  if (directory->entries > mostEntries) {
    return fail(ErrorCode::limitExceeded, "the archive holds more than 65536 files", name);
  }
  ByteReader reader(bytes.subspan(directory->offset, directory->size));
  std::vector<ZipMember> members;
  std::vector<Extent> extents;
  for (std::uint64_t i = 0; i < directory->entries; ++i) {
    const auto entry = readEntry(reader);
    if (!entry) return damaged(name);
    if (entry->name.empty() || entry->name.ends_with('/')) continue;
    Extent extent;
    auto member = memberOf(*entry, bytes, name, extent);
    if (!member) return tl::make_unexpected(member.error());
    members.push_back(std::move(*member));
    extents.push_back(extent);
  }
  if (overlap(extents)) {
    return fail(ErrorCode::invalidInput, "the files of the archive overlap; it is damaged or a bomb", name);
  }
  return members;
}

Result<void> extractZipMember(const ZipMember& member, std::span<std::byte> out, const std::string& name) {
  if (!member.deflated) {
    if (!out.empty()) std::memcpy(out.data(), member.stored.data(), out.size());
    return {};
  }
  if (out.empty()) return {};
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  if (!inflater) return fail(ErrorCode::limitExceeded, "out of memory while inflating", name);
  const auto status = libdeflate_deflate_decompress(inflater.get(), member.stored.data(), member.stored.size(),
                                                    out.data(), out.size(), nullptr);
  if (status == LIBDEFLATE_SUCCESS && hasZipChecksum(member, out)) return {};
  return fail(ErrorCode::invalidInput,
              "\"" + member.name + "\" in the archive is damaged; copy the file again from its source", name);
}

std::uint32_t zipChecksum(std::uint32_t before, std::span<const std::byte> plain) {
  return libdeflate_crc32(before, plain.data(), plain.size());
}

bool hasZipChecksum(const ZipMember& member, std::span<const std::byte> plain) {
  return zipChecksum(0, plain) == member.crc32;
}

}  // namespace nora
