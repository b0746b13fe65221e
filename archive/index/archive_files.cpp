// Files: taking over what was found on the disk, and what is gone from it.
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"
#include "archive/index/registration.hpp"
#include "archive/index/remembered.hpp"

#include <nlohmann/json.hpp>

namespace nora {

using namespace archive_sql;

namespace {

constexpr std::size_t longestPath = 4096;

Result<void> checkFacts(const FileFacts& facts) {
  const auto wrong = [&](const std::string& what) { return fail(ErrorCode::invalidInput, what, facts.path); };
  if (facts.path.empty() || facts.path.size() > longestPath) return wrong("a path has 1 to 4096 bytes");
  if (facts.path.front() == '/' || facts.path.back() == '/') return wrong("a path is relative to the project's folder");
  if (facts.path.find('\0') != std::string::npos) return wrong("a path has no zero bytes");
  if (facts.size < 0 || facts.instances < 1) return wrong("a size is not negative");
  const auto meta = nlohmann::json::parse(facts.sidecar, nullptr, false);
  if (!meta.is_object()) return wrong("metadata is a JSON object");
  if (facts.series.size() > longestKey) return wrong("the UID of the series is too long");
  return {};
}

}  // namespace

Result<Archive::Registered> Archive::registerFiles(std::int64_t projectId, std::span<const FoundFileRecord> files) {
  for (const FoundFileRecord& found : files) {
    if (auto right = checkFacts(found.facts); !right) return tl::make_unexpected(right.error());
  }
  Registered out;
  if (files.empty()) return out;
  auto done = writeRemembered([&](Sql& sql, Remembered& remembered) -> Result<void> {
    const auto project =
        oneOf(sql.query("SELECT " + projectColumns + " FROM project WHERE id = ?", {projectId}), projectOf, "project");
    if (!project) return tl::make_unexpected(project.error());
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    auto taken = takeOver(sql, *project, files, now_(), *revision);
    if (!taken) return tl::make_unexpected(taken.error());
    out = *taken;
    if (!out.moves.empty()) remembered.moved(projectId, out.moves);
    if (!out.pseudonyms.empty()) remembered.subjects(projectId, out.pseudonyms);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<FileRecord> Archive::file(std::int64_t projectId, std::string_view path, std::string_view series) {
  Result<FileRecord> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out = oneOf(sql.query("SELECT " + fileColumns + " FROM file WHERE project_id = ? AND path_hash = ?",
                          {projectId, hashOfPath(std::string(path), std::string(series))}),
                fileOf, "file");
    if (!out) return tl::make_unexpected(out.error());
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::map<std::string, Archive::Known>> Archive::knownFiles(std::int64_t projectId) {
  std::map<std::string, Known> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    constexpr std::int64_t atOnce = 20'000;
    for (std::int64_t after = 0;;) {
      auto rows = sql.query(
          "SELECT id, path, size, mtime_us, state, hash FROM file WHERE project_id = ? AND series = '' AND id > ? "
          "ORDER "
          "BY id LIMIT ?",
          {projectId, after, atOnce});
      if (!rows) return tl::make_unexpected(rows.error());
      for (const SqlRow& row : *rows) {
        after = row.integer(0);
        const auto state = static_cast<FileState>(row.integer(4));
        if (state != FileState::vanished)
          out[row.text(1)] = {after, row.integer(2), row.integer(3), state, row.text(5)};
      }
      if (rows->size() < static_cast<std::size_t>(atOnce)) return {};
    }
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::int64_t> Archive::markVanished(std::span<const std::int64_t> ids) {
  std::int64_t out = 0;
  if (ids.empty()) return out;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    out = 0;
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    return inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
      std::vector<SqlValue> values{now_(), *revision};
      for (const SqlValue& id : valuesOf(some)) values.push_back(id);
      auto changed = sql.change(
          "UPDATE file SET state = 1, changed_us = ?, revision = ? WHERE state <> 1 AND id IN " + marks(some.size()),
          std::span<const SqlValue>(values));
      if (!changed) return tl::make_unexpected(changed.error());
      out += changed->rows;
      return {};
    });
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

}  // namespace nora
