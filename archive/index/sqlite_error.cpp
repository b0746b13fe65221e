#include "archive/index/sqlite_error.hpp"

#include <sqlite3.h>

namespace nora {

Error sqliteError(sqlite3* connection, int code, const std::string& file) {
  const std::string detail = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {ErrorCode::limitExceeded, "the disk of the index is full: make room; nothing was stored", file};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorCode::forbidden, "the index cannot be written: check the rights of the file and its folder", file};
    case SQLITE_AUTH: return {ErrorCode::forbidden, "the index does not allow that: " + detail, file};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {ErrorCode::unavailable, "the index is busy with another program; try again", file};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::internal,
              "the index is damaged (" + detail + "): restore a backup, or make it anew from the files by nora reindex",
              file};
    case SQLITE_CANTOPEN:
      return {ErrorCode::notFound, "the index cannot be opened: check that its folder is there and can be written",
              file};
    case SQLITE_IOERR: return {ErrorCode::unavailable, "the disk of the index fails (" + detail + ")", file};
    case SQLITE_TOOBIG: return {ErrorCode::limitExceeded, "a text is too long for the index", file};
    case SQLITE_CONSTRAINT: return {ErrorCode::invalidInput, "the index does not take that: " + detail, file};
    default: return {ErrorCode::internal, "the index failed: " + detail, file};
  }
}

}  // namespace nora
