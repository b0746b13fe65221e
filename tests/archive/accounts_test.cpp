#include "archive/index/accounts.hpp"
#include "archive/access/secret.hpp"
#include "archive/index/archive.hpp"
#include "tests/archive/fresh_database.hpp"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

namespace nora {
namespace {

class AccountsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
    auto opened = openDatabase(test::freshAddress());
    ASSERT_TRUE(opened) << describe(opened.error());
    database = std::move(*opened);
    const auto now = [this] { return clock; };
    accounts = std::make_unique<Accounts>(*database, now);
    Archive archive(*database, now);
    ProjectRecord wanted;
    wanted.name = "p";
    wanted.secret = newSecret().text;
    project = archive.addProject(wanted)->id;
    ana = add("ana");
    ben = add("ben");
  }
  std::int64_t add(const std::string& name) {
    UserRecord wanted;
    wanted.name = name;
    auto made = accounts->addUser(wanted);
    EXPECT_TRUE(made) << describe(made.error());
    return made->id;
  }
  Rights rightsOf(std::int64_t user) {
    return accessTo({project, true}, *accounts->grants(project), *accounts->callerOf(user)).rights;
  }

  std::unique_ptr<Database> database;
  std::unique_ptr<Accounts> accounts;
  std::int64_t clock = 1'700'000'000'000'000;
  std::int64_t project = 0, ana = 0, ben = 0;
};

TEST_F(AccountsTest, UsersAreKnownByTheirNameAndChanged) {
  auto user = accounts->user("ana");
  ASSERT_TRUE(user);
  EXPECT_EQ(user->id, ana);
  user->fullName = "Ana \xF0\x9F\xA7\xA0";
  user->passwordHash = "$argon2id$";
  user->administrator = true;
  ASSERT_TRUE(accounts->changeUser(*user));
  EXPECT_TRUE(accounts->changeUser(*user)) << "nothing changes, but she is there";
  EXPECT_EQ(accounts->user(ana)->fullName, user->fullName);
  EXPECT_TRUE(accounts->callerOf(ana)->administrator);
  UserRecord twin;
  twin.name = "ana";
  EXPECT_EQ(accounts->addUser(twin).error().code, ErrorCode::invalidInput);
  EXPECT_EQ(accounts->user("eva").error().code, ErrorCode::notFound);
  EXPECT_EQ(accounts->users()->size(), 2U);
  user->id = 999;
  EXPECT_EQ(accounts->changeUser(*user).error().code, ErrorCode::notFound);
}

TEST_F(AccountsTest, RightsComeFromGrantsToUsersGroupsAndEverybody) {
  EXPECT_TRUE(rightsOf(ana).empty());
  ASSERT_TRUE(accounts->setGrant(project, {ana, std::nullopt, Right::edit}));
  EXPECT_TRUE(rightsOf(ana).has(Right::edit));
  EXPECT_TRUE(rightsOf(ben).empty());
  const auto group = accounts->addGroup("readers");
  ASSERT_TRUE(group);
  ASSERT_TRUE(accounts->setGrant(project, {std::nullopt, group->id, Right::download}));
  EXPECT_TRUE(rightsOf(ben).empty());
  ASSERT_TRUE(accounts->setMember("readers", ben, true));
  ASSERT_TRUE(accounts->setMember("readers", ben, true)) << "once is enough";
  EXPECT_TRUE(rightsOf(ben).has(Right::download));
  ASSERT_TRUE(accounts->setMember("readers", ben, false));
  EXPECT_TRUE(rightsOf(ben).empty());
  ASSERT_TRUE(accounts->setGrant(project, {std::nullopt, std::nullopt, Right::read}));
  EXPECT_TRUE(rightsOf(ben).has(Right::read));
  ASSERT_TRUE(accounts->setGrant(project, {std::nullopt, std::nullopt, Rights()}));
  EXPECT_TRUE(rightsOf(ben).empty());
  ASSERT_TRUE(accounts->removeGroup("readers"));
  EXPECT_EQ(accounts->grants(project)->size(), 1U);
  EXPECT_EQ(accounts->setGrant(project + 9, {ana, std::nullopt, Right::read}).error().code, ErrorCode::notFound);
  EXPECT_EQ(accounts->setMember("readers", ben, true).error().code, ErrorCode::notFound);
}

TEST_F(AccountsTest, ADirectorySaysInWhichOfItsGroupsSomebodyIs) {
  ASSERT_TRUE(accounts->addGroup("local"));
  ASSERT_TRUE(accounts->setMember("local", ana, true));
  const std::vector<std::string> first{"neuro", "radio", "local"}, second{"radio"};
  ASSERT_TRUE(accounts->setGroupsOf(ana, first, "ldap"));
  EXPECT_EQ(accounts->callerOf(ana)->groups.size(), 3U);
  ASSERT_TRUE(accounts->setGroupsOf(ana, second, "ldap"));
  EXPECT_EQ(accounts->callerOf(ana)->groups.size(), 2U) << "radio, and the local one that is not the directory's";
  EXPECT_EQ(accounts->groups()->size(), 3U);
}

TEST_F(AccountsTest, TokensAndSessionsEnd) {
  const auto secret = newSecret("nora_token_");
  TokenRecord wanted;
  wanted.secretHash = secret.hash;
  wanted.userId = ana;
  wanted.name = "script";
  wanted.rights = Right::read | Right::download;
  wanted.expiresUs = clock + 1'000'000;
  ASSERT_TRUE(accounts->addToken(wanted));
  const auto found = accounts->token(hashOfSecret(secret.text));
  ASSERT_TRUE(found) << describe(found.error());
  EXPECT_EQ(found->rights, wanted.rights);
  EXPECT_EQ(found->usedUs, clock);
  EXPECT_EQ(accounts->tokens(ana)->size(), 1U);
  clock += 2'000'000;
  EXPECT_EQ(accounts->token(secret.hash).error().code, ErrorCode::notFound);
  ASSERT_TRUE(accounts->removeToken(found->id));
  EXPECT_EQ(accounts->removeToken(found->id).error().code, ErrorCode::notFound);

  WebSessionRecord session;
  session.secretHash = newSecret().hash;
  session.userId = ana;
  session.csrf = "c";
  session.expiresUs = clock + 10;
  ASSERT_TRUE(accounts->addSession(session));
  EXPECT_EQ(accounts->session(session.secretHash)->csrf, "c");
  ASSERT_TRUE(accounts->extendSession(accounts->session(session.secretHash)->id, clock + 100));
  clock += 50;
  EXPECT_TRUE(accounts->session(session.secretHash));
  clock += 50;
  EXPECT_FALSE(accounts->session(session.secretHash));
  EXPECT_EQ(accounts->removeSessions(0), 1);
}

TEST_F(AccountsTest, ShareLinksAreFoundByTheirSecretAlone) {
  const auto secret = newSecret();
  ShareLinkRecord link;
  link.secretHash = secret.hash;
  link.projectId = project;
  link.ownerId = ana;
  link.rights = Right::read;
  link.scene = R"({"layers": []})";
  link.expiresUs = clock + 10;
  ASSERT_TRUE(accounts->addShareLink(link));
  EXPECT_EQ(accounts->shareLink(hashOfSecret(secret.text))->scene, link.scene);
  EXPECT_FALSE(accounts->shareLink(secret.text)) << "the text itself is not kept";
}

TEST_F(AccountsTest, TheAuditIsReadByPages) {
  for (int i = 0; i < 25; ++i) {
    ++clock;
    ASSERT_TRUE(accounts->note({0, 0, i % 2 == 0 ? "ana" : "ben", "open", i % 5 == 0 ? project : 0,
                                "'; DROP TABLE audit;--", "{}", "127.0.0.1"}));
  }
  std::vector<std::int64_t> ids;
  Accounts::AuditFilter filter;
  filter.most = 10;
  for (;;) {
    const auto page = accounts->audit(filter);
    ASSERT_TRUE(page) << describe(page.error());
    if (page->empty()) break;
    for (const auto& line : *page) ids.push_back(line.id);
    filter.before = ids.back();
  }
  EXPECT_EQ(ids.size(), 25U);
  EXPECT_TRUE(std::ranges::is_sorted(ids, std::greater<>()));
  filter = {};
  filter.user = "ana";
  filter.projectId = project;
  EXPECT_EQ(accounts->audit(filter)->size(), 3U);
  filter = {};
  filter.fromUs = clock;
  EXPECT_EQ(accounts->audit(filter)->size(), 1U);
}

}  // namespace
}  // namespace nora
