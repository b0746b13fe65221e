#include "base/config.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

namespace nora {
namespace {

std::string temporaryFile(const std::string& content) {
  std::string path = testing::TempDir() + "nora_config_" + std::to_string(::getpid()) + ".toml";
  std::ofstream(path) << content;
  return path;
}

TEST(Config, PrintedConfigReadsBackTheSame) {
  Config written;
  written.bind = "0.0.0.0";
  written.port = 1234;
  written.logLevel = "debug";
  written.preferQform = true;
  Config read;
  const std::string path = temporaryFile(printConfig(written));
  ASSERT_TRUE(applyToml(read, path));
  EXPECT_EQ(printConfig(read), printConfig(written));
  EXPECT_TRUE(read.preferQform);
}

TEST(Config, EnvironmentWinsOverTheFile) {
  Config config;
  ASSERT_TRUE(applyToml(config, temporaryFile("port = 1\nreaders = 3\n")));
  const std::map<std::string, std::string> environment{{"NORA_PORT", "2"}};
  ASSERT_TRUE(applyEnvironment(config, [&](const std::string& name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  }));
  EXPECT_EQ(config.port, 2);
  EXPECT_EQ(config.readers, 3);
}

TEST(Config, WrongSettingsNameTheFileAndTheKey) {
  for (const std::string content : {"prot = 1\n", "port = \"x\"\n", "port = 70000\n", "log_level = \"loud\"\n",
                                    "prefer_qform = 1\n", "backend = \"metal\"\n", "gpu_mib = -1\n", "port = \n"}) {
    Config config;
    const auto applied = applyToml(config, temporaryFile(content));
    ASSERT_FALSE(applied) << content;
    EXPECT_EQ(applied.error().code, ErrorCode::invalidInput);
    EXPECT_NE(applied.error().where.find("nora_config"), std::string::npos);
  }
}

TEST(Config, ListsAreArraysOrWordsWithCommas) {
  Config config;
  ASSERT_TRUE(applyToml(config, temporaryFile("trusted_proxies = [\"10.0.0.1\", \"fd00::/8\"]\n"
                                              "allowed_origins = \" https://a ,, https://b\"\n")));
  EXPECT_EQ(listOf(config.trustedProxies), (std::vector<std::string>{"10.0.0.1", "fd00::/8"}));
  EXPECT_EQ(listOf(config.allowedOrigins), (std::vector<std::string>{"https://a", "https://b"}));
  EXPECT_TRUE(listOf("").empty());
  ASSERT_TRUE(applyToml(config, temporaryFile("trusted_proxies = []\ntls_key = \"\"\n")));
  EXPECT_EQ(config.trustedProxies, "");
  for (const char* wrong : {"trusted_proxies = [1]\n", "bind = [\"127.0.0.1\"]\n", "bind = \"\"\n"}) {
    EXPECT_FALSE(applyToml(config, temporaryFile(wrong))) << wrong;
  }
}

TEST(Config, DirectoriesAndProvidersAreTables) {
  Config config;
  const auto applied = applyToml(config, temporaryFile(R"(
public_url = "https://nora.lab/"
[[ldap]]
urls = ["ldaps://a", "ldaps://b"]
groups = "memberOf"
group_names = { "cn=x,dc=lab" = "readers" }
timeout_ms = 200
[[ldap]]
name = "other"
start_tls = true
[oidc]
issuer = "https://login.lab/"
scopes = ["openid"]
client_secret_file = "/etc/nora/secret"
)"));
  ASSERT_TRUE(applied) << describe(applied.error());
  ASSERT_EQ(config.ldap.size(), 2U);
  EXPECT_EQ(config.ldap[0].name, "ldap");
  EXPECT_EQ(config.ldap[0].urls, (std::vector<std::string>{"ldaps://a", "ldaps://b"}));
  EXPECT_EQ(config.ldap[0].groupNames.at("cn=x,dc=lab"), "readers");
  EXPECT_EQ(config.ldap[0].timeoutMs, 200);
  EXPECT_TRUE(config.ldap[1].startTls);
  ASSERT_EQ(config.oidc.size(), 1U);
  EXPECT_EQ(config.oidc[0].scopes, std::vector<std::string>{"openid"});
  Config read;
  const auto printed = printConfig(config);
  const auto again = applyToml(read, temporaryFile(printed));
  ASSERT_TRUE(again) << describe(again.error()) << printed;
  EXPECT_EQ(printConfig(read), printed);
}

TEST(Config, WrongTablesNameTheSettingAndNoSecret) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"[ldap]\nurl = \"x\"\n", "[ldap] url is not a setting (line 2)"},
      {"[ldap]\nurls = \"x\"\n", "[ldap] urls has the wrong type"},
      {"[ldap]\nurls = [1]\n", "[ldap] urls has the wrong type"},
      {"[ldap]\ngroup_names = {a = 1}\n", "[ldap] group_names has the wrong type"},
      {"[ldap]\nstart_tls = 1\n", "[ldap] start_tls has the wrong type"},
      {"[ldap]\ntimeout_ms = 1\n", "[ldap] timeout_ms must be from 100 to 60000"},
      {"[ldap]\nbind_password = \"hush\"\n", "name a file by bind_password_file"},
      {"[[oidc]]\n[[oidc]]\nclient_secret = \"hush\"\n", "client_secret_env (line 3)"},
      {"ldap = 1\n", "ldap must be a table"},
      {"oidc = [1]\n", "oidc must be a table"},
  };
  for (const auto& [content, what] : cases) {
    Config config;
    const auto applied = applyToml(config, temporaryFile(content));
    ASSERT_FALSE(applied) << content;
    EXPECT_NE(applied.error().what.find(what), std::string::npos) << describe(applied.error());
    EXPECT_EQ(describe(applied.error()).find("hush"), std::string::npos);
  }
}

TEST(Config, MissingFileIsAnError) {
  Config config;
  EXPECT_FALSE(applyToml(config, "/nonexistent/nora.toml"));
}

}  // namespace
}  // namespace nora
