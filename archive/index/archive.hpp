// Archive: the index as values in and values out. The only place that knows the tables of schema/.
#pragma once

#include "archive/index/archive_values.hpp"
#include "archive/index/database.hpp"
#include "archive/search/query_sql.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

namespace archive_sql {
class Remembered;
}

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

  // ---- what outlives the index

  /// From now on tags, metadata, names and settings are also written beside the data, as lines of JSON: below
  /// <project>/.nora of projects that nora owns, below <store>/.nora/<project> of those in place (remembered.hpp). What
  /// was written there and is not in the index, because a program was killed or an old index came back, goes there now.
  /// Before other threads use this.
  [[nodiscard]] Result<void> rememberIn(const std::string& store);
  [[nodiscard]] const std::string& store() const { return store_; }
  /// Forgets all items of a project, and takes what people said of them from the journal; files are vanished until they
  /// are scanned. One transaction.
  [[nodiscard]] Result<void> rebuild(std::int64_t projectId);

  // ---- items

  /// Errors: invalidInput ("there is a project of that name").
  [[nodiscard]] Result<ProjectRecord> addProject(const ProjectRecord& project);
  /// One of which there is a journal and nothing in the index: rebuild() follows, or the next start takes what the
  /// journal says. Nothing is done where the index has it.
  [[nodiscard]] Result<void> addLostProject(const ProjectRecord& project, const std::string& journal);
  [[nodiscard]] Result<std::vector<ProjectRecord>> projects();
  /// Name, title, hideIdentity and settings. Errors: invalidInput (the name is taken).
  [[nodiscard]] Result<void> changeProject(const ProjectRecord& project);
  /// All that the index knows of a project, with its grants, share links, tokens and saved views; not its files, and
  /// not the audit. One transaction.
  [[nodiscard]] Result<void> removeProject(std::int64_t id);
  /// A JSON object: "pattern" (see PathPattern), and what scans remember.
  [[nodiscard]] Result<void> setSettings(std::int64_t projectId, std::string_view json);
  [[nodiscard]] Result<ProjectRecord> project(std::string_view name);
  [[nodiscard]] Result<ProjectRecord> project(std::int64_t id);
  [[nodiscard]] Result<SubjectRecord> subject(std::int64_t id);
  [[nodiscard]] Result<StudyRecord> study(std::int64_t id);
  [[nodiscard]] Result<FileRecord> file(std::int64_t id);
  /// `series`: of a DICOM series, else empty.
  [[nodiscard]] Result<FileRecord> file(std::int64_t projectId, std::string_view path, std::string_view series = {});
  /// The image of a DICOM series by its UID; of several the one with most instances.
  [[nodiscard]] Result<FileRecord> imageOfSeries(std::int64_t projectId, std::string_view uid);
  /// Paths of the files of a series; of another file its own path.
  [[nodiscard]] Result<std::vector<std::string>> partsOf(const FileRecord& file);
  [[nodiscard]] Result<void> rename(Level level, std::int64_t id, std::string_view name);

  // ---- files

  struct Move {
    std::int64_t id = 0;
    std::string path, series;  // where it was
  };
  struct Registered {
    std::int64_t added = 0, changed = 0, unchanged = 0;
    std::int64_t moved = 0;  // vanished ones that turned up under another path, with tags and metadata
    std::vector<Move> moves = {};
    std::vector<std::int64_t> pseudonyms = {};  // new subjects that could not have the first one of their name
  };
  /// Takes over what was found; one transaction. A file that is there already (by its path) gets the new facts;
  /// metadata that users changed stays, the other keys follow the file's sidecar.
  [[nodiscard]] Result<Registered> registerFiles(std::int64_t projectId, std::span<const FoundFileRecord> files);

  /// Path, size and time of each file of a project that is not vanished, for comparing with the disk. Without series.
  struct Known {
    std::int64_t id = 0;
    std::int64_t size = 0, mtimeUs = 0;
    FileState state = FileState::present;
    std::string hash = {};  // see FileFacts
  };
  [[nodiscard]] Result<std::map<std::string, Known>> knownFiles(std::int64_t projectId);

  // ---- files of DICOM series

  /// Size and time of each DICOM file that was seen; the header is left empty.
  [[nodiscard]] Result<std::map<std::string, DicomFileRecord>> knownDicom(std::int64_t projectId);
  /// Calls `take` with every DICOM file, headers too.
  [[nodiscard]] Result<void> eachDicom(std::int64_t projectId, const std::function<void(DicomFileRecord)>& take);
  /// Adds or replaces what was seen; the series that they belong to are open from now on. `seen`: how often the files
  /// had been changed (dicomChanges) when the caller looked at them; raised if nobody else has changed them since.
  [[nodiscard]] Result<void> storeDicom(std::int64_t projectId, std::span<const DicomFileRecord> files,
                                        std::int64_t& seen);
  [[nodiscard]] Result<std::int64_t> dicomChanges(std::int64_t projectId);
  /// Series that have not vanished.
  [[nodiscard]] Result<std::int64_t> seriesCount(std::int64_t projectId);
  /// The series are not as the files are: a scan was stopped before they were put together.
  [[nodiscard]] Result<bool> isDicomOpen(std::int64_t projectId);
  /// All series of a project: they are registered, all others vanish, files in `gone` are forgotten. One transaction;
  /// from then on the series are as the files are. How many have vanished is added to `vanished`. Nothing where another
  /// scan has changed the files since `seen`: `series` must be made of them anew.
  [[nodiscard]] Result<std::optional<Registered>> closeDicom(std::int64_t projectId,
                                                             std::span<const FoundFileRecord> series,
                                                             std::span<const std::string> gone, std::int64_t seen,
                                                             std::int64_t& vanished);
  /// They are not found by searches any more that do not ask for a state, and keep tags and metadata in case they come
  /// back.
  [[nodiscard]] Result<std::int64_t> markVanished(std::span<const std::int64_t> fileIds);

  // ---- what files are known by

  /// Sizes of vanished files whose content is known by a hash: a new file of such a size may be one of them.
  [[nodiscard]] Result<std::set<std::int64_t>> hashedVanishedSizes(std::int64_t projectId);
  struct Unhashed {
    std::int64_t id = 0, size = 0, mtimeUs = 0;
    std::string path;
  };
  /// Files that are present and have no hash yet, without series, by rising id; at most `most` with an id above
  /// `after`.
  [[nodiscard]] Result<std::vector<Unhashed>> unhashed(std::int64_t projectId, std::int64_t after, int most);
  /// Of files that are still of that size and time. Nothing else of them changes.
  [[nodiscard]] Result<void> setHashes(std::int64_t projectId,
                                       std::span<const std::pair<Unhashed, std::string>> hashes);
  /// Files whose content is as it was, only their time is another.
  [[nodiscard]] Result<void> setTimes(std::int64_t projectId, std::span<const Unhashed> files);

  // ---- scans

  /// How the last scan of a project ended. JSON object; see ScanReport.
  struct ScanNote {
    std::int64_t endedUs = 0;  // 0: there was none
    std::string report = "{}";
  };
  [[nodiscard]] Result<void> noteScan(std::int64_t projectId, std::string_view report);
  [[nodiscard]] Result<std::map<std::int64_t, ScanNote>> scanNotes();

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
  using Selection = nora::Selection;
  /// How many a search finds, counted no further than `most`.
  [[nodiscard]] Result<std::int64_t> count(Level level, const Query& query, const SearchScope& scope, std::int64_t most,
                                           const Selection& selection = {});

  /// A place in that order.
  struct SortKey {
    SqlValue value;
    std::int64_t id = 0;
  };
  struct SortedPage {
    std::vector<std::int64_t> ids;
    std::optional<SortKey> next;  // as Page::next
  };
  /// Names by which items of a level can be sorted.
  [[nodiscard]] static std::vector<std::string_view> sortColumns(Level level);
  /// As find(), in any order. Errors: invalidInput ("sort": there is no such column).
  [[nodiscard]] Result<SortedPage> findSorted(Level level, const Query& query, const SearchScope& scope,
                                              const Selection& selection, const std::optional<SortKey>& after,
                                              int most);
  /// All of them at once, in order.
  [[nodiscard]] Result<std::vector<std::int64_t>> allIds(Level level, const Query& query, const SearchScope& scope,
                                                         const Selection& selection);

  [[nodiscard]] Result<std::vector<FileRecord>> files(std::span<const std::int64_t> ids);
  [[nodiscard]] Result<std::vector<StudyRecord>> studies(std::span<const std::int64_t> ids);
  [[nodiscard]] Result<std::vector<SubjectRecord>> subjects(std::span<const std::int64_t> ids);
  [[nodiscard]] Result<std::map<std::int64_t, std::set<std::string>>> tagsOf(Level level,
                                                                             std::span<const std::int64_t> ids);

  /// How much lies in an item, without what has vanished, and without sidecars, which are not listed either.
  struct Counts {
    std::int64_t subjects = 0, studies = 0, files = 0;
  };
  /// One for each id, of projects, subjects or studies.
  [[nodiscard]] Result<std::map<std::int64_t, Counts>> countsOf(Level level, std::span<const std::int64_t> ids);
  /// Sizes of all files of projects together.
  [[nodiscard]] Result<std::map<std::int64_t, std::int64_t>> bytesOf(std::span<const std::int64_t> projectIds);
  [[nodiscard]] Result<std::int64_t> projectIdOf(Level level, std::int64_t id);
  /// Of the items that are there.
  [[nodiscard]] Result<std::map<std::int64_t, std::int64_t>> projectIdsOf(Level level,
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
  /// After another state of the index was put in its place: goes on from what had been seen before.
  [[nodiscard]] Result<void> raiseAbove(std::int64_t seen);

 private:
  [[nodiscard]] Result<std::int64_t> raise(Sql& sql);
  /// A change with its journal: both or neither.
  [[nodiscard]] Result<void> writeRemembered(
      const std::function<Result<void>(Sql&, archive_sql::Remembered&)>& work) const;

  /// `journal`: that of a lost one; empty: one is begun.
  [[nodiscard]] Result<ProjectRecord> addProject(const ProjectRecord& project, const std::string& journal);

  [[nodiscard]] static Result<void> count(Sql& sql, Level level, std::span<const std::int64_t> ids,
                                          std::map<std::int64_t, Counts>& out);

  Database& database_;
  Now now_;
  std::string store_;              // empty: nothing is remembered
  std::mutex projectCountsMutex_;  // what follows: a million files take a while to count
  std::int64_t projectCountsRevision_ = -1;
  std::map<std::int64_t, Counts> projectCounts_;  // as of that revision
};

}  // namespace nora
