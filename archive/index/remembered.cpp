#include "archive/index/remembered.hpp"

#include "archive/files/journal_file.hpp"
#include "archive/index/archive_sql.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <nlohmann/json.hpp>

namespace nora::archive_sql {
namespace {

constexpr std::int64_t slackBytes = std::int64_t{16} << 20;  // before a journal is written anew, beside twice its size

Result<ProjectRecord> projectBy(Sql& sql, std::int64_t id) {
  return oneOf(sql.query("SELECT " + projectColumns + " FROM project WHERE id = ?", {id}), projectOf, "project");
}

/// Of "journal-7.jsonl"; 0: it is none.
std::int64_t numberOf(const std::string& file) {
  const std::string name = std::filesystem::path(file).filename().string();
  if (!name.starts_with("journal-") || !name.ends_with(".jsonl")) return 0;
  std::int64_t number = 0;
  std::from_chars(name.data() + 8, name.data() + name.size(), number);
  return number;
}

struct Mark {
  bool isThere = false;
  std::string file;
  std::int64_t bytes = 0, whole = 0;
};

Result<Mark> markOf(Sql& sql, std::int64_t project) {
  auto rows = sql.query("SELECT file, bytes, whole FROM project_journal WHERE project_id = ?", {project});
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return Mark{};
  const SqlRow& row = rows->front();
  return Mark{true, row.text(0), row.integer(1), row.integer(2)};
}

Result<void> setBytes(Sql& sql, std::int64_t project, std::int64_t bytes) {
  auto set = sql.change("UPDATE project_journal SET bytes = ? WHERE project_id = ?", {bytes, project});
  if (!set) return tl::make_unexpected(set.error());
  return {};
}

Result<void> change(Sql& sql, const std::string& text, std::int64_t project) {
  auto done = sql.change(text, {project});
  if (!done) return tl::make_unexpected(done.error());
  return {};
}

}  // namespace

std::string newestJournal(const std::string& folder) {
  std::string out;
  std::int64_t newest = 0;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    const std::int64_t number = numberOf(entry.path().string());
    if (number <= newest) continue;
    newest = number;
    out = entry.path().string();
  }
  return out;
}

Result<ProjectRecord> projectOfJournal(const std::string& file) {
  const auto lines = readJournal(file, 0);
  if (!lines) return tl::make_unexpected(lines.error());
  nlohmann::json said;
  for (std::size_t at = 0; at < lines->size();) {
    const std::size_t end = std::min(lines->find('\n', at), lines->size());
    const std::string_view line(lines->data() + at, end - at);
    at = end + 1;
    if (line.find("\"project\":{") == std::string_view::npos) continue;
    auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("project") && json.at("project").is_object()) said = json.at("project");
  }
  if (!said.is_object()) return fail(ErrorCode::invalidInput, "this is no journal of a project", file);
  ProjectRecord out;
  out.name = said.value("name", "");
  out.root = said.value("root", "");
  out.inPlace = said.value("inPlace", true);
  out.secret = said.value("secret", "");
  out.createdUs = said.value("createdUs", std::int64_t{0});
  return out;
}

std::string Remembered::folderOf(const ProjectRecord& project) const {
  return project.inPlace ? store_ + "/.nora/" + project.name : project.root + "/.nora";
}

Result<bool> Remembered::isBehind(Sql& sql, std::int64_t project) {
  const auto mark = markOf(sql, project);
  if (!mark) return tl::make_unexpected(mark.error());
  if (!mark->isThere) return false;
  const std::int64_t size = journalSize(mark->file);
  return size > mark->bytes ||
         (size < 0 && !newestJournal(std::filesystem::path(mark->file).parent_path().string()).empty());
}

Result<void> Remembered::catchUp(Sql& sql, std::int64_t id) {
  if (store_.empty()) return {};
  const auto behind = isBehind(sql, id);
  if (!behind) return tl::make_unexpected(behind.error());
  if (!*behind) return {};
  auto mark = markOf(sql, id);
  const auto project = projectBy(sql, id);
  if (!mark || !project) return tl::make_unexpected(!mark ? mark.error() : project.error());
  if (journalSize(mark->file) < 0) {  // an old index came back
    mark->file = newestJournal(std::filesystem::path(mark->file).parent_path().string());
    mark->bytes = 0;
    auto set = sql.change("UPDATE project_journal SET file = ? WHERE project_id = ?", {mark->file, id});
    if (!set) return tl::make_unexpected(set.error());
  }
  const auto lines = readJournal(mark->file, mark->bytes);
  if (!lines) return tl::make_unexpected(lines.error());
  if (lines->empty()) return {};
  if (auto done = applyJournal(sql, *project, *lines, nowUs_); !done) return done;
  return setBytes(sql, id, mark->bytes + static_cast<std::int64_t>(lines->size()));
}

void Remembered::tags(Level level, std::int64_t project, std::span<const std::int64_t> ids) {
  changes_[project].push_back({level, {ids.begin(), ids.end()}, false, {}, {}, {}, false});
}

void Remembered::meta(Level level, std::int64_t project, std::int64_t id, std::string_view user) {
  changes_[project].push_back({level, {id}, true, {}, std::string(user), {}, false});
}

void Remembered::project(std::int64_t id) {
  changes_[id].push_back({Level::project, {}, false, {}, {}, {}, false});
}

void Remembered::moved(std::int64_t project, const std::vector<Archive::Move>& moves) {
  changes_[project].push_back({Level::file, {}, false, moves, {}, {}, false});
}

void Remembered::renamed(Level level, std::int64_t project, const std::string& subject, const std::string& study,
                         const std::string& name) {
  nlohmann::json line = {{"at", nowUs_}, {"level", toString(level)}, {"subject", subject}, {"name", name}};
  if (level == Level::study) line["study"] = study;
  changes_[project].push_back({level, {}, false, {}, {}, line.dump() + "\n", false});
}

Result<void> Remembered::known(Sql& sql, std::int64_t project, const std::string& journal) {
  return sql.append("INSERT INTO project_journal (project_id, file, bytes, whole) VALUES (?, ?, 0, 0)",
                    {project, journal});
}

void Remembered::subjects(std::int64_t project, const std::vector<std::int64_t>& ids) {
  changes_[project].push_back({Level::subject, ids, false, {}, {}, {}, true});
}

Result<void> Remembered::write(Sql& sql) {
  if (!store_.empty()) {
    for (const auto& [project, changes] : changes_) {
      if (auto done = writeProject(sql, project, changes); !done) return done;
    }
  }
  changes_.clear();
  return {};
}

Result<void> Remembered::writeProject(Sql& sql, std::int64_t id, const std::vector<Change>& changes) {
  const auto project = projectBy(sql, id);
  if (!project) return tl::make_unexpected(project.error());
  const auto mark = markOf(sql, id);
  if (!mark) return tl::make_unexpected(mark.error());
  const bool isWanting = !mark->isThere || journalSize(mark->file) < mark->bytes;
  if (isWanting || mark->bytes > 2 * mark->whole + slackBytes) return writeWhole(sql, *project, mark->file);
  std::string text;
  for (const Change& one : changes) {
    const bool isProject = one.level == Level::project && one.ids.empty();
    auto lines = !one.rename.empty()  ? Result<std::string>(one.rename)
                 : one.isPlaces       ? placeLines(sql, *project, one.ids, nowUs_)
                 : isProject          ? projectLine(*project, nowUs_)
                 : !one.moves.empty() ? moveLines(sql, one.moves, nowUs_)
                 : one.isMeta         ? metaLine(sql, one.level, one.ids.front(), one.user, nowUs_)
                                      : tagLines(sql, one.level, one.ids, nowUs_);
    if (!lines) return tl::make_unexpected(lines.error());
    text += *lines;
  }
  const auto end = appendJournal(mark->file, mark->bytes, text);
  if (!end) return tl::make_unexpected(end.error());
  written_.push_back({mark->file, mark->bytes, *end});
  return setBytes(sql, id, *end);
}

/// Where the journal of a project begins. One that was renamed keeps the folder of its old name.
Result<std::string> Remembered::newFolder(Sql& sql, const ProjectRecord& project) const {
  const auto known = sql.query("SELECT file FROM project_journal");
  if (!known) return tl::make_unexpected(known.error());
  std::string out = folderOf(project);
  for (int number = 2;; ++number) {
    const std::string journal = newestJournal(out);
    if (journal.empty()) return out;
    const bool isOther = std::any_of(known->begin(), known->end(),
                                     [&](const SqlRow& row) { return row.text(0).starts_with(out + "/"); });
    if (!isOther || !project.inPlace) {
      return fail(ErrorCode::invalidInput,
                  "a project of that name was there before: nora reindex takes it into the index again", out);
    }
    out = folderOf(project) + "-" + std::to_string(number);
  }
}

Result<void> Remembered::writeWhole(Sql& sql, const ProjectRecord& project, const std::string& known) {
  const auto folder = known.empty() ? newFolder(sql, project)
                                    : Result<std::string>(std::filesystem::path(known).parent_path().string());
  if (!folder) return tl::make_unexpected(folder.error());
  const std::string file = *folder + "/journal-" + std::to_string(numberOf(known) + 1) + ".jsonl";
  const auto lines = wholeJournal(sql, project, nowUs_);
  if (!lines) return tl::make_unexpected(lines.error());
  if (auto put = writeJournal(file, *lines); !put) return put;
  const auto size = static_cast<std::int64_t>(lines->size());
  written_.push_back({file, -1, size});
  if (!known.empty()) old_.push_back(known);
  if (auto gone = change(sql, "DELETE FROM project_journal WHERE project_id = ?", project.id); !gone) return gone;
  return sql.append("INSERT INTO project_journal (project_id, file, bytes, whole) VALUES (?, ?, ?, ?)",
                    {project.id, file, size, size});
}

void Remembered::committed() {
  written_.clear();
  std::error_code ignored;
  for (const std::string& file : old_) std::filesystem::remove(file, ignored);
  old_.clear();
}

void Remembered::takeBack() {
  for (auto at = written_.rbegin(); at != written_.rend(); ++at) {
    std::error_code ignored;
    if (at->start < 0)
      std::filesystem::remove(at->file, ignored);
    else
      takeBackJournal(at->file, at->start, at->end);
  }
  written_.clear();
  old_.clear();
  changes_.clear();
}

Result<void> Remembered::rebuild(Sql& sql, std::int64_t id) {
  const auto project = projectBy(sql, id);
  if (!project) return tl::make_unexpected(project.error());
  const auto mark = markOf(sql, id);
  if (!mark) return tl::make_unexpected(mark.error());
  const std::string file =
      mark->isThere && journalSize(mark->file) >= 0 ? mark->file : newestJournal(folderOf(*project));
  const auto lines = readJournal(file, 0);
  if (!lines)
    return fail(lines.error().code, "there is no journal to take the index from: " + lines.error().what, file);
  for (const auto& [level, table] : {std::pair{2, "subject"}, {3, "study"}, {4, "file"}}) {
    const std::string of = " WHERE level = " + std::to_string(level) + " AND item_id IN (SELECT id FROM " + table +
                           " WHERE project_id = ?)";
    for (const char* said : {"item_tag", "meta_key", "meta_history"}) {
      if (auto gone = change(sql, std::string("DELETE FROM ") + said + of, id); !gone) return gone;
    }
  }
  for (const char* said : {"item_tag", "meta_key", "meta_history"}) {
    if (auto gone = change(sql, std::string("DELETE FROM ") + said + " WHERE level = 1 AND item_id = ?", id); !gone)
      return gone;
  }
  if (auto gone = change(sql, "DELETE FROM file_part WHERE file_id IN (SELECT id FROM file WHERE project_id = ?)", id);
      !gone)
    return gone;
  for (const char* table : {"file", "dicom_header", "study", "subject", "project_journal"}) {
    if (auto gone = change(sql, std::string("DELETE FROM ") + table + " WHERE project_id = ?", id); !gone) return gone;
  }
  const std::string raised = "UPDATE project_scan SET dicom_changes = dicom_changes + 1 WHERE project_id = ?";
  if (auto done = change(sql, raised, id); !done) return done;
  auto plain = sql.change("UPDATE project SET meta = '{}' WHERE id = ?", {id});
  if (!plain) return tl::make_unexpected(plain.error());
  if (auto done = applyJournal(sql, *project, *lines, nowUs_); !done) return done;
  const auto size = static_cast<std::int64_t>(lines->size());
  return sql.append("INSERT INTO project_journal (project_id, file, bytes, whole) VALUES (?, ?, ?, ?)",
                    {id, file, size, size});
}

}  // namespace nora::archive_sql
