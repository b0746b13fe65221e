// The tables [ldap] and [oidc] of the settings: what is wrong names its setting, and no secret is ever said.
#include "app/login_directories.hpp"
#include "app/login_providers.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

namespace nora {
namespace {

std::string written(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return path.string();
}

const char* environment(const std::string& name) {
  static const std::map<std::string, const char*> variables{{"SECRET", "hush"}, {"EMPTY", ""}};
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : found->second;
}

std::string problem(const Result<std::string>& secret) {
  return secret ? "" : describe(secret.error());
}

TEST(LoginSecret, ComesFromAFileOrTheEnvironment) {
  const TemporaryFolder folder;
  EXPECT_EQ(*loginSecret("s", written(folder / "a", "hush\n"), "", environment), "hush");
  EXPECT_EQ(*loginSecret("s", written(folder / "b", " hu sh \r\n"), "", environment), " hu sh ");
  EXPECT_EQ(*loginSecret("s", "", "SECRET", environment), "hush");
  EXPECT_EQ(*loginSecret("s", "", "", environment), "");
  EXPECT_EQ(problem(loginSecret("s", "", "OTHER", environment)), "s_env: the environment variable OTHER is not set");
  EXPECT_NE(problem(loginSecret("s", "", "EMPTY", environment)), "");
  EXPECT_NE(problem(loginSecret("s", folder / "none", "", environment)).find("s_file: "), std::string::npos);
  EXPECT_NE(problem(loginSecret("s", folder.path(), "", environment)).find("is not a file"), std::string::npos);
  EXPECT_NE(problem(loginSecret("s", written(folder / "c", "\n"), "", environment)).find("is empty"),
            std::string::npos);
  const auto tooLong = problem(loginSecret("s", written(folder / "d", std::string(5000, 'x')), "", environment));
  EXPECT_NE(tooLong.find("4096"), std::string::npos);
  EXPECT_EQ(tooLong.find("xxx"), std::string::npos);
  EXPECT_NE(problem(loginSecret("s", folder / "a", "SECRET", environment)).find("not from both"), std::string::npos);
}

LdapConfig directory() {
  LdapConfig out;
  out.urls = {"ldaps://ldap.example.org"};
  out.baseDn = "dc=example,dc=org";
  return out;
}

std::string problem(const std::vector<LdapConfig>& settings) {
  const auto made = LoginDirectories::make(settings, environment);
  return made ? "" : describe(made.error());
}

TEST(LoginDirectories, SayWhichSettingIsWrong) {
  EXPECT_EQ(problem({directory()}), "");
  const auto with = [](const std::function<void(LdapConfig&)>& change) {
    auto out = directory();
    change(out);
    return problem({out});
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {with([](auto& s) { s.groups = "all"; }), "[ldap] groups: must be none, memberOf or search, not 'all'"},
      {with([](auto& s) { s.urls = {}; }), "[ldap] urls: is empty"},
      {with([](auto& s) { s.name = "Lab"; }), "[ldap] name: must be"},
      {with([](auto& s) { s.name = ""; }), "[ldap] name: must be"},
      {with([](auto& s) { s.caFile = "/none.pem"; }), "[ldap] ca_file: /none.pem cannot be read"},
      {with([](auto& s) { s.bindPasswordEnv = "OTHER"; }), "[ldap] bind_password_env: "},
      {with([](auto& s) { s.bindDn = "cn=x,dc=y"; }), "[ldap] bind_password: is empty"},
      {with([](auto& s) { s.administratorsGroup = "cn=x,dc=y"; }), "[ldap] administrators_group: needs groups"},
      {with([](auto& s) { s.groups = "search", s.administratorsGroup = "x"; }), "[ldap] administrators_group: "},
      {problem({directory(), directory()}), "[ldap] name: 'ldap' is there twice"},
  };
  for (const auto& [said, expected] : cases) EXPECT_TRUE(said.starts_with(expected)) << said << " / " << expected;
}

OidcConfig provider() {
  OidcConfig out;
  out.title = "Lab ID";
  out.issuer = "https://login.example.org";
  out.clientId = "nora";
  return out;
}

std::string problem(const OidcConfig& settings, const std::string& publicUrl = "https://images.example.org/nora") {
  const auto made = LoginProviders::make({settings}, publicUrl, environment);
  return made ? "" : describe(made.error());
}

TEST(LoginProviders, SayWhichSettingIsWrong) {
  EXPECT_EQ(problem(provider()), "");
  for (const char* url : {"", "images.example.org", "http://images.example.org/", "https://a/?b", "https://u:p@a/"})
    EXPECT_TRUE(problem(provider(), url).starts_with("public_url: ")) << problem(provider(), url);
  const auto with = [](const std::function<void(OidcConfig&)>& change) {
    auto out = provider();
    change(out);
    return problem(out);
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {with([](auto& s) { s.issuer = "http://login.example.org"; }), "[oidc] issuer: "},
      {with([](auto& s) { s.clientId = ""; }), "[oidc] client_id: is empty"},
      {with([](auto& s) { s.scopes = {"profile"}; }), "[oidc] scopes: must have openid"},
      {with([](auto& s) { s.clientSecretFile = "/none"; }), "[oidc] client_secret_file: "},
      {with([](auto& s) { s.caFile = "/none.pem"; }), "[oidc] ca_file: "},
      {with([](auto& s) { s.name = "a b"; }), "[oidc] name: "},
  };
  for (const auto& [said, expected] : cases) EXPECT_TRUE(said.starts_with(expected)) << said << " / " << expected;
}

TEST(LoginProviders, AreReachedBelowThePublicAddress) {
  const auto made = LoginProviders::make({provider()}, "https://images.example.org/nora", environment);
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_EQ(made->pageUrl(), "https://images.example.org/nora/");
  ASSERT_NE(made->find("oidc"), nullptr);
  EXPECT_EQ(made->find("oidc")->startUrl, "https://images.example.org/nora/api/v1/login/oidc?provider=oidc");
  EXPECT_EQ(made->find("other"), nullptr);
}

TEST(LoginProviders, GiveGroupsTheirNamesInNora) {
  auto settings = provider();
  const OidcUser user{"https://login.example.org", "7", "eva", "Eva", "", {"admins", "mri", "pet"}};
  const auto entry = [&] {
    return LoginProviders::make({settings}, "https://images.example.org/", environment)->all().front().entryOf(user);
  };
  EXPECT_EQ(entry()->groups, user.groups);
  EXPECT_EQ(entry()->externalId, "https://login.example.org 7");
  EXPECT_EQ(entry()->administrator, std::nullopt);
  settings.groupNames = {{"mri", "readers"}, {"ct", "x"}};
  settings.administratorsGroup = "admins";
  EXPECT_EQ(entry()->groups, std::vector<std::string>{"readers"});
  EXPECT_EQ(entry()->administrator, true);
  settings.administratorsGroup = "others";
  EXPECT_EQ(entry()->administrator, false);
  settings.requiredGroup = "others";
  EXPECT_EQ(entry().error().where, "group");
}

}  // namespace
}  // namespace nora
