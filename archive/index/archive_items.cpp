// Projects, subjects and studies; the revision; renaming.
#include "archive/access/pseudonym.hpp"
#include "archive/access/secret.hpp"
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"
#include "archive/index/remembered.hpp"
#include "archive/search/fold.hpp"

#include <nlohmann/json.hpp>
#include "base/utf8.hpp"

#include <algorithm>

namespace nora {

using namespace archive_sql;

namespace {

bool isControl(unsigned char c) {
  return c < 0x20 || c == 0x7F;
}

/// Characters of UTF-8; none if it is not UTF-8.
std::optional<std::size_t> characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    const std::size_t size = utf8Length(text, i);
    if (size == 0) return std::nullopt;
    i += size;
  }
  return count;
}

}  // namespace

Result<void> checkItemName(std::string_view name, std::string_view what) {
  const auto wrong = [&](const std::string& why) {
    return fail(ErrorCode::invalidInput, "a name " + why, std::string(what));
  };
  const auto count = characters(name);
  if (!count) return wrong("must be UTF-8");
  if (*count == 0 || name.find_first_not_of(' ') == std::string_view::npos) return wrong("must not be empty");
  if (*count > longestKey) return wrong("has at most 190 characters");
  if (name.front() == '.') return wrong("must not begin with a dot");
  if (name.find('/') != std::string_view::npos) return wrong("must not contain /");
  if (std::any_of(name.begin(), name.end(), [](char c) { return isControl(static_cast<unsigned char>(c)); })) {
    return wrong("must not contain control characters");
  }
  return {};
}

Archive::Archive(Database& database, Now now) : database_(database), now_(clockOr(std::move(now))) {}

Result<std::int64_t> Archive::raise(Sql& sql) {
  auto raised = sql.change("UPDATE revision SET n = n + 1 WHERE id = 1");
  if (!raised) return tl::make_unexpected(raised.error());
  auto rows = sql.query("SELECT n FROM revision WHERE id = 1");
  if (!rows) return tl::make_unexpected(rows.error());
  return rows->front().integer(0);
}

Result<std::int64_t> Archive::revision() {
  std::int64_t out = 0;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    auto rows = sql.query("SELECT n FROM revision WHERE id = 1");
    if (!rows) return tl::make_unexpected(rows.error());
    out = rows->front().integer(0);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<ProjectRecord> Archive::addProject(const ProjectRecord& wanted) {
  return addProject(wanted, "");
}

Result<void> Archive::addLostProject(const ProjectRecord& wanted, const std::string& journal) {
  bool isThere = false;
  auto looked = database_.read([&](Sql& sql) -> Result<void> {
    auto rows = sql.query("SELECT id FROM project WHERE name = ?", {wanted.name});
    auto files = sql.query("SELECT project_id FROM project_journal WHERE file = ?", {journal});
    if (!rows || !files) return tl::make_unexpected(rows ? files.error() : rows.error());
    isThere = !rows->empty() || !files->empty();
    return {};
  });
  if (!looked || isThere) return looked;
  const auto made = addProject(wanted, journal);
  if (!made) return tl::make_unexpected(made.error());
  return {};
}

Result<ProjectRecord> Archive::addProject(const ProjectRecord& wanted, const std::string& journal) {
  if (auto right = checkItemName(wanted.name, "project"); !right) return tl::make_unexpected(right.error());
  ProjectRecord out = wanted;
  if (out.secret.empty()) out.secret = newSecret().text;
  if (out.secret.size() < shortestProjectSecret)
    return fail(ErrorCode::invalidInput, "the secret of a project has 16 bytes or more", "secret");
  auto done = writeRemembered([&](Sql& sql, Remembered& remembered) -> Result<void> {
    auto there = sql.query("SELECT id FROM project WHERE name = ?", {wanted.name});
    if (!there) return tl::make_unexpected(there.error());
    if (!there->empty()) return fail(ErrorCode::invalidInput, "there is a project of that name", "project");
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    out.changedUs = now_();
    out.createdUs = wanted.createdUs != 0 ? wanted.createdUs : out.changedUs;
    out.revision = *revision;
    auto made = sql.change(
        "INSERT INTO project (name, title, root, in_place, hide_identity, secret, settings, meta, created_us, "
        "changed_us, "
        "revision, name_fold, title_fold) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {out.name, out.title, out.root, std::int64_t{out.inPlace}, std::int64_t{out.hideIdentity}, out.secret,
         out.settings, out.meta, out.createdUs, out.changedUs, out.revision, foldText(out.name), foldText(out.title)});
    if (!made) return tl::make_unexpected(made.error());
    out.id = made->newId;
    auto unscanned = sql.append("INSERT INTO project_scan (project_id, report) VALUES (?, '{}')", {out.id});
    if (!unscanned) return unscanned;
    if (journal.empty())
      remembered.project(out.id);
    else if (auto known = remembered.known(sql, out.id, journal); !known)
      return known;
    MetaNames names;
    return addMetaKeys(sql, Level::project, out.id, out.meta, names);
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::vector<ProjectRecord>> Archive::projects() {
  return readAll(database_, "SELECT " + projectColumns + " FROM project ORDER BY name", {}, projectOf);
}

Result<void> Archive::changeProject(const ProjectRecord& project) {
  if (auto right = checkItemName(project.name, "project"); !right) return right;
  return writeRemembered([&](Sql& sql, Remembered& remembered) -> Result<void> {
    if (auto caught = remembered.catchUp(sql, project.id); !caught) return caught;
    remembered.project(project.id);
    auto there = sql.query("SELECT id FROM project WHERE name = ? AND id <> ?", {project.name, project.id});
    if (!there) return tl::make_unexpected(there.error());
    if (!there->empty()) return fail(ErrorCode::invalidInput, "there is a project of that name", "name");
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    auto done = sql.change(
        "UPDATE project SET name = ?, name_fold = ?, title = ?, title_fold = ?, hide_identity = ?, settings = ?, "
        "changed_us = ?, revision = ? WHERE id = ?",
        {project.name, foldText(project.name), project.title, foldText(project.title),
         std::int64_t{project.hideIdentity}, project.settings, now_(), *revision, project.id});
    if (!done) return tl::make_unexpected(done.error());
    if (done->rows == 0) return fail(ErrorCode::notFound, "there is no such project", "project");
    return {};
  });
}

Result<void> Archive::setSettings(std::int64_t projectId, std::string_view json) {
  if (!nlohmann::json::parse(json, nullptr, false).is_object())
    return fail(ErrorCode::invalidInput, "settings are a JSON object", "settings");
  return writeRemembered([&](Sql& sql, Remembered& remembered) -> Result<void> {
    if (auto done = remembered.catchUp(sql, projectId); !done) return done;
    remembered.project(projectId);
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    auto done = sql.change("UPDATE project SET settings = ?, changed_us = ?, revision = ? WHERE id = ?",
                           {std::string(json), now_(), *revision, projectId});
    if (!done) return tl::make_unexpected(done.error());
    if (done->rows == 0) return fail(ErrorCode::notFound, "there is no such project", "project");
    return {};
  });
}

Result<ProjectRecord> Archive::project(std::string_view name) {
  return readOne(database_, "SELECT " + projectColumns + " FROM project WHERE name = ?", {std::string(name)}, projectOf,
                 "project");
}

Result<ProjectRecord> Archive::project(std::int64_t id) {
  return readOne(database_, "SELECT " + projectColumns + " FROM project WHERE id = ?", {id}, projectOf, "project");
}

Result<SubjectRecord> Archive::subject(std::int64_t id) {
  return readOne(database_, "SELECT " + subjectColumns + " FROM subject WHERE id = ?", {id}, subjectOf, "subject");
}

Result<StudyRecord> Archive::study(std::int64_t id) {
  return readOne(database_, "SELECT " + studyColumns + " FROM study WHERE id = ?", {id}, studyOf, "study");
}

Result<FileRecord> Archive::file(std::int64_t id) {
  return readOne(database_, "SELECT " + fileColumns + " FROM file WHERE id = ?", {id}, fileOf, "file");
}

namespace {

/// What the journal says of a new name; the item has the old one still.
Result<void> rememberName(Sql& sql, Remembered& remembered, Level level, std::int64_t id, std::string_view name) {
  if (level == Level::project) {
    remembered.project(id);
    return remembered.catchUp(sql, id);
  }
  auto rows = level == Level::subject
                  ? sql.query("SELECT project_id, name, '' FROM subject WHERE id = ?", {id})
                  : sql.query(
                        "SELECT t.project_id, s.name, t.name FROM study t JOIN subject s ON s.id = t.subject_id "
                        "WHERE t.id = ?",
                        {id});
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return {};
  const SqlRow& row = rows->front();
  remembered.renamed(level, row.integer(0), row.text(1), row.text(2), std::string(name));
  return remembered.catchUp(sql, row.integer(0));
}

}  // namespace

Result<void> Archive::rename(Level level, std::int64_t id, std::string_view name) {
  if (auto right = checkItemName(name, toString(level)); !right) return right;
  if (level == Level::file) return fail(ErrorCode::unsupported, "files are renamed on the disk", "file");
  return writeRemembered([&](Sql& sql, Remembered& remembered) -> Result<void> {
    if (auto done = rememberName(sql, remembered, level, id, name); !done) return done;
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    const std::string table(tableOf(level));
    const std::string parent = level == Level::subject ? "project_id" : level == Level::study ? "subject_id" : "id";
    auto same = level == Level::project
                    ? sql.query("SELECT id FROM project WHERE name = ? AND id <> ?", {std::string(name), id})
                    : sql.query("SELECT id FROM " + table + " WHERE name = ? AND id <> ? AND " + parent +
                                    " = (SELECT " + parent + " FROM " + table + " WHERE id = ?)",
                                {std::string(name), id, id});
    if (!same) return tl::make_unexpected(same.error());
    if (!same->empty()) return fail(ErrorCode::invalidInput, "there is a " + table + " of that name", table);
    auto done =
        sql.change("UPDATE " + table + " SET name = ?, name_fold = ?, changed_us = ?, revision = ? WHERE id = ?",
                   {std::string(name), foldText(name), now_(), *revision, id});
    if (!done) return tl::make_unexpected(done.error());
    if (done->rows == 0) return fail(ErrorCode::notFound, "there is no such " + table, table);
    return {};
  });
}

}  // namespace nora
