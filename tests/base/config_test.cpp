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

TEST(Config, MissingFileIsAnError) {
  Config config;
  EXPECT_FALSE(applyToml(config, "/nonexistent/nora.toml"));
}

}  // namespace
}  // namespace nora
