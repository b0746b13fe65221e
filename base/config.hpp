// The settings of a server: defaults < TOML file < environment (NORA_...) < command line. One table of fields serves
// all; directories and providers of log-ins (login_config.hpp) stand in the file alone.
#pragma once

#include "base/error.hpp"
#include "base/login_config.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

struct Config {
  std::string bind = "127.0.0.1";
  std::int64_t port = 8080;
  std::string tlsCertificate;
  std::string tlsKey;
  std::string trustedProxies;
  std::string allowedOrigins;
  std::string index;
  std::string login = "auto";
  std::string publicUrl;
  std::int64_t sessionHours = 12;
  std::int64_t confirmHours = 12;
  std::int64_t confirmDays = 30;
  std::int64_t cacheMiB = 4096;
  std::int64_t volumeMiB = 8192;
  std::int64_t readers = 2;
  std::int64_t readSeconds = 120;
  std::int64_t sessions = 64;
  std::int64_t sessionsPerUser = 16;
  std::int64_t sessionsPerAddress = 64;
  std::int64_t connections = 1024;
  std::int64_t connectionsPerAddress = 256;
  std::int64_t messagesPerSecond = 300;
  std::int64_t messageKibPerSecond = 4096;
  bool metricsPublic = false;
  std::int64_t jpegQuality = 80;
  std::int64_t frameBudgetMs = 33;
  std::int64_t smallestPercent = 16;
  std::string backend = "auto";
  std::int64_t gpuMiB = 0;
  bool preferQform = false;
  std::string logLevel = "info";
  std::vector<LdapConfig> ldap;  // in the order in which they are asked
  std::vector<OidcConfig> oidc;
};

/// One setting: its name in TOML ("cache_mib"), on the command line ("--cache-mib") and in the environment
/// ("NORA_CACHE_MIB"), and what it means.
struct ConfigField {
  std::string_view name;
  std::string_view comment;
  std::string Config::*text = nullptr;
  std::int64_t Config::*number = nullptr;
  std::int64_t low = 0, high = 0;  // allowed range of a number
  bool Config::*flag = nullptr;
  enum class Shape { word, optional, list } shape = Shape::word;  // of a text: only words must not be empty
};

[[nodiscard]] std::span<const ConfigField> configFields();

/// The parts of a list: separated by commas, blanks around them left out.
[[nodiscard]] std::vector<std::string> listOf(std::string_view text);

/// Sets a field from text. Errors: invalidInput (not a number, out of range), with `where` the given origin.
[[nodiscard]] Result<void> setField(Config& config, const ConfigField& field, std::string_view value,
                                    std::string origin);

/// Applies a TOML file; an unknown key or a wrong type is an Error that names file and key, never the value of a
/// secret.
[[nodiscard]] Result<void> applyToml(Config& config, const std::string& path);

/// Applies the environment; `get` is getenv outside of tests.
[[nodiscard]] Result<void> applyEnvironment(Config& config, const std::function<const char*(const std::string&)>& get);

/// TOML with comments, as `--print-config` shows it; applyToml reads it back.
[[nodiscard]] std::string printConfig(const Config& config);

}  // namespace nora
