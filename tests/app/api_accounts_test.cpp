// Accounts by HTTP, without a socket: what is its user's alone stays so.
#include "app/api/account_routes.hpp"
#include "app/api/oidc_routes.hpp"
#include "archive/access/password.hpp"
#include "archive/access/secret.hpp"
#include "tests/app/api_world.hpp"

#include <array>
#include <barrier>
#include <thread>

#include <gmock/gmock.h>

namespace nora::test {
namespace {

constexpr std::int64_t year2100Us = 4'102'444'800'000'000;

class ApiAccounts : public ApiWorld {
 protected:
  std::vector<Route> routes() override {
    gate_ = std::make_unique<Gate>(index->places(), Gate::Options{});
    const LogInPlaces logIns{index->places(), *gate_, limiter_, setup_, ways_};
    auto out = accountRoutes(logIns);
    for (auto& route : oidcRoutes(logIns)) out.push_back(std::move(route));
    for (auto& route : administrationRoutes(index->places())) out.push_back(std::move(route));
    return out;
  }

  void addLocal(const std::string& name, const std::string& password) {
    UserRecord user;
    user.name = name;
    user.administrator = true;
    user.passwordHash = *hashPassword(password, {1024, 1, 1});
    const auto made = index->accounts.addUser(user);
    ASSERT_TRUE(made) << describe(made.error());
  }

  LoginLimiter limiter_;
  nora::Setup setup_;
  LogInWays ways_;

 private:
  std::unique_ptr<Gate> gate_;
};

TEST_F(ApiAccounts, ALinkOfAUserDoesNotReachTheirAccount) {
  addPerson("owner", Rights::all());
  const auto owner = index->accounts.user("owner");
  ASSERT_TRUE(owner);
  const auto secret = newSecret();
  ShareLinkRecord link;
  link.secretHash = secret.hash;
  link.projectId = open.id;
  link.ownerId = owner->id;
  link.rights = Rights(Right::read);
  link.scene = "{}";
  link.expiresUs = year2100Us;
  ASSERT_TRUE(index->accounts.addShareLink(link));
  const auto tokens = index->accounts.tokens(owner->id);
  ASSERT_TRUE(tokens);
  const std::string token = "/api/v1/me/tokens/" + std::to_string(tokens->front().id) + "?share=" + secret.text;
  EXPECT_EQ(ask("", "DELETE", token).status, 403);
  EXPECT_EQ(ask("", "GET", "/api/v1/me/tokens?share=" + secret.text).status, 403);
  EXPECT_EQ(ask("", "GET", "/api/v1/me/sessions?share=" + secret.text).status, 403);
  EXPECT_EQ(index->accounts.tokens(owner->id)->size(), 1U);
}

TEST_F(ApiAccounts, ATokenDoesNotReachTheAccountOfItsUser) {
  addPerson("owner", Rights::all());
  EXPECT_EQ(ask("owner", "GET", "/api/v1/me").status, 200);
  EXPECT_EQ(ask("owner", "GET", "/api/v1/me/tokens").status, 403);
  EXPECT_EQ(ask("owner", "GET", "/api/v1/me/sessions").status, 403);
  EXPECT_EQ(ask("owner", "PUT", "/api/v1/me/password", {{"old", "a"}, {"new", "b"}}).status, 403);
}

TEST_F(ApiAccounts, WrongNamesAndWrongPasswordsAreAnsweredAlike) {
  addLocal("somebody", "a password of some length");
  const auto nobody = ask("", "POST", "/api/v1/login", {{"name", "nobody"}, {"password", "guess"}});
  const auto wrong = ask("", "POST", "/api/v1/login", {{"name", "somebody"}, {"password", "guess"}});
  EXPECT_EQ(nobody.status, 403);
  EXPECT_EQ(wrong.status, 403);
  EXPECT_EQ(nobody.body, wrong.body);
}

TEST_F(ApiAccounts, ManyWrongPasswordsHaveToWait) {
  addLocal("somebody", "a password of some length");
  ApiAnswer last;
  for (int i = 0; i < 7 && last.status != 429; ++i)
    last = ask("", "POST", "/api/v1/login", {{"name", "somebody"}, {"password", "guess"}});
  EXPECT_EQ(last.status, 429);
  EXPECT_TRUE(last.headers.contains("retry-after"));
}

TEST_F(ApiAccounts, ARightPasswordGivesACookieAndIsNotInTheAudit) {
  addLocal("somebody", "a password of some length");
  const auto in = ask("", "POST", "/api/v1/login", {{"name", "somebody"}, {"password", "a password of some length"}});
  EXPECT_EQ(in.status, 200);
  EXPECT_TRUE(in.headers.contains("set-cookie"));
  const auto audit = index->accounts.audit({});
  ASSERT_TRUE(audit);
  ASSERT_FALSE(audit->empty());
  EXPECT_EQ(audit->front().action, "login");
  for (const auto& record : *audit)
    EXPECT_THAT(record.item + record.detail, testing::Not(testing::HasSubstr("length")));
}

TEST_F(ApiAccounts, TheLinkOfTheFirstStartWorksOnce) {
  const std::string secret = setup_.open();
  const auto body = [&](const std::string& name, const std::string& given) {
    return nlohmann::json{{"secret", given}, {"name", name}, {"password", "Quite1Long&Different"}};
  };
  EXPECT_EQ(ask("", "POST", "/api/v1/setup", body("first", secret + "x")).status, 403);
  EXPECT_EQ(ask("", "POST", "/api/v1/setup", body("first", secret)).status, 200);
  EXPECT_EQ(ask("", "POST", "/api/v1/setup", body("second", secret)).status, 403);
  EXPECT_EQ(index->accounts.users()->size(), 1U);
}

TEST_F(ApiAccounts, OfTwoWhoUseTheLinkAtOnceOneBecomesTheAdministrator) {
  const std::string secret = setup_.open();
  constexpr int people = 4;
  std::array<ApiAnswer, people> answers;
  {
    std::barrier together(people);
    std::vector<std::jthread> threads;
    for (int i = 0; i < people; ++i) {
      threads.emplace_back([&, i] {
        const nlohmann::json body{
            {"secret", secret}, {"name", "first" + std::to_string(i)}, {"password", "Quite1Long&Different"}};
        together.arrive_and_wait();
        answers[static_cast<std::size_t>(i)] = ask("", "POST", "/api/v1/setup", body);
      });
    }
  }
  int made = 0;
  for (const auto& answer : answers) {
    made += answer.status == 200 ? 1 : 0;
    if (answer.status == 200) continue;
    EXPECT_EQ(answer.status, 403) << answer.body;
    EXPECT_THAT(answer.json()["detail"].get<std::string>(), testing::HasSubstr("log in"));
    EXPECT_FALSE(answer.headers.contains("set-cookie"));
  }
  EXPECT_EQ(made, 1);
  ASSERT_EQ(index->accounts.users()->size(), 1U);
  EXPECT_TRUE(index->accounts.users()->front().administrator);
  EXPECT_FALSE(setup_.isOpen());
}

TEST_F(ApiAccounts, TheLinkOfTheFirstStartEndsWhereThereIsAnAdministrator) {
  const std::string secret = setup_.open();
  addPerson("chief", Rights(), true);
  const nlohmann::json body{{"secret", secret}, {"name", "second"}, {"password", "Quite1Long&Different"}};
  EXPECT_EQ(ask("", "POST", "/api/v1/setup", body).status, 403);
  EXPECT_FALSE(setup_.isOpen());
}

TEST_F(ApiAccounts, AUserOfADirectoryIsLetInNeitherByAnEmptyPasswordHereNorByALocalOne) {
  const auto eva = index->accounts.enter({"ldap", "lab:1", "eva", "", "", {}});
  ASSERT_TRUE(eva);
  for (const char* password : {"", "x"})
    EXPECT_EQ(ask("", "POST", "/api/v1/login", {{"name", "eva"}, {"password", password}}).status, 403);
}

TEST_F(ApiAccounts, WhoseDirectoryHasNotSaidForLongThatTheyMayEnterHasToLogInAgain) {
  std::int64_t clock = 1;  // 1970: confirmed long ago
  Accounts then(*index->database, [&] { return clock; });
  const auto eva = then.enter({"ldap", "lab:1", "eva", "", "", {}});
  ASSERT_TRUE(eva);
  WebSessionRecord session;
  const auto secret = newSecret(), token = newSecret("nora_token_");
  session.secretHash = secret.hash;
  session.userId = eva->id;
  session.csrf = "c";
  session.expiresUs = year2100Us;
  ASSERT_TRUE(then.addSession(session));
  TokenRecord record;
  record.userId = eva->id;
  record.secretHash = token.hash;
  record.rights = Rights::all();
  record.expiresUs = year2100Us;
  ASSERT_TRUE(then.addToken(record));
  const auto bySession = [&] { return ask("", "GET", "/api/v1/me", nullptr, {{"cookie", "nora=" + secret.text}}); };
  const auto byToken = [&] {
    return ask("", "GET", "/api/v1/me", nullptr, {{"authorization", "Bearer " + token.text}});
  };
  EXPECT_EQ(bySession().json()["entrance"], "guest");
  EXPECT_EQ(byToken().status, 401);
  EXPECT_THAT(byToken().body, testing::HasSubstr("log in at the page"));
  ASSERT_TRUE(index->accounts.confirm({"ldap", "lab:1", "eva", "", "", {}}));
  EXPECT_EQ(bySession().json()["entrance"], "session");
  EXPECT_EQ(byToken().status, 200);
  ASSERT_TRUE(index->accounts.setAbsent(eva->id));
  EXPECT_EQ(bySession().json()["entrance"], "guest");
  EXPECT_EQ(byToken().status, 401);
}

TEST(ReturnPlace, IsOnThePageAlone) {
  for (const char* fine : {"", "?project=1", "?a=b#c", "#scene=%7B%22", "?next=https://evil.example"})
    EXPECT_TRUE(isReturnPlace(fine)) << fine;
  for (const char* wrong : {"/", "//evil.example", "https://evil.example", "javascript:alert(1)", "\\evil", "a", " ?a",
                            "?a\r\nset-cookie: x", "?a b", "?\xC3\xB6", ".evil.example", "@evil.example"})
    EXPECT_FALSE(isReturnPlace(wrong)) << wrong;
  EXPECT_FALSE(isReturnPlace("?" + std::string(2000, 'a')));
}

TEST_F(ApiAccounts, OnlyAdministratorsSeeUsersAndTheAudit) {
  addPerson("plain", Rights::all());
  addPerson("chief", Rights(), true);
  for (const auto* path : {"/api/v1/users", "/api/v1/groups", "/api/v1/sessions", "/api/v1/audit", "/api/v1/server"}) {
    EXPECT_EQ(ask("", "GET", path).status, 401) << path;
    EXPECT_EQ(ask("plain", "GET", path).status, 403) << path;
    EXPECT_EQ(ask("chief", "GET", path).status, 200) << path;
  }
}

}  // namespace
}  // namespace nora::test
