// What a zip archive holds, and its members' bytes: stored ones in place, deflated ones inflated into given memory.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nora {

struct ZipMember {
  std::string name;
  bool deflated = false;
  std::span<const std::byte> stored;  // as they are in the archive: plain, or deflated
  std::size_t size = 0;               // plain
  std::uint32_t crc32 = 0;
};

[[nodiscard]] bool hasZipMagic(std::span<const std::byte> bytes);

/// The files of an archive (no folders), in the order of its directory. Own parser because libzip copies every member
/// through a buffer of its own: stored members are used here where they lie. Checked: every member lies within the
/// file and no two overlap, so that all of them together are no larger than the file; claimed sizes hold against
/// maxDeflateRatio. Zip64 is understood. Errors: invalidInput; unsupported (encrypted, other methods, several disks).
/// Source: PKWARE APPNOTE 6.3.9, 4.3.
[[nodiscard]] Result<std::vector<ZipMember>> readZipDirectory(std::span<const std::byte> bytes,
                                                              const std::string& name);

/// Inflates or copies a member; out.size() is member.size. Errors: invalidInput (damaged).
[[nodiscard]] Result<void> extractZipMember(const ZipMember& member, std::span<std::byte> out, const std::string& name);

/// CRC-32 of bytes that follow others with the checksum `before`; 0: none.
[[nodiscard]] std::uint32_t zipChecksum(std::uint32_t before, std::span<const std::byte> plain);
/// True if the bytes have the member's checksum.
[[nodiscard]] bool hasZipChecksum(const ZipMember& member, std::span<const std::byte> plain);

}  // namespace nora
