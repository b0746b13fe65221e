// How an index is, for those who look after it.
#pragma once

#include "archive/index/database.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace nora {

/// What a project's journal (remembered.hpp) has, and what of it is in the index.
struct JournalState {
  std::int64_t projectId = 0;
  std::string file;          // empty: there is none yet
  std::int64_t known = 0;    // bytes that are in the index
  std::int64_t onDisk = -1;  // bytes of the file; -1: it is not there
  [[nodiscard]] bool isWhole() const { return known == onDisk; }
};

struct IndexState {
  std::string engine;                      // "SQLite 3.40.1", "10.11.6-MariaDB"
  std::int64_t schema = 0;                 // the newest file of schema/ that it has
  std::int64_t bytes = 0;                  // on its disk, without logs
  std::chrono::microseconds roundTrip{0};  // of one small question
  std::vector<JournalState> journals;      // one for each project
};

/// Quick. Errors: those of Database.
[[nodiscard]] Result<IndexState> stateOf(Database& database);

/// Looks at every page of the database (SQLite's integrity_check, CHECK TABLE of MySQL), and whether rows that belong
/// together are all there. What is wrong, for people; empty: nothing. Reads all: minutes where there are millions of
/// files; others may read and write meanwhile. At most 100 problems. Errors: those of Database.
[[nodiscard]] Result<std::vector<std::string>> checkIndex(Database& database);

}  // namespace nora
