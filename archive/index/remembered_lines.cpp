// What journals say of items: one JSON object a line, readable without nora.
#include "archive/access/pseudonym.hpp"
#include "archive/index/archive_sql.hpp"
#include "archive/index/remembered.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace nora::archive_sql {
namespace {

using Json = nlohmann::json;

Json parsed(const std::string& text) {
  auto json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

std::string lineOf(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string placeColumns(Level level) {
  switch (level) {
    case Level::project: return "SELECT i.id, '', '', i.meta FROM project i WHERE i.id IN ";
    case Level::subject: return "SELECT i.id, i.name, '', i.meta FROM subject i WHERE i.id IN ";
    case Level::study:
      return "SELECT i.id, s.name, i.name, i.meta FROM study i JOIN subject s ON s.id = i.subject_id WHERE i.id IN ";
    default: break;
  }
  return "SELECT i.id, s.name, t.name, i.meta, i.path, i.series, i.name, i.size, i.mtime_us, i.hash, i.sidecar FROM "
         "file "
         "i LEFT JOIN subject s ON s.id = i.subject_id LEFT JOIN study t ON t.id = i.study_id WHERE i.id IN ";
}

/// Which item it is, as people and the next index know it; ids are not the same there.
Json placeOf(Level level, const SqlRow& row, std::int64_t atUs) {
  Json out = {{"at", atUs}, {"level", toString(level)}};
  if (const std::string subject = row.text(1); !subject.empty()) out["subject"] = subject;
  if (const std::string study = row.text(2); !study.empty()) out["study"] = study;
  if (level != Level::file) return out;
  out["path"] = row.text(4);
  if (const std::string series = row.text(5); !series.empty()) {
    out["series"] = series;
    out["label"] = row.text(6);
  }
  out["size"] = row.integer(7);
  out["mtimeUs"] = row.integer(8);
  if (const std::string hash = row.text(9); !hash.empty()) out["hash"] = hash;
  return out;
}

/// Calls `take` with a row for each item.
Result<void> eachItem(Sql& sql, Level level, std::span<const std::int64_t> ids,
                      const std::function<void(const SqlRow&)>& take) {
  return inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
    const auto values = valuesOf(some);
    auto rows = sql.query(placeColumns(level) + marks(some.size()), std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) take(row);
    return {};
  });
}

Json metaOf(Level level, const SqlRow& row, std::int64_t atUs, const std::string& user, const std::string& meta) {
  Json out = placeOf(level, row, atUs);
  out["user"] = user;
  out["meta"] = parsed(meta);
  if (level == Level::file && row.text(10) != "{}") out["sidecar"] = parsed(row.text(10));
  return out;
}

/// The history of an item, oldest first, then what it is now if that is something else.
Result<std::string> historyLines(Sql& sql, Level level, const SqlRow& row, std::int64_t atUs) {
  std::string out;
  std::string last = level == Level::file ? row.text(10) : "{}";
  auto rows =
      sql.query("SELECT at_us, user_name, after_json FROM meta_history WHERE level = ? AND item_id = ? ORDER BY id",
                {static_cast<std::int64_t>(level), row.integer(0)});
  if (!rows) return tl::make_unexpected(rows.error());
  for (const SqlRow& was : *rows) {
    last = was.text(2);
    out += lineOf(metaOf(level, row, was.integer(0), was.text(1), last));
  }
  if (row.text(3) != last) out += lineOf(metaOf(level, row, atUs, "", row.text(3)));
  return out;
}

/// Ids of items of which somebody said something.
Result<std::vector<std::int64_t>> spokenOf(Sql& sql, Level level, std::int64_t project) {
  const std::string table(tableOf(level)), number = std::to_string(static_cast<int>(level));
  const std::string of = level == Level::project ? "i.id = ?" : "i.project_id = ?";
  const std::string changed = level == Level::file ? "i.meta <> i.sidecar" : "i.meta <> '{}'";
  auto rows = sql.query("SELECT i.id FROM " + table + " i WHERE " + of + " AND (" + changed +
                            " OR EXISTS (SELECT 1 FROM item_tag x WHERE x.level = " + number +
                            " AND x.item_id = i.id) OR EXISTS (SELECT 1 FROM meta_history h WHERE h.level = " + number +
                            " AND h.item_id = i.id)) ORDER BY i.id",
                        {project});
  if (!rows) return tl::make_unexpected(rows.error());
  std::vector<std::int64_t> out;
  for (const SqlRow& row : *rows) out.push_back(row.integer(0));
  return out;
}

}  // namespace

Result<std::string> projectLine(const ProjectRecord& project, std::int64_t atUs) {
  return lineOf({{"at", atUs},
                 {"project",
                  {{"name", project.name},
                   {"title", project.title},
                   {"root", project.root},
                   {"inPlace", project.inPlace},
                   {"hideIdentity", project.hideIdentity},
                   {"secret", project.secret},
                   {"settings", parsed(project.settings)},
                   {"createdUs", project.createdUs}}}});
}

Result<std::string> tagLines(Sql& sql, Level level, std::span<const std::int64_t> ids, std::int64_t atUs) {
  std::map<std::int64_t, Json> lines;
  auto done = eachItem(sql, level, ids, [&](const SqlRow& row) {
    lines[row.integer(0)] = placeOf(level, row, atUs);
    lines[row.integer(0)]["tags"] = Json::array();
  });
  if (!done) return tl::make_unexpected(done.error());
  done = inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
    std::vector<SqlValue> values{static_cast<std::int64_t>(level)};
    for (const std::int64_t id : some) values.emplace_back(id);
    auto rows = sql.query(
        "SELECT x.item_id, t.name FROM item_tag x JOIN tag t ON t.id = x.tag_id WHERE x.level = ? AND x.item_id IN " +
            marks(some.size()) + " ORDER BY t.name",
        std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) lines[row.integer(0)]["tags"].push_back(row.text(1));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  std::string out;
  for (const auto& [id, line] : lines) out += lineOf(line);
  return out;
}

Result<std::string> metaLine(Sql& sql, Level level, std::int64_t id, const std::string& user, std::int64_t atUs) {
  std::string out;
  auto done = eachItem(sql, level, std::span(&id, 1),
                       [&](const SqlRow& row) { out += lineOf(metaOf(level, row, atUs, user, row.text(3))); });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::string> itemLines(Sql& sql, Level level, std::span<const std::int64_t> ids, std::int64_t atUs) {
  std::vector<SqlRow> rows;
  if (auto done = eachItem(sql, level, ids, [&](const SqlRow& row) { rows.push_back(row); }); !done)
    return tl::make_unexpected(done.error());
  std::string out;
  for (const SqlRow& row : rows) {
    const auto lines = historyLines(sql, level, row, atUs);
    if (!lines) return lines;
    out += *lines;
  }
  const auto tags = tagLines(sql, level, ids, atUs);
  if (!tags) return tags;
  return out + *tags;
}

Result<std::string> moveLines(Sql& sql, std::span<const Archive::Move> moves, std::int64_t atUs) {
  std::string out;
  for (const Archive::Move& move : moves) {
    auto rows = sql.query(
        "SELECT path, series FROM file i WHERE id = ? AND (meta <> sidecar OR EXISTS (SELECT 1 FROM item_tag x WHERE "
        "x.level = 4 AND x.item_id = i.id) OR EXISTS (SELECT 1 FROM meta_history h WHERE h.level = 4 AND h.item_id = "
        "i.id))",
        {move.id});
    if (!rows) return tl::make_unexpected(rows.error());
    if (rows->empty()) continue;
    out += lineOf({{"at", atUs},
                   {"level", "file"},
                   {"path", move.path},
                   {"series", move.series},
                   {"movedTo", {{"path", rows->front().text(0)}, {"series", rows->front().text(1)}}}});
  }
  return out;
}

Result<std::string> placeLines(Sql& sql, const ProjectRecord& project, std::span<const std::int64_t> ids,
                               std::int64_t atUs) {
  std::string out;
  auto subjects =
      sql.query("SELECT id, name, found_as, pseudonym FROM subject WHERE project_id = ? ORDER BY id", {project.id});
  if (!subjects) return tl::make_unexpected(subjects.error());
  for (const SqlRow& row : *subjects) {
    if (!ids.empty() && std::find(ids.begin(), ids.end(), row.integer(0)) == ids.end()) continue;
    const bool isFirst = row.text(3) == pseudonym(project.secret, row.text(2), 0);
    if (isFirst && row.text(1) == row.text(2)) continue;
    Json line = {{"at", atUs}, {"level", "subject"}, {"foundAs", row.text(2)}, {"name", row.text(1)}};
    if (!isFirst) line["pseudonym"] = row.text(3);
    out += lineOf(line);
  }
  if (!ids.empty()) return out;
  auto studies = sql.query(
      "SELECT s.name, t.name, t.found_as FROM study t JOIN subject s ON s.id = t.subject_id WHERE t.project_id = ? AND "
      "t.name <> t.found_as ORDER BY t.id",
      {project.id});
  if (!studies) return tl::make_unexpected(studies.error());
  for (const SqlRow& row : *studies)
    out += lineOf(
        {{"at", atUs}, {"level", "study"}, {"subject", row.text(0)}, {"foundAs", row.text(2)}, {"name", row.text(1)}});
  return out;
}

Result<std::string> wholeJournal(Sql& sql, const ProjectRecord& project, std::int64_t atUs) {
  auto out = projectLine(project, atUs);
  const auto places = placeLines(sql, project, {}, atUs);
  if (!places) return places;
  *out += *places;
  for (const Level level : {Level::project, Level::subject, Level::study, Level::file}) {
    const auto ids = spokenOf(sql, level, project.id);
    if (!ids) return tl::make_unexpected(ids.error());
    const auto lines = itemLines(sql, level, *ids, atUs);
    if (!lines) return lines;
    *out += *lines;
  }
  return out;
}

}  // namespace nora::archive_sql
