#include "archive/search/fold.hpp"
#include "archive/search/meta_keys.hpp"
#include "tests/archive/search_world.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora::test {
namespace {

void insert(std::vector<SqlText>& statements, const std::string& table,
            const std::map<std::string, SqlValue>& columns) {
  SqlText statement{"INSERT INTO " + table + " (", {}};
  std::string marks;
  for (const auto& [column, value] : columns) {
    statement.text += (marks.empty() ? "" : ", ") + column;
    // Nought is no id: the item lies in none of that level.
    const bool none = column.ends_with("_id") && value == SqlValue(std::int64_t{0});
    marks += std::string(marks.empty() ? "" : ", ") + (none ? "NULLIF(?, 0)" : "?");
    statement.parameters.push_back(value);
  }
  statement.text += ") VALUES (" + marks + ")";
  statements.push_back(std::move(statement));
}

void insertFileColumns(std::map<std::string, SqlValue>& row, const Item& item) {
  row["path"] = item.path;
  row["path_hash"] = std::to_string(item.id);
  row["reason"] = std::string();
  row["path_fold"] = foldText(item.path);
  row["kind"] = item.kind;
  row["format"] = item.format;
  row["format_fold"] = metaText(item.format);
  row["modality_fold"] = metaText(item.modality);
  row["sequence_fold"] = metaText(item.sequence);
  row["size"] = item.size;
  row["state"] = item.state;
  constexpr std::array axes{"x", "y", "z", "t"};
  for (std::size_t i = 0; i < 4; ++i) row[std::string("n") + axes.at(i)] = item.dims.at(i);
  for (std::size_t i = 0; i < 3; ++i) row[std::string("d") + axes.at(i)] = item.spacing.at(i);
}

void insertItem(std::vector<SqlText>& statements, Level level, const Item& item) {
  std::map<std::string, SqlValue> row{{"id", item.id},
                                      {"name_fold", foldText(item.name)},
                                      {"created_us", item.createdUs},
                                      {"changed_us", item.changedUs},
                                      {"meta", item.meta.dump()},
                                      {"revision", std::int64_t{1}}};
  // Names are unique in the index; the search looks at the folded one alone.
  row["name"] = item.name + " " + std::to_string(item.id);
  if (level > Level::project) row["project_id"] = item.parents[1];
  if (level > Level::subject) row["subject_id"] = item.parents[2];
  if (level > Level::study) row["study_id"] = item.parents[3];
  if (level == Level::project) {
    row["title_fold"] = foldText(item.title);
    row["in_place"] = std::int64_t{0};
    for (const char* column : {"title", "root", "settings"}) row[column] = std::string();
  }
  if (level == Level::subject) {
    row["pseudonym"] = item.pseudonym;
    row["pseudonym_fold"] = foldText(item.pseudonym);
  }
  if (level >= Level::study) row["date"] = item.date;
  if (level == Level::file) insertFileColumns(row, item);
  insert(statements, std::string(toString(level)), row);
}

class Names {
 public:
  Names(std::vector<SqlText>& statements, std::string table) : statements_(statements), table_(std::move(table)) {}
  std::int64_t id(const std::string& name) {
    auto& id = ids_[name];
    if (id != 0) return id;
    id = static_cast<std::int64_t>(ids_.size());
    std::map<std::string, SqlValue> row{{"id", id}, {"name", name}};
    if (table_ == "tag") row["name_fold"] = foldText(name);
    insert(statements_, table_, row);
    return id;
  }

 private:
  std::vector<SqlText>& statements_;
  std::string table_;
  std::map<std::string, std::int64_t> ids_;
};

void insertAttached(std::vector<SqlText>& statements, Level level, const Item& item, Names& tags, Names& metaNames) {
  const auto number = static_cast<std::int64_t>(level);
  for (const std::string& tag : item.tags) {
    insert(statements, "item_tag",
           {{"level", number}, {"item_id", item.id}, {"tag_id", tags.id(tag)}, {"project_id", item.parents[1]}});
  }
  for (const MetaKey& key : metaKeys(item.meta.dump())) {
    std::map<std::string, SqlValue> row{{"level", number},
                                        {"item_id", item.id},
                                        {"name_id", metaNames.id(key.name)},
                                        {"ordinal", std::int64_t{key.ordinal}},
                                        {"text", key.text}};
    if (key.number) row["number"] = *key.number;
    insert(statements, "meta_key", row);
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

TestDatabase::TestDatabase(Result<std::unique_ptr<Database>> opened) {
  EXPECT_TRUE(opened) << opened.error().what;
  if (opened) database_ = std::move(*opened);
}

void TestDatabase::execute(const std::vector<SqlText>& statements) {
  const auto done = database_->write([&](Sql& sql) -> Result<void> {
    for (const SqlText& statement : statements) {
      if (auto changed = sql.change(statement.text, statement.parameters); !changed) {
        return fail(changed.error().code, changed.error().what + "\n" + statement.text);
      }
    }
    return {};
  });
  EXPECT_TRUE(done) << done.error().what;
}

std::vector<std::int64_t> TestDatabase::numbers(const SqlText& statement) {
  std::vector<std::int64_t> found;
  const auto done = database_->read([&](Sql& sql) -> Result<void> {
    auto rows = sql.query(statement.text, statement.parameters);
    if (!rows) return tl::make_unexpected(rows.error());
    found.clear();
    for (const SqlRow& row : *rows) found.push_back(row.integer(0));
    return {};
  });
  EXPECT_TRUE(done) << done.error().what << "\n" << statement.text;
  return found;
}

void insertWorld(TestDatabase& database, const World& world) {
  std::vector<SqlText> statements;
  Names tags(statements, "tag");
  Names metaNames(statements, "meta_name");
  for (int i = 1; i <= 4; ++i) {
    const auto level = static_cast<Level>(i);
    for (const Item& item : world.of(level)) {
      insertItem(statements, level, item);
      insertAttached(statements, level, item, tags, metaNames);
    }
  }
  database.execute(statements);
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
