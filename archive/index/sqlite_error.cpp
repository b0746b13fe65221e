#include "archive/index/sqlite_error.hpp"

#include <cstdint>
#include <filesystem>

#include <sqlite3.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace nora {
namespace {

Error isFull(const std::string& file) {
  return {ErrorCode::limitExceeded, "the disk of the index is full: make room; nothing was stored", file};
}

Error isReadOnly(const std::string& file) {
  return {ErrorCode::forbidden, "the index cannot be written: check the rights of the file and its folder", file};
}

/// Of full and of read-only disks SQLite often says no more than that a file beside the index fails.
Error diskError(const std::string& file, const Error& otherwise) {
  constexpr std::uint64_t leastBytes = 256 << 10;  // for the files of a transaction
  const std::filesystem::path path(file);
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  if (::access(folder.c_str(), F_OK) != 0) return otherwise;
  const bool isThere = ::access(file.c_str(), F_OK) == 0;
  if (::access(folder.c_str(), W_OK) != 0 || (isThere && ::access(file.c_str(), W_OK) != 0)) return isReadOnly(file);
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) == 0 && disk.f_bavail * disk.f_frsize < leastBytes) return isFull(file);
  return otherwise;
}

}  // namespace

Error sqliteError(sqlite3* connection, int code, const std::string& file) {
  const std::string detail = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_FULL: return isFull(file);
    case SQLITE_READONLY:
    case SQLITE_PERM: return isReadOnly(file);
    case SQLITE_AUTH: return {ErrorCode::forbidden, "the index does not allow that: " + detail, file};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {ErrorCode::unavailable, "the index is busy with another program; try again", file};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::internal,
              "the index is damaged (" + detail + "): restore a backup, or make it anew from the files by nora reindex",
              file};
    case SQLITE_CANTOPEN:
      return diskError(file, {ErrorCode::notFound,
                              "the index cannot be opened: check that its folder is there and can be written", file});
    case SQLITE_IOERR:
      return diskError(file, {ErrorCode::unavailable, "the disk of the index fails (" + detail + ")", file});
    case SQLITE_TOOBIG: return {ErrorCode::limitExceeded, "a text is too long for the index", file};
    case SQLITE_CONSTRAINT: return {ErrorCode::invalidInput, "the index does not take that: " + detail, file};
    default: return {ErrorCode::internal, "the index failed: " + detail, file};
  }
}

}  // namespace nora
