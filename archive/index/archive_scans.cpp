// What scans know of files beside their facts: hashes of contents, and how the last scan of a project ended.
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"

#include <nlohmann/json.hpp>

namespace nora {

using namespace archive_sql;

Result<std::set<std::int64_t>> Archive::hashedVanishedSizes(std::int64_t projectId) {
  std::set<std::int64_t> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows =
        sql.query("SELECT DISTINCT size FROM file WHERE project_id = ? AND state = 1 AND hash <> ''", {projectId});
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.insert(row.integer(0));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::vector<Archive::Unhashed>> Archive::unhashed(std::int64_t projectId, std::int64_t after, int most) {
  return readAll<Unhashed>(database_,
                           "SELECT id, size, mtime_us, path FROM file WHERE project_id = ? AND hash = '' AND state = 0 "
                           "AND series = '' AND kind <> 'folder' AND id > ? ORDER BY id LIMIT ?",
                           {projectId, after, std::int64_t{most}}, [](const SqlRow& row) {
                             return Unhashed{row.integer(0), row.integer(1), row.integer(2), row.text(3)};
                           });
}

Result<void> Archive::setHashes(std::int64_t projectId, std::span<const std::pair<Unhashed, std::string>> hashes) {
  return database_.write([&](Sql& sql) -> Result<void> {
    for (const auto& [file, hash] : hashes) {
      auto set = sql.change("UPDATE file SET hash = ? WHERE id = ? AND project_id = ? AND size = ? AND mtime_us = ?",
                            {hash, file.id, projectId, file.size, file.mtimeUs});
      if (!set) return tl::make_unexpected(set.error());
    }
    return {};
  });
}

Result<void> Archive::setTimes(std::int64_t projectId, std::span<const Unhashed> files) {
  return database_.write([&](Sql& sql) -> Result<void> {
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    for (const Unhashed& file : files) {
      auto set = sql.change("UPDATE file SET mtime_us = ?, revision = ? WHERE id = ? AND project_id = ? AND size = ?",
                            {file.mtimeUs, *revision, file.id, projectId, file.size});
      if (!set) return tl::make_unexpected(set.error());
    }
    return {};
  });
}

Result<void> Archive::noteScan(std::int64_t projectId, std::string_view report) {
  if (!nlohmann::json::parse(report, nullptr, false).is_object())
    return fail(ErrorCode::invalidInput, "a report is a JSON object", "report");
  return changeOne(database_, "UPDATE project_scan SET ended_us = ?, report = ? WHERE project_id = ?",
                   {now_(), std::string(report), projectId}, "project");
}

Result<std::map<std::int64_t, Archive::ScanNote>> Archive::scanNotes() {
  std::map<std::int64_t, ScanNote> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows = sql.query("SELECT project_id, ended_us, report FROM project_scan");
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out[row.integer(0)] = {row.integer(1), row.text(2)};
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

}  // namespace nora
