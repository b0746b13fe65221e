// Accounts by HTTP, without a socket: what is its user's alone stays so.
#include "app/api/account_routes.hpp"
#include "archive/access/password.hpp"
#include "archive/access/secret.hpp"
#include "tests/app/api_world.hpp"

#include <gmock/gmock.h>

namespace nora::test {
namespace {

constexpr std::int64_t year2100Us = 4'102'444'800'000'000;

class ApiAccounts : public ApiWorld {
 protected:
  std::vector<Route> routes() override {
    gate_ = std::make_unique<Gate>(index->places(), Gate::Options{});
    auto out = accountRoutes(index->places(), *gate_, limiter_, setup_);
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

TEST_F(ApiAccounts, TheLinkOfTheFirstStartEndsWhereThereIsAnAdministrator) {
  const std::string secret = setup_.open();
  addPerson("chief", Rights(), true);
  const nlohmann::json body{{"secret", secret}, {"name", "second"}, {"password", "Quite1Long&Different"}};
  EXPECT_EQ(ask("", "POST", "/api/v1/setup", body).status, 403);
  EXPECT_FALSE(setup_.isOpen());
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
