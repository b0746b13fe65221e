#include "app/zip_stream.hpp"

#include <algorithm>
#include <ctime>

#include <zlib.h>

namespace nora {
namespace {

constexpr std::uint16_t version = 45;                  // zip64
constexpr std::uint16_t flags = (1 << 3) | (1 << 11);  // sizes follow the bytes; names are UTF-8
constexpr std::uint16_t unixMade = 3 << 8;
constexpr std::uint32_t regularFile = 0100644U << 16;

void little(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

/// Days and two-second steps since 1980.
std::uint32_t dosTime(std::int64_t us) {
  const std::time_t seconds = us / 1'000'000;
  std::tm at{};
  ::gmtime_r(&seconds, &at);
  if (at.tm_year < 80) return 1U << 21 | 1U << 16;
  const auto part = [](int value, int shift) { return static_cast<std::uint32_t>(value) << shift; };
  return part(std::min(at.tm_year - 80, 127), 25) | part(at.tm_mon + 1, 21) | part(at.tm_mday, 16) |
         part(at.tm_hour, 11) | part(at.tm_min, 5) | part(at.tm_sec / 2, 0);
}

}  // namespace

Result<void> ZipStream::put(std::string_view bytes) {
  at_ += bytes.size();
  return write_(bytes);
}

Result<void> ZipStream::begin(const std::string& name, std::int64_t modifiedUs) {
  entries_.push_back({name, dosTime(modifiedUs), 0, 0, at_});
  std::string out;
  little(out, 0x04034b50, 4);
  little(out, version, 2);
  little(out, flags, 2);
  little(out, 0, 2);  // stored
  little(out, entries_.back().time, 4);
  little(out, 0, 4);
  little(out, 0xFFFFFFFF, 4);  // both sizes: see the extra field
  little(out, 0xFFFFFFFF, 4);
  little(out, name.size(), 2);
  little(out, 20, 2);
  out += name;
  little(out, 1, 2);  // zip64
  little(out, 16, 2);
  little(out, 0, 8);
  little(out, 0, 8);
  return put(out);
}

Result<void> ZipStream::add(std::string_view bytes) {
  Entry& entry = entries_.back();
  entry.crc =
      static_cast<std::uint32_t>(::crc32_z(entry.crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  entry.size += bytes.size();
  return put(bytes);
}

Result<void> ZipStream::end() {
  const Entry& entry = entries_.back();
  std::string out;
  little(out, 0x08074b50, 4);
  little(out, entry.crc, 4);
  little(out, entry.size, 8);
  little(out, entry.size, 8);
  return put(out);
}

Result<void> ZipStream::finish() {
  const std::uint64_t start = at_;
  for (const Entry& entry : entries_) {
    std::string out;
    little(out, 0x02014b50, 4);
    little(out, unixMade | version, 2);
    little(out, version, 2);
    little(out, flags, 2);
    little(out, 0, 2);
    little(out, entry.time, 4);
    little(out, entry.crc, 4);
    little(out, 0xFFFFFFFF, 4);
    little(out, 0xFFFFFFFF, 4);
    little(out, entry.name.size(), 2);
    little(out, 28, 2);
    little(out, 0, 6);  // comment, disk, internal attributes
    little(out, regularFile, 4);
    little(out, 0xFFFFFFFF, 4);
    out += entry.name;
    little(out, 1, 2);
    little(out, 24, 2);
    little(out, entry.size, 8);
    little(out, entry.size, 8);
    little(out, entry.at, 8);
    if (auto done = put(out); !done) return done;
  }
  const std::uint64_t size = at_ - start, end = at_;
  std::string out;
  little(out, 0x06064b50, 4);
  little(out, 44, 8);
  little(out, unixMade | version, 2);
  little(out, version, 2);
  little(out, 0, 8);  // disks
  little(out, entries_.size(), 8);
  little(out, entries_.size(), 8);
  little(out, size, 8);
  little(out, start, 8);
  little(out, 0x07064b50, 4);  // where that is
  little(out, 0, 4);
  little(out, end, 8);
  little(out, 1, 4);
  little(out, 0x06054b50, 4);
  little(out, 0, 4);
  little(out, 0xFFFF, 2);
  little(out, 0xFFFF, 2);
  little(out, 0xFFFFFFFF, 4);
  little(out, 0xFFFFFFFF, 4);
  little(out, 0, 2);
  return put(out);
}

}  // namespace nora
