#include "archive/index/database.hpp"
#include "archive/index/migration.hpp"
#include "tests/archive/fresh_database.hpp"

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

using test::freshAddress;
using test::whyNoDatabase;

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
    address = freshAddress();
    auto opened = open(address);
    ASSERT_TRUE(opened) << describe(opened.error());
    database = std::move(*opened);
  }
  static Result<std::unique_ptr<Database>> open(const DatabaseAddress& where) {
    return where.dialect == SqlDialect::sqlite ? openSqlite(where.file) : openMysql(where);
  }
  Result<void> apply(const std::string& text, std::initializer_list<SqlValue> values = {}) {
    const std::vector<SqlValue> list(values);
    return database->write([&](Sql& sql) -> Result<void> {
      auto done = sql.change(text, std::span<const SqlValue>(list));
      if (!done) return tl::make_unexpected(done.error());
      return {};
    });
  }
  SqlRows ask(const std::string& text) {
    SqlRows out;
    auto done = database->read([&](Sql& sql) -> Result<void> {
      auto rows = sql.query(text);
      if (!rows) return tl::make_unexpected(rows.error());
      out = *rows;
      return {};
    });
    EXPECT_TRUE(done) << describe(done.error());
    return out;
  }
  void makeTable() {
    const auto statements =
        statementsFor("CREATE TABLE t (id @ID@, n BIGINT, r @REAL@, s @TEXT@) @TABLE@;", database->dialect());
    ASSERT_TRUE(apply(statements.front()));
  }

  DatabaseAddress address;
  std::unique_ptr<Database> database;
};

TEST_F(DatabaseTest, WhatIsStoredTogetherIsStoredAsOneOrNotAtAll) {
  makeTable();
  bool told = false;
  const auto add = [&](std::int64_t n) { return apply("INSERT INTO t (n) VALUES (?)", {n}); };
  const auto both = database->together([&]() -> Result<void> {
    if (auto first = add(1); !first) return first;
    EXPECT_EQ(ask("SELECT n FROM t").size(), 1U);  // it sees what it has written itself
    return database->write([&](Sql& sql) -> Result<void> {
      database->whenStored([&] { told = true; });
      auto done = sql.change("INSERT INTO t (n) VALUES (?)", {std::int64_t{2}});
      EXPECT_FALSE(told);
      return done ? Result<void>() : tl::make_unexpected(done.error());
    });
  });
  ASSERT_TRUE(both) << describe(both.error());
  EXPECT_TRUE(told);
  EXPECT_EQ(ask("SELECT n FROM t").size(), 2U);

  told = false;
  const auto refused = database->together([&]() -> Result<void> {
    if (auto third = add(3); !third) return third;
    return database->write([&](Sql&) -> Result<void> {
      database->whenStored([&] { told = true; });
      return fail(ErrorCode::invalidInput, "no");
    });
  });
  EXPECT_FALSE(refused);
  const auto goesOn = database->together([&]() -> Result<void> {
    if (auto fourth = add(4); !fourth) return fourth;
    (void)database->write([](Sql&) -> Result<void> { return fail(ErrorCode::invalidInput, "no"); });
    return {};
  });
  EXPECT_FALSE(goesOn);
  EXPECT_FALSE(told);
  EXPECT_EQ(ask("SELECT n FROM t").size(), 2U);
}

TEST_F(DatabaseTest, ValuesComeBackAsTheyWere) {
  makeTable();
  const std::string zero("a\0b", 3);
  const std::vector<SqlValue> texts{std::string(), std::string("'\"\\%_;--"),
                                    std::string("Grüße 日本 \xF0\x9F\xA7\xA0"), std::string("trail  "),
                                    std::string(3'000'000, 'x')};
  for (const SqlValue& text : texts) {
    ASSERT_TRUE(
        apply("INSERT INTO t (n, r, s) VALUES (?, ?, ?)", {std::numeric_limits<std::int64_t>::min(), 0.1, text}));
    const auto rows = ask("SELECT n, r, s FROM t ORDER BY id DESC LIMIT 1");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].integer(0), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(rows[0].real(1), 0.1);
    EXPECT_EQ(rows[0].text(2), std::get<std::string>(text));
  }
  ASSERT_TRUE(apply("INSERT INTO t (n, r, s) VALUES (?, ?, ?)", {SqlValue(), SqlValue(), SqlValue()}));
  const auto rows = ask("SELECT n, r, s, COUNT(*) FROM t WHERE n IS NULL GROUP BY n, r, s");
  EXPECT_TRUE(rows.at(0).isNull(0) && rows[0].isNull(1) && rows[0].isNull(2));
  EXPECT_EQ(rows[0].integer(3), 1);
}

TEST_F(DatabaseTest, AnErrorTakesEverythingBack) {
  makeTable();
  const auto failed = database->write([](Sql& sql) -> Result<void> {
    auto one = sql.change("INSERT INTO t (n) VALUES (1)");
    EXPECT_TRUE(one);
    return fail(ErrorCode::invalidInput, "on purpose");
  });
  EXPECT_EQ(failed.error().what, "on purpose");
  EXPECT_EQ(ask("SELECT COUNT(*) FROM t")[0].integer(0), 0);
  EXPECT_THROW(static_cast<void>(database->write([](Sql& sql) -> Result<void> {
                 EXPECT_TRUE(sql.change("INSERT INTO t (n) VALUES (1)"));
                 throw std::runtime_error("on purpose");
               })),
               std::runtime_error);
  EXPECT_EQ(ask("SELECT COUNT(*) FROM t")[0].integer(0), 0);
}

TEST_F(DatabaseTest, NewIdsAreToldAndNeverUsedTwice) {
  makeTable();
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(database->write([&](Sql& sql) -> Result<void> {
      const auto made = sql.change("INSERT INTO t (n) VALUES (1)");
      if (!made) return tl::make_unexpected(made.error());
      ids.push_back(made->newId);
      return {};
    }));
    const auto gone = database->write([](Sql& sql) -> Result<void> {
      const auto done = sql.change("DELETE FROM t");
      EXPECT_EQ(done->rows, 1);
      return {};
    });
    EXPECT_TRUE(gone);
  }
  EXPECT_GT(ids.at(1), ids.at(0));
}

TEST_F(DatabaseTest, RowsThatAreFoundCountWhetherTheyChangeOrNot) {
  makeTable();
  ASSERT_TRUE(apply("INSERT INTO t (n) VALUES (1)"));
  ASSERT_TRUE(database->write([](Sql& sql) -> Result<void> {
    EXPECT_EQ(sql.change("UPDATE t SET n = 1")->rows, 1);
    EXPECT_EQ(sql.change("UPDATE t SET n = 1 WHERE n = 2")->rows, 0);
    return {};
  }));
}

TEST_F(DatabaseTest, AReadingSeesOneState) {
  makeTable();
  ASSERT_TRUE(apply("INSERT INTO t (n) VALUES (1)"));
  std::vector<std::int64_t> seen;
  ASSERT_TRUE(database->read([&](Sql& sql) -> Result<void> {
    for (int i = 0; i < 2; ++i) {
      const auto rows = sql.query("SELECT COUNT(*) FROM t");
      if (!rows) return tl::make_unexpected(rows.error());
      seen.push_back(rows->front().integer(0));
      std::thread([&] { EXPECT_TRUE(apply("INSERT INTO t (n) VALUES (2)")); }).join();
    }
    return {};
  }));
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(ask("SELECT COUNT(*) FROM t")[0].integer(0), 3);
}

TEST_F(DatabaseTest, AReadingCannotChangeAnything) {
  makeTable();
  const auto tried = database->read([](Sql& sql) -> Result<void> {
    auto done = sql.change("INSERT INTO t (n) VALUES (1)");
    if (!done) return tl::make_unexpected(done.error());
    return {};
  });
  EXPECT_FALSE(tried);
  EXPECT_EQ(ask("SELECT COUNT(*) FROM t")[0].integer(0), 0);
}

TEST_F(DatabaseTest, CountersOfManyWritersAreExact) {
  makeTable();
  ASSERT_TRUE(apply("INSERT INTO t (n) VALUES (0)"));
  ASSERT_TRUE(apply("INSERT INTO t (n) VALUES (0)"));
  std::vector<std::thread> writers;
  for (int w = 0; w < 16; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 8; ++i) {
        // In opposite orders: in MySQL they lock each other out, and one of them has to begin anew.
        const bool up = (w + i) % 2 == 0;
        const auto done = database->write([&](Sql& sql) -> Result<void> {
          for (const bool first : {up, !up}) {
            auto changed =
                sql.change(first ? "UPDATE t SET n = n + 1 WHERE id = (SELECT * FROM (SELECT MIN(id) FROM t) AS x)"
                                 : "UPDATE t SET n = n + 1 WHERE id = (SELECT * FROM (SELECT MAX(id) FROM t) AS x)");
            if (!changed) return tl::make_unexpected(changed.error());
          }
          return {};
        });
        EXPECT_TRUE(done) << describe(done.error());
      }
    });
  }
  for (auto& writer : writers) writer.join();
  for (const SqlRow& row : ask("SELECT n FROM t")) EXPECT_EQ(row.integer(0), 128);
}

TEST_F(DatabaseTest, WrongSqlIsAnErrorAndTheNextIsFine) {
  EXPECT_EQ(apply("INSERT INTO nothing (a) VALUES (1)").error().code, ErrorCode::internal);
  makeTable();
  EXPECT_TRUE(apply("INSERT INTO t (n) VALUES (1)"));
}

TEST_F(DatabaseTest, TheSchemaIsMadeOnceAndCheckedAtEveryStart) {
  auto first = openDatabase(address);
  ASSERT_TRUE(first) << describe(first.error());
  auto second = openDatabase(address);
  ASSERT_TRUE(second) << describe(second.error());
  auto files = schemaFiles();
  ASSERT_GE(files.size(), 2U);
  files.push_back({99, "0099_test.sql", "CREATE TABLE added (id @ID@) @TABLE@;\n"});
  ASSERT_TRUE(migrate(**second, files));
  EXPECT_EQ(ask("SELECT COUNT(*) FROM added")[0].integer(0), 0);
  const auto older = openDatabase(address);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, ErrorCode::unsupported);
  EXPECT_NE(older.error().what.find("run a newer nora"), std::string::npos) << older.error().what;
  files.back().text += "-- changed\n";
  EXPECT_EQ(migrate(**second, files).error().code, ErrorCode::unsupported);
}

TEST_F(DatabaseTest, ServersThatStartAtOnceMakeOneSchema) {
  std::vector<std::thread> servers;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    servers.emplace_back([&] {
      auto opened = openDatabase(address);
      if (opened)
        ++good;
      else
        ADD_FAILURE() << describe(opened.error());
    });
  }
  for (auto& server : servers) server.join();
  EXPECT_EQ(good, 4);
}

TEST_F(DatabaseTest, TheAuditCanOnlyGrow) {
  ASSERT_TRUE(openDatabase(address));
  ASSERT_TRUE(apply("INSERT INTO audit (at_us, user_name, action, item, detail) VALUES (1, 'ana', 'open', '', '{}')"));
  EXPECT_FALSE(apply("UPDATE audit SET user_name = 'eva'"));
  EXPECT_FALSE(apply("DELETE FROM audit"));
  EXPECT_EQ(ask("SELECT user_name FROM audit")[0].text(0), "ana");
}

TEST(DatabaseAddress, IsReadFromText) {
  EXPECT_EQ(parseDatabaseAddress("sqlite:/var/lib/nora/index.sqlite")->file, "/var/lib/nora/index.sqlite");
  EXPECT_EQ(parseDatabaseAddress("index.sqlite")->file, "index.sqlite");
  const auto mysql = parseDatabaseAddress("mysql://nora@db.example.org:3307/archive");
  ASSERT_TRUE(mysql);
  EXPECT_EQ(mysql->dialect, SqlDialect::mysql);
  EXPECT_EQ(mysql->user + " " + mysql->host + " " + std::to_string(mysql->port) + " " + mysql->database,
            "nora db.example.org 3307 archive");
  EXPECT_EQ(parseDatabaseAddress("mysql://nora@/archive?socket=/run/mysqld.sock")->socket, "/run/mysqld.sock");
  for (const std::string wrong :
       {"", "sqlite:", "postgres://x@y/z", "mysql://host/name", "mysql://u@h:0/n", "mysql://u@h:99999/n", "mysql://u@h",
        "mysql://u@h/", "mysql://u:secret@h/n", "mysql://u@/n"}) {
    EXPECT_EQ(parseDatabaseAddress(wrong).error().code, ErrorCode::invalidInput) << wrong;
    EXPECT_EQ(parseDatabaseAddress(wrong).error().where.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace nora
