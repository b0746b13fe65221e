// Archive: the index as values in and values out. The only place that knows the tables of schema/.
#pragma once

#include "archive/index/archive_values.hpp"
#include "archive/index/database.hpp"
#include "archive/search/query_sql.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// Names of projects, subjects and studies: 1 to 190 characters of UTF-8 without control characters, '/' and leading
/// dots, and not only blanks. Errors: invalidInput; `what` is the field.
[[nodiscard]] Result<void> checkItemName(std::string_view name, std::string_view what);

/// All calls may come from any thread; those that change something are on the disk when they return.
/// Errors: those of Database; notFound, invalidInput (names the field), and what is said at the call.
class Archive {
 public:
  using Now = std::function<std::int64_t()>;  // microseconds since 1970, UTC

  /// The database has been opened by openDatabase and outlives this.
  explicit Archive(Database& database, Now now = {});

  [[nodiscard]] Database& database() const { return database_; }

  // ---- items

  /// Errors: invalidInput ("there is a project of that name").
  [[nodiscard]] Result<ProjectRecord> addProject(const ProjectRecord& project);
  [[nodiscard]] Result<std::vector<ProjectRecord>> projects();
  [[nodiscard]] Result<ProjectRecord> project(std::string_view name);
  [[nodiscard]] Result<SubjectRecord> subject(std::int64_t id);
  [[nodiscard]] Result<StudyRecord> study(std::int64_t id);
  [[nodiscard]] Result<FileRecord> file(std::int64_t id);
  [[nodiscard]] Result<FileRecord> file(std::int64_t projectId, std::string_view path);
  [[nodiscard]] Result<void> rename(Level level, std::int64_t id, std::string_view name);

  // ---- files

  struct Registered {
    std::int64_t added = 0, changed = 0, unchanged = 0;
    std::int64_t moved = 0;  // vanished ones that turned up under another path, with tags and metadata
  };
  /// Takes over what was found; one transaction. A file that is there already (by its path) gets the new facts;
  /// metadata that users changed stays, the other keys follow the file's sidecar.
  [[nodiscard]] Result<Registered> registerFiles(std::int64_t projectId, std::span<const FoundFileRecord> files);

  /// Path, size and time of each file of a project that is not vanished, for comparing with the disk.
  struct Known {
    std::int64_t id = 0;
    std::int64_t size = 0, mtimeUs = 0;
    FileState state = FileState::present;
  };
  [[nodiscard]] Result<std::map<std::string, Known>> knownFiles(std::int64_t projectId);
  /// They are not found by searches any more unless asked for, and keep tags and metadata in case they come back.
  [[nodiscard]] Result<std::int64_t> markVanished(std::span<const std::int64_t> fileIds);

  // ---- tags and metadata

  /// Adds and removes tags of many items at once; the items of that level that are there. How many items changed.
  [[nodiscard]] Result<std::int64_t> tag(Level level, std::span<const std::int64_t> ids,
                                         std::span<const std::string> add, std::span<const std::string> remove);
  [[nodiscard]] Result<std::set<std::string>> tags(Level level, std::int64_t id);
  /// All tags and how many items of the level have them, in projects of the scope.
  [[nodiscard]] Result<std::map<std::string, std::int64_t>> tagCounts(Level level, const SearchScope& scope);

  /// Replaces an item's metadata by a JSON object of at most 1 MiB and 32 levels. `ifRevision`: refused if the item has
  /// changed since then.
  /// Errors: invalidInput (not a JSON object, with the place); limitExceeded; unavailable ("changed by somebody else").
  [[nodiscard]] Result<std::int64_t> setMeta(Level level, std::int64_t id, std::string_view json, std::string_view user,
                                             std::optional<std::int64_t> ifRevision = std::nullopt);
  /// The newest first.
  [[nodiscard]] Result<std::vector<MetaChange>> metaHistory(Level level, std::int64_t id, int most = 100);

  // ---- finding

  struct Page {
    std::vector<std::int64_t> ids;     // rising
    std::optional<std::int64_t> next;  // give it as `after` for the next page; none: this was the last
  };
  /// Items of a level that a search finds, by rising id, after `after`. `most`: 1 to 1000.
  [[nodiscard]] Result<Page> find(Level level, const Query& query, const SearchScope& scope, std::int64_t after,
                                  int most);
  /// How many a search finds, counted no further than `most`.
  [[nodiscard]] Result<std::int64_t> count(Level level, const Query& query, const SearchScope& scope,
                                           std::int64_t most);

  [[nodiscard]] Result<std::vector<FileRecord>> files(std::span<const std::int64_t> ids);
  [[nodiscard]] Result<std::vector<StudyRecord>> studies(std::span<const std::int64_t> ids);
  [[nodiscard]] Result<std::vector<SubjectRecord>> subjects(std::span<const std::int64_t> ids);
  [[nodiscard]] Result<std::map<std::int64_t, std::set<std::string>>> tagsOf(Level level,
                                                                             std::span<const std::int64_t> ids);

  // ---- what is new

  /// A place in the order of changes: `revision`, and within it `id`.
  struct ChangePlace {
    std::int64_t revision = 0, id = 0;
    bool operator==(const ChangePlace&) const = default;
  };
  struct Changes {
    std::vector<std::int64_t> ids;  // in the order of their last change
    ChangePlace upTo;               // give it as `after` the next time
    bool more = false;
  };
  /// Items of a level in the scope that are new or have changed (themselves, metadata, tags) after a place. Nothing is
  /// left out: who has seen revision N will be told of every later change. `most`: 1 to 10,000.
  [[nodiscard]] Result<Changes> changedSince(Level level, const SearchScope& scope, ChangePlace after, int most);

  /// Raised by each change.
  [[nodiscard]] Result<std::int64_t> revision();

 private:
  [[nodiscard]] Result<std::int64_t> raise(Sql& sql);

  Database& database_;
  Now now_;
};

}  // namespace nora
