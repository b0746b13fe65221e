// Accounts where somebody is careless, hostile or at it at the same time.
#include "archive/index/accounts.hpp"

#include "archive/access/secret.hpp"
#include "archive/index/archive.hpp"
#include "tests/archive/fresh_database.hpp"

#include <atomic>
#include <barrier>
#include <thread>

#include <gtest/gtest.h>

namespace nora {
namespace {

constexpr std::int64_t hourUs = 3'600'000'000;

class AccountsSafetyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
    auto opened = openDatabase(test::freshAddress());
    ASSERT_TRUE(opened) << describe(opened.error());
    database = std::move(*opened);
    const auto now = [this] { return clock.load(); };
    archive = std::make_unique<Archive>(*database, now);
    accounts = std::make_unique<Accounts>(*database, now);
  }
  std::int64_t addProject(const std::string& name, bool hideIdentity = false) {
    ProjectRecord wanted;
    wanted.name = name;
    wanted.hideIdentity = hideIdentity;
    const auto made = archive->addProject(wanted);
    EXPECT_TRUE(made) << describe(made.error());
    return made.value_or(ProjectRecord{}).id;
  }
  UserRecord addUser(const std::string& name, bool administrator = false) {
    UserRecord wanted;
    wanted.name = name;
    wanted.administrator = administrator;
    const auto made = accounts->addUser(wanted);
    EXPECT_TRUE(made) << describe(made.error());
    return made.value_or(UserRecord{});
  }
  WebSessionRecord begin(std::int64_t user) {
    WebSessionRecord wanted;
    wanted.userId = user;
    wanted.secretHash = newSecret().hash;
    wanted.csrf = "c";
    wanted.address = "192.0.2.1";
    wanted.expiresUs = clock + 10 * hourUs;
    const auto made = accounts->addSession(wanted);
    EXPECT_TRUE(made) << describe(made.error());
    return made.value_or(WebSessionRecord{});
  }
  Rights rightsOf(std::int64_t user, std::int64_t project) {
    const auto caller = accounts->callerOf(user);
    EXPECT_TRUE(caller);
    const auto access = accounts->access(project, *caller);
    EXPECT_TRUE(access);
    return access->rights;
  }

  std::unique_ptr<Database> database;
  std::unique_ptr<Archive> archive;
  std::unique_ptr<Accounts> accounts;
  std::atomic<std::int64_t> clock{1'700'000'000'000'000};
};

TEST_F(AccountsSafetyTest, AUserComesBackAsMadeAndThereIsOneOfEachName) {
  UserRecord wanted;
  wanted.name = "<b>'; DROP TABLE user;--";
  wanted.fullName = "Änne \xF0\x9F\xA7\xA0";
  wanted.email = "a@example.org";
  wanted.passwordHash = "$argon2id$...";
  const auto made = accounts->addUser(wanted);
  ASSERT_TRUE(made) << describe(made.error());
  const auto again = accounts->user(wanted.name);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, made->id);
  EXPECT_EQ(again->fullName, wanted.fullName);
  EXPECT_EQ(again->passwordHash, wanted.passwordHash);
  EXPECT_EQ(again->origin, "local");
  EXPECT_EQ(again->createdUs, clock);
  EXPECT_EQ(accounts->addUser(wanted).error().what, "there is a user of that name");
  EXPECT_EQ(accounts->user("nobody").error().code, ErrorCode::notFound);
  wanted.name = "a/b";
  EXPECT_EQ(accounts->addUser(wanted).error().code, ErrorCode::invalidInput);
  addUser("ana");
  EXPECT_EQ(accounts->users()->at(1).name, "ana");
}

TEST_F(AccountsSafetyTest, OfManyWhoTakeTheSameNameOneGetsIt) {
  constexpr int rounds = 5, takersOfEach = 12;
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> made{0};
    std::barrier together(takersOfEach);
    std::vector<std::thread> takers;
    for (int i = 0; i < takersOfEach; ++i) {
      takers.emplace_back([&] {
        UserRecord wanted;
        wanted.name = "ana" + std::to_string(round);
        together.arrive_and_wait();
        const auto done = accounts->addUser(wanted);
        made += done ? 1 : 0;
        EXPECT_EQ(done ? "there is a user of that name" : done.error().what, "there is a user of that name");
      });
    }
    for (auto& taker : takers) taker.join();
    EXPECT_EQ(made, 1);
  }
}

TEST_F(AccountsSafetyTest, TheLastAdministratorStays) {
  auto first = addUser("first", true);
  auto second = addUser("second", true);
  second.disabled = true;
  ASSERT_TRUE(accounts->changeUser(second));
  first.administrator = false;
  EXPECT_EQ(accounts->changeUser(first).error().code, ErrorCode::forbidden);
  first.administrator = true;
  first.disabled = true;
  EXPECT_EQ(accounts->changeUser(first).error().code, ErrorCode::forbidden);
  EXPECT_EQ(accounts->removeUser(first.id).error().code, ErrorCode::forbidden);
  second.disabled = false;
  ASSERT_TRUE(accounts->changeUser(second));
  EXPECT_TRUE(accounts->removeUser(first.id));
  EXPECT_EQ(accounts->removeUser(first.id).error().code, ErrorCode::notFound);
}

TEST_F(AccountsSafetyTest, TwoAdministratorsCannotRemoveEachOtherAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const auto a = addUser("a" + std::to_string(round), true), b = addUser("b" + std::to_string(round), true);
    const auto before = accounts->users();
    ASSERT_TRUE(before);
    for (const auto& user : *before) {
      if (user.id == a.id || user.id == b.id) continue;
      ASSERT_TRUE(accounts->removeUser(user.id));
    }
    std::atomic<int> removed{0};
    std::barrier together(2);
    const auto remove = [&](std::int64_t id) {
      together.arrive_and_wait();
      removed += accounts->removeUser(id) ? 1 : 0;
    };
    std::thread one(remove, a.id), two(remove, b.id);
    one.join();
    two.join();
    ASSERT_EQ(removed, 1);
  }
}

TEST_F(AccountsSafetyTest, RightsComeFromUserGroupsAndEverybody) {
  const auto open = addProject("open"), closed = addProject("closed"), hidden = addProject("hidden", true);
  const auto ana = addUser("ana").id, ben = addUser("ben").id, root = addUser("root", true).id;
  const auto readers = accounts->addGroup("readers")->id;
  ASSERT_TRUE(accounts->setMember("readers", ana, true));
  ASSERT_TRUE(accounts->setMember("readers", ana, true)) << "is one already";
  ASSERT_TRUE(accounts->setGrant(open, {{}, {}, Right::read}));
  ASSERT_TRUE(accounts->setGrant(closed, {{}, readers, Right::read | Right::download}));
  ASSERT_TRUE(accounts->setGrant(hidden, {ana, {}, Right::edit}));
  EXPECT_EQ(rightsOf(ana, open), Right::read);
  EXPECT_EQ(rightsOf(ana, closed), Right::read | Right::download);
  EXPECT_TRUE(rightsOf(ana, hidden).has(Right::annotate));
  EXPECT_EQ(rightsOf(ben, open), Right::read);
  EXPECT_TRUE(rightsOf(ben, closed).empty());
  EXPECT_EQ(rightsOf(root, hidden), Rights::all());
  const auto scope = accounts->scope(*accounts->callerOf(ana));
  EXPECT_FALSE(scope->everyProject);
  EXPECT_EQ(scope->projects, (std::vector{open, closed}));
  EXPECT_EQ(scope->pseudonymous, std::vector{hidden});
  EXPECT_EQ(accounts->scope(Caller{})->projects, std::vector{open}) << "guests";
  EXPECT_EQ(accounts->scope(*accounts->callerOf(root))->projects.size(), 3U);

  ASSERT_TRUE(accounts->setGrant(closed, {{}, readers, Right::read})) << "replaces";
  EXPECT_EQ(rightsOf(ana, closed), Right::read);
  EXPECT_EQ(accounts->grants(closed)->size(), 1U);
  ASSERT_TRUE(accounts->setMember("readers", ana, false));
  EXPECT_TRUE(rightsOf(ana, closed).empty());
  ASSERT_TRUE(accounts->setGrant(open, {{}, {}, Rights{}}));
  EXPECT_TRUE(accounts->grants(open)->empty());
  ASSERT_TRUE(accounts->removeUser(ana));
  EXPECT_TRUE(accounts->grants(hidden)->empty());
  ASSERT_TRUE(accounts->removeGroup("readers"));
  EXPECT_TRUE(accounts->grants(closed)->empty());
}

TEST_F(AccountsSafetyTest, RightsForNobodyInParticularAreNotGivenToEverybody) {
  const auto project = addProject("p");
  EXPECT_EQ(accounts->setGrant(project, {0, {}, Rights::all()}).error().where, "user");
  EXPECT_EQ(accounts->setGrant(project, {{}, 0, Rights::all()}).error().where, "group");
  EXPECT_EQ(accounts->setGrant(project, {999, {}, Rights::all()}).error().code, ErrorCode::notFound);
  EXPECT_EQ(accounts->setGrant(999, {{}, {}, Rights::all()}).error().where, "project");
  EXPECT_EQ(accounts->setGrant(project, {1, 1, Rights::all()}).error().code, ErrorCode::invalidInput);
  EXPECT_TRUE(accounts->grants(project)->empty());
  EXPECT_EQ(accounts->callerOf(999).error().code, ErrorCode::notFound);
}

TEST_F(AccountsSafetyTest, ADirectorysUserIsKnownByItsIdAndFollowsTheDirectory) {
  addUser("admin", true);
  ASSERT_TRUE(accounts->addGroup("local staff"));
  DirectoryEntry entry{"ldap", "uid=eva,dc=lab", "eva", "Eva \xFF", "eva@lab", {"mri", "local staff", "a/b"}};
  const auto first = accounts->enter(entry);
  ASSERT_TRUE(first) << describe(first.error());
  EXPECT_EQ(first->fullName, "Eva ?");
  EXPECT_EQ(first->seenUs, clock);
  EXPECT_FALSE(first->administrator);
  auto groups = *accounts->groups();
  ASSERT_EQ(groups.size(), 2U) << "a name with / makes none";
  EXPECT_EQ(groups[1].name + groups[1].origin, "mrildap");
  EXPECT_EQ(groups[1].members, std::vector{first->id});
  EXPECT_TRUE(groups[0].members.empty()) << "a local group is not filled by the directory";
  EXPECT_EQ(accounts->setMember("mri", first->id, false).error().code, ErrorCode::invalidInput);
  EXPECT_EQ(accounts->setPassword(first->id, "x").error().code, ErrorCode::invalidInput);

  entry.name = "eva.m";
  entry.groups = {"pet"};
  const auto again = accounts->enter(entry);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(again->id, first->id);
  EXPECT_EQ(accounts->user(first->id)->name, "eva.m");
  EXPECT_TRUE(accounts->groups()->at(1).members.empty());
  EXPECT_EQ(accounts->groups()->at(2).members, std::vector{first->id});

  EXPECT_EQ(accounts->enter({"ldap", "uid=x,dc=lab", "admin", "", "", {}}).error().code, ErrorCode::forbidden)
      << "a directory cannot make itself the local administrator";
  EXPECT_EQ(accounts->enter({"oidc", "uid=eva,dc=lab", "eva.m", "", "", {}}).error().code, ErrorCode::forbidden);
  EXPECT_EQ(accounts->enter({"ldap", "", "joe", "", "", {}}).error().code, ErrorCode::invalidInput);
  EXPECT_EQ(accounts->enter({"local", "1", "joe", "", "", {}}).error().code, ErrorCode::invalidInput);
  auto off = *accounts->user(first->id);
  off.disabled = true;
  ASSERT_TRUE(accounts->changeUser(off));
  EXPECT_EQ(accounts->enter(entry).error().code, ErrorCode::forbidden);
}

TEST_F(AccountsSafetyTest, ADirectorySaysWhoIsAnAdministratorIfItIsAsked) {
  DirectoryEntry entry{"ldap", "1", "eva", "", "", {}, true};
  const auto eva = accounts->enter(entry);
  ASSERT_TRUE(eva) << describe(eva.error());
  EXPECT_TRUE(accounts->callerOf(eva->id)->administrator);
  entry.administrator = std::nullopt;
  EXPECT_TRUE(accounts->enter(entry)->administrator) << "not asked: as it was";
  entry.administrator = false;
  EXPECT_FALSE(accounts->enter(entry)->administrator);
  EXPECT_FALSE(accounts->callerOf(eva->id)->administrator);
}

TEST_F(AccountsSafetyTest, WhoHasGoneFromTheirDirectoryIsShutOutUntilTheyAreBack) {
  const DirectoryEntry entry{"ldap", "1", "eva", "", "", {"mri"}};
  EXPECT_EQ(accounts->confirm(entry).error().code, ErrorCode::notFound) << "only a log-in makes a user";
  const auto eva = *accounts->enter(entry);
  EXPECT_EQ(eva.confirmedUs, clock);
  EXPECT_TRUE(accounts->usersToConfirm("ldap")->empty()) << "she has no way in yet";
  WebSessionRecord session;
  session.userId = eva.id;
  session.secretHash = "1";
  session.expiresUs = clock + 100;
  ASSERT_TRUE(accounts->addSession(session));
  TokenRecord token;
  token.userId = eva.id;
  token.secretHash = "2";
  token.expiresUs = clock + 1'000;
  ASSERT_TRUE(accounts->addToken(token));
  EXPECT_EQ(accounts->usersToConfirm("ldap")->size(), 1U);
  EXPECT_TRUE(accounts->usersToConfirm("oidc")->empty());
  ASSERT_TRUE(accounts->setAbsent(eva.id));
  EXPECT_TRUE(accounts->callerOf(eva.id)->disabled);
  EXPECT_EQ(accounts->session("1").error().code, ErrorCode::notFound);
  EXPECT_EQ(accounts->usersToConfirm("ldap")->size(), 1U) << "her token waits for her";

  clock += 10;
  DirectoryEntry back = entry;
  back.groups = {"pet"};
  const auto again = accounts->confirm(back);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(again->confirmedUs, clock);
  EXPECT_EQ(again->seenUs, clock - 10) << "she has not logged in";
  EXPECT_FALSE(accounts->callerOf(eva.id)->disabled);
  EXPECT_EQ(accounts->groups()->at(1).members, std::vector{eva.id});
  ASSERT_TRUE(accounts->setAbsent(eva.id));
  EXPECT_FALSE(accounts->enter(entry)->absent);
  clock += 2'000;
  EXPECT_TRUE(accounts->usersToConfirm("ldap")->empty());
}

TEST_F(AccountsSafetyTest, OfManyFirstAdministratorsAtOnceOneIsMade) {
  std::atomic<int> made = 0, late = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        UserRecord wanted;
        wanted.name = "first" + std::to_string(i);
        const auto user = accounts->addFirstAdministrator(wanted);
        if (user) ++made;
        if (!user && user.error().code == ErrorCode::forbidden) ++late;
      });
    }
  }
  EXPECT_EQ(made, 1);
  EXPECT_EQ(late, 7);
  ASSERT_EQ(accounts->users()->size(), 1U);
  EXPECT_TRUE(accounts->users()->front().administrator);
}

TEST_F(AccountsSafetyTest, ALogInThatHasBegunIsTakenOnceSoonAndByItsBrowser) {
  const auto begin = [&](const std::string& state, const std::string& address) {
    return accounts->addPendingLogin({state, "browser", "lab", "nonce", "verifier", "?a=1", address});
  };
  ASSERT_TRUE(begin("a", "10.0.0.1"));
  EXPECT_EQ(accounts->takePendingLogin("a", "other").error().code, ErrorCode::notFound);
  const auto taken = accounts->takePendingLogin("a", "browser");
  ASSERT_TRUE(taken) << describe(taken.error());
  EXPECT_EQ(taken->provider + taken->nonce + taken->verifier + taken->returnTo, "labnonceverifier?a=1");
  EXPECT_EQ(taken->startedUs, clock);
  EXPECT_EQ(accounts->takePendingLogin("a", "browser").error().code, ErrorCode::notFound) << "a second time";

  ASSERT_TRUE(begin("b", "10.0.0.1"));
  clock += Accounts::pendingLoginUs;
  EXPECT_EQ(accounts->takePendingLogin("b", "browser").error().code, ErrorCode::notFound) << "too late";
  for (int i = 0; i < 501; ++i) ASSERT_TRUE(begin("s" + std::to_string(i), "10.0.0.2"));
  EXPECT_FALSE(accounts->takePendingLogin("s0", "browser")) << "the oldest of too many";
  EXPECT_TRUE(accounts->takePendingLogin("s1", "browser"));
  EXPECT_TRUE(accounts->takePendingLogin("s500", "browser"));
}

TEST_F(AccountsSafetyTest, WhatHasExpiredIsNotAdded) {
  const auto ana = addUser("ana").id;
  WebSessionRecord session;
  session.userId = ana;
  session.secretHash = "1";
  session.expiresUs = clock;
  EXPECT_EQ(accounts->addSession(session).error().code, ErrorCode::invalidInput);
  session.expiresUs = clock + 1;
  session.userId = 999;
  EXPECT_FALSE(accounts->addSession(session)) << "of nobody";
  TokenRecord token;
  token.userId = ana;
  token.secretHash = "2";
  token.expiresUs = clock - 1;
  EXPECT_EQ(accounts->addToken(token).error().code, ErrorCode::invalidInput);
  ShareLinkRecord link;
  link.projectId = addProject("p");
  link.ownerId = ana;
  link.secretHash = "3";
  EXPECT_EQ(accounts->addShareLink(link).error().code, ErrorCode::invalidInput) << "0 is not for ever";
  link.expiresUs = clock + 5;
  ASSERT_TRUE(accounts->addShareLink(link));
  clock += 5;
  EXPECT_EQ(accounts->shareLink("3").error().code, ErrorCode::notFound);
  EXPECT_EQ(accounts->shareLinks(link.projectId)->size(), 1U) << "still listed";
  ASSERT_TRUE(accounts->removeUser(ana));
  EXPECT_TRUE(accounts->shareLinks(link.projectId)->empty());
}

TEST_F(AccountsSafetyTest, ANewPasswordOrDisablingEndsTheSessions) {
  auto ana = addUser("ana");
  const auto here = begin(ana.id), elsewhere = begin(ana.id);
  ASSERT_TRUE(accounts->setPassword(ana.id, "$new", here.id));
  EXPECT_EQ(accounts->user(ana.id)->passwordHash, "$new");
  EXPECT_TRUE(accounts->session(here.secretHash));
  EXPECT_FALSE(accounts->session(elsewhere.secretHash));
  ana.disabled = true;
  ASSERT_TRUE(accounts->changeUser(ana));
  EXPECT_FALSE(accounts->session(here.secretHash));
  EXPECT_TRUE(accounts->callerOf(ana.id)->disabled);
}

TEST_F(AccountsSafetyTest, ATokenGoesWithItsUserAndKeepsItsProject) {
  const auto ana = addUser("ana").id;
  TokenRecord wanted;
  wanted.userId = ana;
  wanted.name = "nightly import";
  wanted.secretHash = newSecret("nora_token_").hash;
  wanted.rights = Right::read | Right::edit;
  wanted.projectId = 7;
  wanted.expiresUs = clock + hourUs;
  ASSERT_TRUE(accounts->addToken(wanted));
  EXPECT_FALSE(accounts->addToken(wanted)) << "a secret is used once";
  EXPECT_EQ(accounts->token(wanted.secretHash)->projectId, 7);
  begin(ana);
  EXPECT_EQ(accounts->sessions(0)->size(), 1U);
  ASSERT_TRUE(accounts->removeUser(ana));
  EXPECT_FALSE(accounts->token(wanted.secretHash));
  EXPECT_TRUE(accounts->sessions(0)->empty());
}

TEST_F(AccountsSafetyTest, WhateverARequestSaysIsNoted) {
  AuditRecord entry;
  entry.user = std::string(1000, 'x') + "'; DROP TABLE audit;--";
  entry.action = "login.failed";
  entry.item = std::string("\xFF\xC0\0<script>", 11);
  entry.detail = "\xED\xA0\x80";
  entry.address = std::string(500, ' ');
  const auto done = accounts->note(entry);
  ASSERT_TRUE(done) << describe(done.error());
  Accounts::AuditFilter filter;
  filter.action = "login.failed";
  const auto noted = accounts->audit(filter);
  ASSERT_EQ(noted->size(), 1U);
  EXPECT_EQ(noted->front().user, std::string(190, 'x'));
  EXPECT_EQ(noted->front().item, std::string(3, '?') + "<script>");
  filter.untilUs = noted->front().atUs;
  EXPECT_TRUE(accounts->audit(filter)->empty());
  filter = {};
  filter.action = "login";
  EXPECT_TRUE(accounts->audit(filter)->empty());
}

}  // namespace
}  // namespace nora
