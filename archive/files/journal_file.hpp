// A file of lines that are only added, each a JSON object: what must outlive the index.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace nora {

/// Size in bytes; -1 if it is not there.
[[nodiscard]] std::int64_t journalSize(const std::string& file);

/// Whole lines from a place on; an unfinished one at the end is left out. Errors: those of reading.
[[nodiscard]] Result<std::string> readJournal(const std::string& file, std::int64_t from);

/// Puts lines at a place, in the stead of what follows it, and waits for the disk. The new size. On an error the file
/// is as it was up to that place.
[[nodiscard]] Result<std::int64_t> appendJournal(const std::string& file, std::int64_t at, std::string_view lines);

/// Cuts what appendJournal put there from `start` to `end`, if nobody has added more.
void takeBackJournal(const std::string& file, std::int64_t start, std::int64_t end);

/// The whole file anew, for its owner alone to read; folders are made.
[[nodiscard]] Result<void> writeJournal(const std::string& file, std::string_view lines);

}  // namespace nora
