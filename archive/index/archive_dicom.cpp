// Files of DICOM series: what their headers say, and the series that come of them.
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"
#include "archive/index/registration.hpp"
#include "archive/index/remembered.hpp"

#include <set>

namespace nora {

using namespace archive_sql;

Result<std::vector<std::string>> Archive::partsOf(const FileRecord& file) {
  if (file.series.empty()) return std::vector<std::string>{file.path};
  std::vector<std::string> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows = sql.query("SELECT path FROM file_part WHERE file_id = ? ORDER BY ordinal", {file.id});
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.push_back(row.text(0));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<FileRecord> Archive::imageOfSeries(std::int64_t projectId, std::string_view uid) {
  const std::string start = std::string(uid) + "#";
  const std::string end = std::string(uid) + "$";  // the character after #
  static const std::string text = "SELECT " + fileColumns +
                                  " FROM file WHERE project_id = ? AND series > ? AND series < ? AND state = 0 AND "
                                  "reason = '' ORDER BY instances DESC, id LIMIT 1";
  return readOne(database_, text, {projectId, start, end}, fileOf, "series");
}

Result<std::map<std::string, DicomFileRecord>> Archive::knownDicom(std::int64_t projectId) {
  std::map<std::string, DicomFileRecord> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows = sql.query("SELECT path, size, mtime_us FROM dicom_header WHERE project_id = ?", {projectId});
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out[row.text(0)] = {row.text(0), row.integer(1), row.integer(2), {}};
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<void> Archive::eachDicom(std::int64_t projectId, const std::function<void(DicomFileRecord)>& take) {
  constexpr std::int64_t atOnce = 2000;
  for (std::int64_t after = 0;;) {
    SqlRows rows;
    auto done = database_.read([&](Sql& sql) -> Result<void> {
      auto some = sql.query(
          "SELECT id, path, size, mtime_us, header FROM dicom_header WHERE project_id = ? AND id > ? ORDER BY id "
          "LIMIT ?",
          {projectId, after, atOnce});
      if (!some) return tl::make_unexpected(some.error());
      rows = std::move(*some);
      return {};
    });
    if (!done) return done;
    for (const SqlRow& row : rows) {
      after = row.integer(0);
      take({row.text(1), row.integer(2), row.integer(3), row.text(4)});
    }
    if (rows.size() < static_cast<std::size_t>(atOnce)) return {};
  }
}

namespace {

Result<void> forget(Sql& sql, std::int64_t project, std::span<const std::string> paths) {
  return inChunks(paths, [&](std::span<const std::string> some) -> Result<void> {
    std::vector<SqlValue> values{project};
    for (const std::string& path : some) values.emplace_back(hashOfPath(path));
    auto gone = sql.change("DELETE FROM dicom_header WHERE project_id = ? AND path_hash IN " + marks(some.size()),
                           std::span<const SqlValue>(values));
    if (!gone) return tl::make_unexpected(gone.error());
    return {};
  });
}

/// Marks the series of a project that are not among `there`. How many.
Result<std::int64_t> markOthers(Sql& sql, std::int64_t project,
                                const std::set<std::pair<std::string, std::string>>& there, std::int64_t nowUs,
                                std::int64_t revision) {
  auto rows =
      sql.query("SELECT id, path, series FROM file WHERE project_id = ? AND series > '' AND state <> 1", {project});
  if (!rows) return tl::make_unexpected(rows.error());
  std::int64_t out = 0;
  for (const SqlRow& row : *rows) {
    if (there.contains({row.text(1), row.text(2)})) continue;
    auto changed = sql.change("UPDATE file SET state = 1, changed_us = ?, revision = ? WHERE id = ?",
                              {nowUs, revision, row.integer(0)});
    if (!changed) return tl::make_unexpected(changed.error());
    ++out;
  }
  return out;
}

Result<std::int64_t> changesOf(Sql& sql, std::int64_t project) {
  auto rows = sql.query("SELECT dicom_changes FROM project_scan WHERE project_id = ?", {project});
  if (!rows) return tl::make_unexpected(rows.error());
  return rows->empty() ? std::int64_t{0} : rows->front().integer(0);
}

/// How often, before it was raised. Others who do the same wait.
Result<std::int64_t> raiseChanges(Sql& sql, std::int64_t project) {
  auto raised = sql.change("UPDATE project_scan SET dicom_changes = dicom_changes + 1 WHERE project_id = ?", {project});
  if (!raised) return tl::make_unexpected(raised.error());
  return changesOf(sql, project).map([](std::int64_t now) { return now - 1; });
}

}  // namespace

Result<std::int64_t> Archive::dicomChanges(std::int64_t projectId) {
  std::int64_t out = 0;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    const auto now = changesOf(sql, projectId);
    if (!now) return tl::make_unexpected(now.error());
    out = *now;
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<void> Archive::storeDicom(std::int64_t projectId, std::span<const DicomFileRecord> files, std::int64_t& seen) {
  std::int64_t before = 0;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    const auto was = raiseChanges(sql, projectId);
    if (!was) return tl::make_unexpected(was.error());
    before = *was;
    std::vector<std::string> paths;
    for (const DicomFileRecord& file : files) paths.push_back(file.path);
    if (auto gone = forget(sql, projectId, paths); !gone) return gone;
    for (const DicomFileRecord& file : files) {
      auto made = sql.append(
          "INSERT INTO dicom_header (project_id, path, path_hash, size, mtime_us, header, grouped) VALUES "
          "(?, ?, ?, ?, ?, ?, 0)",
          {projectId, file.path, hashOfPath(file.path), file.size, file.mtimeUs, file.header});
      if (!made) return made;
    }
    return {};
  });
  if (done && before == seen) ++seen;
  return done;
}

Result<std::int64_t> Archive::seriesCount(std::int64_t projectId) {
  return readOne<std::int64_t>(
      database_, "SELECT COUNT(*) FROM file WHERE project_id = ? AND series > '' AND state <> 1", {projectId},
      [](const SqlRow& row) { return row.integer(0); }, "project");
}

Result<bool> Archive::isDicomOpen(std::int64_t projectId) {
  bool out = false;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    auto rows = sql.query("SELECT 1 FROM dicom_header WHERE project_id = ? AND grouped = 0 LIMIT 1", {projectId});
    if (!rows) return tl::make_unexpected(rows.error());
    out = !rows->empty();
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::optional<Archive::Registered>> Archive::closeDicom(std::int64_t projectId,
                                                               std::span<const FoundFileRecord> series,
                                                               std::span<const std::string> gone, std::int64_t seen,
                                                               std::int64_t& vanished) {
  std::set<std::pair<std::string, std::string>> there;
  for (const FoundFileRecord& one : series) there.emplace(one.facts.path, one.facts.series);
  Registered out;
  std::int64_t marked = 0;
  bool isOld = false;
  auto done = writeRemembered([&](Sql& sql, Remembered& remembered) -> Result<void> {
    out = {};
    marked = 0;
    const auto was = gone.empty() ? changesOf(sql, projectId) : raiseChanges(sql, projectId);
    if (!was) return tl::make_unexpected(was.error());
    isOld = *was != seen;
    if (isOld) return fail(ErrorCode::unavailable, "another scan changed the files of these series meanwhile");
    const auto project =
        oneOf(sql.query("SELECT " + projectColumns + " FROM project WHERE id = ?", {projectId}), projectOf, "project");
    if (!project) return tl::make_unexpected(project.error());
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    auto others = markOthers(sql, projectId, there, now_(), *revision);
    if (!others) return tl::make_unexpected(others.error());
    marked = *others;
    auto taken = takeOver(sql, *project, series, now_(), *revision);
    if (!taken) return tl::make_unexpected(taken.error());
    out = *taken;
    if (!out.moves.empty()) remembered.moved(projectId, out.moves);
    if (!out.pseudonyms.empty()) remembered.subjects(projectId, out.pseudonyms);
    if (auto forgotten = forget(sql, projectId, gone); !forgotten) return forgotten;
    auto closed = sql.change("UPDATE dicom_header SET grouped = 1 WHERE project_id = ? AND grouped = 0", {projectId});
    if (!closed) return tl::make_unexpected(closed.error());
    return {};
  });
  if (!done && isOld) return std::nullopt;
  if (!done) return tl::make_unexpected(done.error());
  vanished += marked - out.moved;
  return out;
}

}  // namespace nora
