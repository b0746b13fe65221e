#include "archive/search/fold.hpp"
#include "archive/search/meta_keys.hpp"
#include "tests/archive/search_world.hpp"

#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora::test {
namespace {

using Parameters = std::vector<SqlParameter>;

/// The columns of 0001 that the search looks at.
constexpr std::array baseTables{
    "CREATE TABLE project (id @ID@, name @TEXT@, title @TEXT@, created_us BIGINT, changed_us BIGINT);",
    "CREATE TABLE subject (id @ID@, project_id BIGINT NOT NULL, name @TEXT@, pseudonym @TEXT@, created_us BIGINT, "
    "changed_us BIGINT);",
    "CREATE TABLE study (id @ID@, project_id BIGINT NOT NULL, subject_id BIGINT, name @TEXT@, date @KEY@, created_us "
    "BIGINT, changed_us BIGINT);",
    "CREATE TABLE file (id @ID@, project_id BIGINT NOT NULL, subject_id BIGINT, study_id BIGINT, path @TEXT@, kind "
    "@KEY@, format @KEY@, size BIGINT, state INTEGER, nx INTEGER, ny INTEGER, nz INTEGER, nt INTEGER, dx @REAL@, dy "
    "@REAL@, dz @REAL@, date @KEY@, created_us BIGINT, changed_us BIGINT);",
    "CREATE INDEX file_project ON file (project_id);",
    "CREATE INDEX file_subject ON file (subject_id);",
    "CREATE INDEX file_study ON file (study_id);",
    "CREATE TABLE tag (id @ID@, name @TEXT@);",
    "CREATE TABLE item_tag (level INTEGER NOT NULL, item_id BIGINT NOT NULL, tag_id BIGINT NOT NULL, PRIMARY KEY "
    "(level, item_id, tag_id));",
};

std::string forDialect(std::string text, SqlDialect dialect) {
  const bool lite = dialect == SqlDialect::sqlite;
  const std::string plain = " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin";
  const std::map<std::string, std::string> tokens{
      {"@ID@", lite ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGINT PRIMARY KEY AUTO_INCREMENT"},
      {"@TEXT@", lite ? "TEXT" : "TEXT" + plain},
      {"@KEY@", lite ? "TEXT" : "VARCHAR(190)" + plain},
      {"@REAL@", lite ? "REAL" : "DOUBLE"},
      {"@WITHOUT_ROWID@", lite ? "WITHOUT ROWID" : ""}};
  for (const auto& [token, meaning] : tokens) {
    for (auto at = text.find(token); at != std::string::npos; at = text.find(token)) {
      text.replace(at, token.size(), meaning);
    }
  }
  return text;
}

/// Statements of a schema file, without comments and what is for the other database.
std::vector<std::string> statementsOf(const std::string& path, SqlDialect dialect) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::vector<std::string> statements(1);
  bool skipped = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "-- @SQLITE") skipped = dialect != SqlDialect::sqlite;
    if (line == "-- @END") skipped = false;
    if (skipped || line.empty() || line.starts_with("--")) continue;
    statements.back() += line + "\n";
    if (line.ends_with(';')) statements.emplace_back();
  }
  statements.pop_back();
  return statements;
}

void insert(TestDatabase& database, const std::string& table, const std::map<std::string, SqlParameter>& columns) {
  SqlText statement{"INSERT INTO " + table + " (", {}};
  std::string marks;
  for (const auto& [column, value] : columns) {
    statement.text += (marks.empty() ? "" : ", ") + column;
    // Nought is no id: the item lies in none of that level.
    const bool none = column.ends_with("_id") && value == SqlParameter(std::int64_t{0});
    marks += std::string(marks.empty() ? "" : ", ") + (none ? "NULLIF(?, 0)" : "?");
    statement.parameters.push_back(value);
  }
  statement.text += ") VALUES (" + marks + ")";
  database.execute(statement);
}

void insertFileColumns(std::map<std::string, SqlParameter>& row, const Item& item) {
  row["path"] = item.path;
  row["path_fold"] = foldText(item.path);
  row["kind"] = item.kind;
  row["format"] = item.format;
  row["modality_fold"] = metaText(item.modality);
  row["sequence_fold"] = metaText(item.sequence);
  row["size"] = item.size;
  row["state"] = item.state;
  constexpr std::array axes{"x", "y", "z", "t"};
  for (std::size_t i = 0; i < 4; ++i) row[std::string("n") + axes.at(i)] = item.dims.at(i);
  for (std::size_t i = 0; i < 3; ++i) row[std::string("d") + axes.at(i)] = item.spacing.at(i);
}

void insertItem(TestDatabase& database, Level level, const Item& item) {
  std::map<std::string, SqlParameter> row{{"id", item.id},
                                          {"name_fold", foldText(item.name)},
                                          {"created_us", item.createdUs},
                                          {"changed_us", item.changedUs}};
  if (level != Level::file) row["name"] = item.name;
  if (level > Level::project) row["project_id"] = item.parents[1];
  if (level > Level::subject) row["subject_id"] = item.parents[2];
  if (level > Level::study) row["study_id"] = item.parents[3];
  if (level == Level::project) row["title_fold"] = foldText(item.title);
  if (level == Level::subject) row["pseudonym_fold"] = foldText(item.pseudonym);
  if (level >= Level::study) row["date"] = item.date;
  if (level == Level::file) insertFileColumns(row, item);
  insert(database, std::string(toString(level)), row);
}

class Names {
 public:
  Names(TestDatabase& database, std::string table) : database_(database), table_(std::move(table)) {}
  std::int64_t id(const std::string& name) {
    auto& id = ids_[name];
    if (id != 0) return id;
    id = static_cast<std::int64_t>(ids_.size());
    std::map<std::string, SqlParameter> row{{"id", id}, {"name", name}};
    if (table_ == "tag") row["name_fold"] = foldText(name);
    insert(database_, table_, row);
    return id;
  }

 private:
  TestDatabase& database_;
  std::string table_;
  std::map<std::string, std::int64_t> ids_;
};

void insertAttached(TestDatabase& database, Level level, const Item& item, Names& tags, Names& metaNames) {
  const auto number = static_cast<std::int64_t>(level);
  for (const std::string& tag : item.tags) {
    insert(database, "item_tag", {{"level", number}, {"item_id", item.id}, {"tag_id", tags.id(tag)}});
  }
  for (const MetaKey& key : metaKeys(item.meta.dump())) {
    std::map<std::string, SqlParameter> row{{"level", number},
                                            {"item_id", item.id},
                                            {"name_id", metaNames.id(key.name)},
                                            {"ordinal", std::int64_t{key.ordinal}},
                                            {"text", key.text}};
    if (key.number) row["number"] = *key.number;
    insert(database, "meta_key", row);
  }
}

std::vector<std::int64_t> idsFound(TestDatabase& database, Level level, const SqlText& where) {
  return database.numbers(
      {"SELECT item.id FROM " + std::string(toString(level)) + " AS item WHERE " + where.text + " ORDER BY item.id",
       where.parameters});
}

void compareSearch(TestDatabase& database, const World& world, const std::string& text, Level level,
                   const SearchScope& scope) {
  const auto query = parseQuery(text);
  ASSERT_TRUE(query) << text << ": " << query.error().what;
  const auto sql = toSql(*query, level, scope, database.dialect());
  const auto wanted = expectedIds(world, *query, level, scope);
  const std::string what = text + "\nat level " + std::string(toString(level)) + "\n";
  EXPECT_EQ(idsFound(database, level, sql.where), wanted) << what << sql.where.text;
  EXPECT_EQ(idsFound(database, level, inOrder(sql)), wanted) << what << inOrder(sql).text;
  for (const SqlText& candidate : sql.candidates) {
    EXPECT_EQ(idsFound(database, level, narrowed(sql, candidate)), wanted) << what << "by " << candidate.text;
    const auto counted = database.numbers(countCandidates(candidate));
    EXPECT_THAT(counted, testing::ElementsAre(testing::Ge(static_cast<std::int64_t>(wanted.size())))) << what;
  }
}

}  // namespace

void createTables(TestDatabase& database) {
  for (const char* table : baseTables) database.execute({forDialect(table, database.dialect()), {}});
  const std::string file = NORA_SOURCE_DIR "/archive/index/schema/0002_search.sql";
  for (const std::string& statement : statementsOf(file, database.dialect())) {
    database.execute({forDialect(statement, database.dialect()), {}});
  }
}

void insertWorld(TestDatabase& database, const World& world) {
  Names tags(database, "tag");
  Names metaNames(database, "meta_name");
  for (int i = 1; i <= 4; ++i) {
    const auto level = static_cast<Level>(i);
    for (const Item& item : world.of(level)) {
      insertItem(database, level, item);
      insertAttached(database, level, item, tags, metaNames);
    }
  }
}

void compareSearches(TestDatabase& database, const World& world, Random& random, int count) {
  for (int i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    const std::string text = randomSearch(random);
    const SearchScope scope = randomScope(world, random);
    for (int level = 1; level <= 4; ++level) {
      compareSearch(database, world, text, static_cast<Level>(level), scope);
    }
  }
}

}  // namespace nora::test
