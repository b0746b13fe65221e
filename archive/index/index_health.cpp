#include "archive/index/index_health.hpp"

#include "archive/files/journal_file.hpp"

#include <array>

namespace nora {
namespace {

constexpr std::size_t mostProblems = 100;

struct Rule {
  std::string_view what, sql;  // the rows that break it
};

/// What the tables cannot promise by themselves. Levels: 1 project, 2 subject, 3 study, 4 file.
constexpr std::array rules{
    Rule{"tags of items that are not there",
         "SELECT COUNT(*) FROM item_tag x WHERE NOT EXISTS (SELECT 1 FROM tag t WHERE t.id = x.tag_id) OR (x.level = 1 "
         "AND "
         "NOT EXISTS (SELECT 1 FROM project i WHERE i.id = x.item_id)) OR (x.level = 2 AND NOT EXISTS (SELECT 1 FROM "
         "subject i WHERE i.id = x.item_id)) OR (x.level = 3 AND NOT EXISTS (SELECT 1 FROM study i WHERE i.id = "
         "x.item_id)) OR (x.level = 4 AND NOT EXISTS (SELECT 1 FROM file i WHERE i.id = x.item_id))"},
    Rule{"keys of metadata of items that are not there",
         "SELECT COUNT(*) FROM meta_key x WHERE NOT EXISTS (SELECT 1 FROM meta_name n WHERE n.id = x.name_id) OR "
         "(x.level = "
         "2 AND NOT EXISTS (SELECT 1 FROM subject i WHERE i.id = x.item_id)) OR (x.level = 3 AND NOT EXISTS (SELECT 1 "
         "FROM "
         "study i WHERE i.id = x.item_id)) OR (x.level = 4 AND NOT EXISTS (SELECT 1 FROM file i WHERE i.id = "
         "x.item_id))"},
    Rule{"history of items that are not there",
         "SELECT COUNT(*) FROM meta_history x WHERE (x.level = 2 AND NOT EXISTS (SELECT 1 FROM subject i WHERE i.id = "
         "x.item_id)) OR (x.level = 3 AND NOT EXISTS (SELECT 1 FROM study i WHERE i.id = x.item_id)) OR (x.level = 4 "
         "AND "
         "NOT EXISTS (SELECT 1 FROM file i WHERE i.id = x.item_id))"},
    Rule{"files of subjects or studies that are not there, or of another project",
         "SELECT COUNT(*) FROM file f WHERE (f.subject_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM subject s WHERE "
         "s.id = "
         "f.subject_id AND s.project_id = f.project_id)) OR (f.study_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
         "study s "
         "WHERE s.id = f.study_id AND s.subject_id = f.subject_id))"},
    Rule{"series without their files",
         "SELECT COUNT(*) FROM file f WHERE f.series > '' AND f.state = 0 AND NOT EXISTS (SELECT 1 FROM file_part p "
         "WHERE "
         "p.file_id = f.id)"},
    Rule{"changes that are newer than the index",
         "SELECT COUNT(*) FROM file WHERE revision > (SELECT n FROM revision WHERE id = 1)"}};

bool isSqlite(const Database& database) {
  return database.dialect() == SqlDialect::sqlite;
}

Result<SqlValue> one(Sql& sql, std::string_view text) {
  auto rows = sql.query(text);
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return fail(ErrorCode::internal, "the index does not answer");
  return rows->front()[0];
}

std::int64_t number(const SqlValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  const auto* real = std::get_if<double>(&value);
  return real != nullptr ? static_cast<std::int64_t>(*real) : 0;
}

Result<std::vector<std::string>> tablesOf(Sql& sql) {
  auto rows = sql.query(
      "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' "
      "ORDER BY table_name");
  if (!rows) return tl::make_unexpected(rows.error());
  std::vector<std::string> out;
  for (const SqlRow& row : *rows) out.push_back(row.text(0));
  return out;
}

/// What the database says of itself.
Result<void> checkPages(Sql& sql, bool sqlite, std::vector<std::string>& problems) {
  if (sqlite) {
    auto rows = sql.query("PRAGMA integrity_check(100)");
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) {
      if (row.text(0) != "ok") problems.push_back("the file is damaged: " + row.text(0));
    }
    auto keys = sql.query("PRAGMA foreign_key_check");
    if (!keys) return tl::make_unexpected(keys.error());
    for (const SqlRow& row : *keys)
      problems.push_back("a row of " + row.text(0) + " belongs to none of " + row.text(2));
    return {};
  }
  const auto tables = tablesOf(sql);
  if (!tables) return tl::make_unexpected(tables.error());
  for (const std::string& table : *tables) {
    auto rows = sql.query("CHECK TABLE `" + table + "`");
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) {
      const bool isFine = row.text(2) == "status" && row.text(3) == "OK";
      if (!isFine && row.text(2) != "note") problems.push_back("table " + table + ": " + row.text(3));
    }
  }
  return {};
}

}  // namespace

Result<IndexState> stateOf(Database& database) {
  IndexState out;
  auto done = database.read([&](Sql& sql) -> Result<void> {
    out = {};
    const bool sqlite = isSqlite(database);
    const auto begun = std::chrono::steady_clock::now();
    const auto schema = one(sql, "SELECT MAX(version) FROM schema_version");
    if (!schema) return tl::make_unexpected(schema.error());
    out.roundTrip = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
    out.schema = number(*schema);
    const auto version = one(sql, sqlite ? "SELECT 'SQLite ' || sqlite_version()" : "SELECT VERSION()");
    const auto bytes = one(sql, sqlite ? "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
                                       : "SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS SIGNED) FROM "
                                         "information_schema.tables WHERE table_schema = DATABASE()");
    if (!version || !bytes) return tl::make_unexpected(version ? bytes.error() : version.error());
    if (const auto* text = std::get_if<std::string>(&*version)) out.engine = *text;
    out.bytes = number(*bytes);
    auto rows = sql.query(
        "SELECT p.id, COALESCE(j.file, ''), COALESCE(j.bytes, 0) FROM project p LEFT JOIN project_journal j ON "
        "j.project_id = p.id ORDER BY p.id");
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.journals.push_back({row.integer(0), row.text(1), row.integer(2), -1});
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  for (JournalState& journal : out.journals) {
    if (!journal.file.empty()) journal.onDisk = journalSize(journal.file);
  }
  return out;
}

Result<std::vector<std::string>> checkIndex(Database& database) {
  std::vector<std::string> out;
  auto done = database.read([&](Sql& sql) -> Result<void> {
    out.clear();
    return checkPages(sql, isSqlite(database), out);
  });
  if (!done) return tl::make_unexpected(done.error());
  done = database.read([&](Sql& sql) -> Result<void> {
    for (const Rule& rule : rules) {
      const auto broken = one(sql, rule.sql);
      if (!broken) return tl::make_unexpected(broken.error());
      if (number(*broken) > 0) out.push_back(std::to_string(number(*broken)) + " " + std::string(rule.what));
    }
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  if (out.size() > mostProblems) out.resize(mostProblems);
  return out;
}

}  // namespace nora
