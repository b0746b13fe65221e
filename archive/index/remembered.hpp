// Remembered: what a change adds to the journals of projects, within the transaction of the index.
//
// The lines go to the disk last, before the commit; the same transaction says how many bytes of the journal it has. So
// what is acknowledged is in both. Killed in between, the journal has more: that is done again by the next change or
// start. Taken back (an error, a transaction that is tried again), the lines are cut off. A journal that is not there,
// or is shorter than the index knows, is written anew from the index.
#pragma once

#include "archive/index/archive.hpp"
#include "archive/index/database.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace nora::archive_sql {

class Remembered {
 public:
  /// `store`: the folder of journals of projects in place; empty: nothing is remembered.
  explicit Remembered(const std::string& store, std::int64_t nowUs) : store_(store), nowUs_(nowUs) {}
  ~Remembered() { takeBack(); }
  Remembered(const Remembered&) = delete;
  Remembered& operator=(const Remembered&) = delete;

  /// When the change is made: the index and the journal tell the same time.
  [[nodiscard]] std::int64_t nowUs() const { return nowUs_; }
  /// The journal has more than the index, or another one is there than the index knows.
  [[nodiscard]] static Result<bool> isBehind(Sql& sql, std::int64_t project);
  /// At the beginning of the work: what is in the journal and not in the index goes there.
  [[nodiscard]] Result<void> catchUp(Sql& sql, std::int64_t project);
  /// What has changed; looked up when the journal is written.
  void tags(Level level, std::int64_t project, std::span<const std::int64_t> ids);
  void meta(Level level, std::int64_t project, std::int64_t id, std::string_view user);
  void project(std::int64_t id);
  /// Files that are somewhere else now.
  void moved(std::int64_t project, const std::vector<Archive::Move>& moves);
  /// Of a subject or study.
  void renamed(Level level, std::int64_t project, const std::string& subject, const std::string& study,
               const std::string& name);
  /// That is the journal of a project of which nothing is in the index.
  [[nodiscard]] static Result<void> known(Sql& sql, std::int64_t project, const std::string& journal);
  /// Subjects whose pseudonym is not the first one that their name gives.
  void subjects(std::int64_t project, const std::vector<std::int64_t>& ids);
  /// At the end of the work.
  [[nodiscard]] Result<void> write(Sql& sql);
  void committed();
  void takeBack();

  /// Forgets what the index knows of a project's items, and takes it from the journal.
  [[nodiscard]] Result<void> rebuild(Sql& sql, std::int64_t project);

 private:
  struct Change {
    Level level = Level::file;
    std::vector<std::int64_t> ids;
    bool isMeta = false;
    std::vector<Archive::Move> moves;
    std::string user, rename;  // JSON of the line, for a rename
    bool isPlaces = false;     // of subjects: by which name they are found, and their pseudonyms
  };
  struct Written {
    std::string file;
    std::int64_t start = 0, end = 0;
  };
  [[nodiscard]] Result<void> writeProject(Sql& sql, std::int64_t project, const std::vector<Change>& changes);
  [[nodiscard]] Result<void> writeWhole(Sql& sql, const ProjectRecord& project, const std::string& known);
  [[nodiscard]] std::string folderOf(const ProjectRecord& project) const;
  [[nodiscard]] Result<std::string> newFolder(Sql& sql, const ProjectRecord& project) const;

  const std::string store_;
  const std::int64_t nowUs_;
  std::map<std::int64_t, std::vector<Change>> changes_;  // by project
  std::vector<Written> written_;
  std::vector<std::string> old_;  // journals in the place of which others are
};

/// What a journal says its project is: that of its last line of that kind. A journal without one: invalidInput.
[[nodiscard]] Result<ProjectRecord> projectOfJournal(const std::string& file);

/// The newest journal of a folder ("journal-7.jsonl"); empty: there is none.
[[nodiscard]] std::string newestJournal(const std::string& folder);

/// Lines of a journal as JSON texts that say what items are now (remembered_lines.cpp).
[[nodiscard]] Result<std::string> projectLine(const ProjectRecord& project, std::int64_t atUs);
[[nodiscard]] Result<std::string> tagLines(Sql& sql, Level level, std::span<const std::int64_t> ids, std::int64_t atUs);
[[nodiscard]] Result<std::string> metaLine(Sql& sql, Level level, std::int64_t id, const std::string& user,
                                           std::int64_t atUs);
/// Subjects that have another name than scans find, or another pseudonym than their name gives first; only some, or
/// with no ids all of the project and their studies.
[[nodiscard]] Result<std::string> placeLines(Sql& sql, const ProjectRecord& project, std::span<const std::int64_t> ids,
                                             std::int64_t atUs);
/// All that was said of some items, with the history of their metadata.
[[nodiscard]] Result<std::string> itemLines(Sql& sql, Level level, std::span<const std::int64_t> ids,
                                            std::int64_t atUs);
[[nodiscard]] Result<std::string> moveLines(Sql& sql, std::span<const Archive::Move> moves, std::int64_t atUs);
/// All that people said of the items of a project, with the history of their metadata.
[[nodiscard]] Result<std::string> wholeJournal(Sql& sql, const ProjectRecord& project, std::int64_t atUs);

/// Does what lines say. Items that are not there are made: files as vanished ones, until a scan finds them.
[[nodiscard]] Result<void> applyJournal(Sql& sql, const ProjectRecord& project, const std::string& lines,
                                        std::int64_t nowUs);

}  // namespace nora::archive_sql
