#include "base/config.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <sstream>

#define TOML_EXCEPTIONS 0  // the packaged library is built with exceptions: use the headers alone
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace nora {
namespace {

constexpr std::int64_t mostMiB = std::int64_t{1} << 24;

const std::array fields{
    ConfigField{"bind", "Address to listen on. 0.0.0.0 lets every host in the network in.", &Config::bind},
    ConfigField{"port", "TCP port; 0 takes any free one.", nullptr, &Config::port, 0, 65535},
    ConfigField{.name = "tls_certificate",
                .comment =
                    "PEM file: the server's certificate, then those that lead to a known authority. With tls_key: "
                    "https instead of http. Read again when the files change, and on SIGHUP.",
                .text = &Config::tlsCertificate,
                .shape = ConfigField::Shape::optional},
    ConfigField{.name = "tls_key",
                .comment = "PEM file: the private key, without a pass phrase.",
                .text = &Config::tlsKey,
                .shape = ConfigField::Shape::optional},
    ConfigField{.name = "trusted_proxies",
                .comment = "Addresses or ranges (10.0.0.0/8), separated by commas: their X-Forwarded-For, -Host and "
                           "-Proto are believed.",
                .text = &Config::trustedProxies,
                .shape = ConfigField::Shape::list},
    ConfigField{.name = "allowed_origins",
                .comment = "Like https://images.example.org, separated by commas: only pages from there may connect. "
                           "Empty: pages from the host that they ask.",
                .text = &Config::allowedOrigins,
                .shape = ConfigField::Shape::list},
    ConfigField{.name = "index",
                .comment = "Where projects, users and tags are kept: a file of SQLite, or mysql://USER@HOST/NAME with "
                           "the password in NORA_INDEX_PASSWORD. Empty: ~/.local/share/nora/index.sqlite.",
                .text = &Config::index,
                .shape = ConfigField::Shape::optional},
    ConfigField{"login",
                "auto: who sits at this machine needs no log-in while the server listens on it alone and there are no "
                "accounts. always: everybody logs in.",
                &Config::login},
    ConfigField{.name = "public_url",
                .comment = "How browsers reach nora, as https://images.example.org/nora/. OpenID Connect needs it: at "
                           "the provider, register it with api/v1/login/oidc/callback behind it.",
                .text = &Config::publicUrl,
                .shape = ConfigField::Shape::optional},
    ConfigField{"session_hours", "A log-in ends so long after its last use.", nullptr, &Config::sessionHours, 1, 8760},
    ConfigField{"confirm_hours",
                "Users of a directory or provider stay logged in for so long after it has last confirmed who they are, "
                "by a log-in or check_seconds.",
                nullptr, &Config::confirmHours, 1, 8760},
    ConfigField{"confirm_days", "The same for their tokens and share links, which then rest until it does.", nullptr,
                &Config::confirmDays, 1, 3650},
    ConfigField{"cache_mib", "Memory for loaded images, shared by all sessions.", nullptr, &Config::cacheMiB, 64,
                mostMiB},
    ConfigField{"volume_mib", "Largest image that is opened.", nullptr, &Config::volumeMiB, 1, mostMiB},
    ConfigField{"readers", "Processes that read files at the same time.", nullptr, &Config::readers, 1, 64},
    ConfigField{"read_seconds", "Longest time to read one image.", nullptr, &Config::readSeconds, 1, 86400},
    ConfigField{"sessions", "Most viewers at the same time.", nullptr, &Config::sessions, 1, 4096},
    ConfigField{"sessions_per_user", "Most viewers at the same time of one user.", nullptr, &Config::sessionsPerUser, 1,
                4096},
    ConfigField{"sessions_per_address", "Most viewers at the same time at one address.", nullptr,
                &Config::sessionsPerAddress, 1, 4096},
    ConfigField{"connections", "Most connections at the same time; the oldest that ask nothing make room for new ones.",
                nullptr, &Config::connections, 16, 16384},
    ConfigField{"connections_per_address", "The same for one address, but not for trusted_proxies.", nullptr,
                &Config::connectionsPerAddress, 4, 16384},
    ConfigField{"messages_per_second",
                "Of one viewer in the long run, a burst of three times as many at once; more end the connection.",
                nullptr, &Config::messagesPerSecond, 10, 100000},
    ConfigField{"message_kib_per_second", "The same in KiB, with a burst of four times as much.", nullptr,
                &Config::messageKibPerSecond, 64, 1 << 20},
    ConfigField{.name = "metrics_public",
                .comment = "true: /metrics is answered to everybody, not to this machine only.",
                .flag = &Config::metricsPublic},
    ConfigField{"jpeg_quality", "JPEG quality while something moves.", nullptr, &Config::jpegQuality, 10, 100},
    ConfigField{"frame_budget_ms",
                "Time to draw and encode a picture while something moves; it gets coarser to meet that.", nullptr,
                &Config::frameBudgetMs, 5, 1000},
    ConfigField{"smallest_percent",
                "Of a view's width and height: moving pictures get no smaller, however long they take.", nullptr,
                &Config::smallestPercent, 16, 100},
    ConfigField{"backend", "What draws: cpu, cuda, or auto for cuda where there is a GPU.", &Config::backend},
    ConfigField{"gpu_mib", "Memory of the GPU for images; 0 takes most of what is free.", nullptr, &Config::gpuMiB, 0,
                mostMiB},
    ConfigField{.name = "prefer_qform",
                .comment = "NIfTI: true takes the qform where an image has both that and an sform; else the sform.",
                .flag = &Config::preferQform},
    ConfigField{"log_level", "debug, info, warning or error.", &Config::logLevel},
};

std::string environmentName(std::string_view name) {
  std::string out = "NORA_";
  for (const char c : name) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

Result<void> checkText(const ConfigField& field, std::string_view value, const std::string& origin) {
  static constexpr std::array<std::string_view, 4> levels{"debug", "info", "warning", "error"};
  static constexpr std::array<std::string_view, 3> backends{"auto", "cpu", "cuda"};
  const auto isNone = [&](const auto& allowed) {
    return std::find(allowed.begin(), allowed.end(), value) == allowed.end();
  };
  if (field.name == "log_level" && isNone(levels)) {
    return fail(ErrorCode::invalidInput, "log_level must be debug, info, warning or error", origin);
  }
  if (field.name == "backend" && isNone(backends)) {
    return fail(ErrorCode::invalidInput, "backend must be auto, cpu or cuda", origin);
  }
  if (field.name == "login" && value != "auto" && value != "always") {
    return fail(ErrorCode::invalidInput, "login must be auto or always", origin);
  }
  if (value.empty() && field.shape == ConfigField::Shape::word) {
    return fail(ErrorCode::invalidInput, std::string(field.name) + " must not be empty", origin);
  }
  return {};
}

/// The text of a TOML value for a field; empty if it has the wrong type.
std::optional<std::string> textOf(const ConfigField& field, const toml::node& node) {
  if (field.text != nullptr && node.is_string()) return node.as_string()->get();
  if (field.number != nullptr && node.is_integer()) return std::to_string(node.as_integer()->get());
  if (field.flag != nullptr && node.is_boolean()) return node.as_boolean()->get() ? "true" : "false";
  if (field.shape != ConfigField::Shape::list || !node.is_array()) return std::nullopt;
  std::string out;
  for (const auto& item : *node.as_array()) {
    if (!item.is_string()) return std::nullopt;
    out += (out.empty() ? "" : ",") + item.as_string()->get();
  }
  return out;
}

std::optional<std::vector<std::string>> textsOf(const toml::node& node) {
  std::vector<std::string> out;
  if (!node.is_array()) return std::nullopt;
  for (const auto& item : *node.as_array()) {
    if (!item.is_string()) return std::nullopt;
    out.push_back(item.as_string()->get());
  }
  return out;
}

std::optional<std::map<std::string, std::string>> namesOf(const toml::node& node) {
  std::map<std::string, std::string> out;
  if (!node.is_table()) return std::nullopt;
  for (const auto& [key, value] : *node.as_table()) {
    if (!value.is_string()) return std::nullopt;
    out[std::string(key.str())] = value.as_string()->get();
  }
  return out;
}

/// False if the value has the wrong type.
template <class Table>
bool setValue(Table& table, const TableField<Table>& field, const toml::node& node) {
  const auto take = [](auto& to, auto value) {
    if (value) to = *std::move(value);
    return value.has_value();
  };
  if (field.text != nullptr) return take(table.*field.text, node.value_exact<std::string>());
  if (field.flag != nullptr) return take(table.*field.flag, node.value_exact<bool>());
  if (field.number != nullptr) return take(table.*field.number, node.value_exact<std::int64_t>());
  if (field.list != nullptr) return take(table.*field.list, textsOf(node));
  return take(table.*field.names, namesOf(node));
}

template <class Table>
Result<Table> tableFrom(const toml::table& from, std::span<const TableField<Table>> known, std::string_view kind,
                        const std::string& path) {
  Table out;
  for (const auto& [key, node] : from) {
    const auto wrong = [&, k = key.str(), line = node.source().begin.line](const std::string& what) {
      return fail(ErrorCode::invalidInput,
                  "[" + std::string(kind) + "] " + printable(k) + " " + what + " (line " + std::to_string(line) + ")",
                  path);
    };
    const auto field =
        std::find_if(known.begin(), known.end(), [&, k = key.str()](const auto& f) { return f.name == k; });
    if (field == known.end()) {
      const std::string inFile = std::string(key.str()) + "_file";
      const bool isSecret = std::any_of(known.begin(), known.end(), [&](const auto& f) { return f.name == inFile; });
      return wrong(isSecret ? "does not belong here: name a file by " + inFile + ", or an environment variable by " +
                                  std::string(key.str()) + "_env"
                            : "is not a setting");
    }
    if (!setValue(out, *field, node)) return wrong("has the wrong type");
    if (field->number != nullptr && (out.*field->number < field->low || out.*field->number > field->high)) {
      return wrong("must be from " + std::to_string(field->low) + " to " + std::to_string(field->high));
    }
  }
  return out;
}

/// [kind], or each [[kind]].
template <class Table>
Result<void> applyTables(std::vector<Table>& to, const toml::node& node, std::span<const TableField<Table>> known,
                         std::string_view kind, const std::string& path) {
  std::vector<const toml::table*> tables;
  if (node.is_table()) tables.push_back(node.as_table());
  if (node.is_array()) {
    for (const auto& one : *node.as_array()) tables.push_back(one.as_table());
  }
  to.clear();
  for (const toml::table* table : tables) {
    if (table == nullptr) break;
    auto one = tableFrom(*table, known, kind, path);
    if (!one) return tl::make_unexpected(one.error());
    to.push_back(*std::move(one));
  }
  if (!to.empty() && to.size() == tables.size()) return {};
  return fail(ErrorCode::invalidInput,
              std::string(kind) + " must be a table, [" + std::string(kind) + "] or [[" + std::string(kind) + "]]",
              path);
}

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

template <class Table>
std::string valueText(const Table& table, const TableField<Table>& field) {
  if (field.text != nullptr) return quoted(table.*field.text);
  if (field.flag != nullptr) return table.*field.flag ? "true" : "false";
  if (field.number != nullptr) return std::to_string(table.*field.number);
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
  if (field.list != nullptr) {
    for (const auto& one : table.*field.list) add(quoted(one));
    return "[" + out + "]";
  }
  for (const auto& [key, value] : table.*field.names) add(quoted(key) + " = " + quoted(value));
  return "{" + out + "}";
}

/// Where there is none, its defaults as a comment.
template <class Table>
void printTables(std::ostringstream& out, const std::vector<Table>& tables, std::span<const TableField<Table>> known,
                 std::string_view kind, std::string_view what) {
  const std::vector<Table> sample(1);
  const std::string mark = tables.empty() ? "# " : "";
  for (const Table& table : tables.empty() ? sample : tables) {
    out << "\n# " << what << "\n" << mark << "[[" << kind << "]]\n";
    for (const auto& field : known) {
      out << "# " << field.comment << "\n" << mark << field.name << " = " << valueText(table, field) << "\n";
    }
  }
}

}  // namespace

std::vector<std::string> listOf(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto part = text.substr(0, comma);
    const auto first = part.find_first_not_of(" \t");
    if (first != std::string_view::npos) out.emplace_back(part.substr(first, part.find_last_not_of(" \t") - first + 1));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return out;
}

std::span<const ConfigField> configFields() {
  return fields;
}

Result<void> setField(Config& config, const ConfigField& field, std::string_view value, std::string origin) {
  if (field.text != nullptr) {
    if (auto checked = checkText(field, value, origin); !checked) return checked;
    config.*field.text = std::string(value);
    return {};
  }
  if (field.flag != nullptr) {
    if (value != "true" && value != "false") {
      return fail(ErrorCode::invalidInput, std::string(field.name) + " must be true or false", std::move(origin));
    }
    config.*field.flag = value == "true";
    return {};
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || number < field.low || number > field.high) {
    return fail(ErrorCode::invalidInput,
                std::string(field.name) + " must be a whole number from " + std::to_string(field.low) + " to " +
                    std::to_string(field.high) + ", not '" + printable(value) + "'",
                std::move(origin));
  }
  config.*field.number = number;
  return {};
}

Result<void> applyToml(Config& config, const std::string& path) {
  const toml::parse_result parsed = toml::parse_file(path);
  if (!parsed) {
    std::ostringstream message;
    message << parsed.error().description() << " (line " << parsed.error().source().begin.line << ")";
    return fail(ErrorCode::invalidInput, message.str(), path);
  }
  for (const auto& [key, node] : parsed.table()) {
    const bool isLdap = key.str() == "ldap";
    if (isLdap || key.str() == "oidc") {
      auto applied = isLdap ? applyTables(config.ldap, node, ldapFields(), "ldap", path)
                            : applyTables(config.oidc, node, oidcFields(), "oidc", path);
      if (!applied) return applied;
      continue;
    }
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&, k = key.str()](const auto& f) { return f.name == k; });
    if (field == fields.end()) {
      return fail(ErrorCode::invalidInput, "unknown setting '" + printable(key.str()) + "'", path);
    }
    const auto value = textOf(*field, node);
    if (!value) return fail(ErrorCode::invalidInput, std::string(field->name) + " has the wrong type", path);
    if (auto set = setField(config, *field, *value, path); !set) return set;
  }
  return {};
}

Result<void> applyEnvironment(Config& config, const std::function<const char*(const std::string&)>& get) {
  for (const auto& field : fields) {
    const std::string name = environmentName(field.name);
    const char* value = get(name);
    if (value == nullptr) continue;
    if (auto set = setField(config, field, value, name); !set) return set;
  }
  return {};
}

std::string printConfig(const Config& config) {
  std::ostringstream out;
  for (const auto& field : fields) {
    out << "# " << field.comment << "\n" << field.name << " = ";
    if (field.text != nullptr) {
      out << quoted(config.*field.text) << "\n";
    } else if (field.flag != nullptr) {
      out << (config.*field.flag ? "true" : "false") << "\n";
    } else {
      out << config.*field.number << "\n";
    }
  }
  printTables(out, config.ldap, ldapFields(), "ldap", "A directory by which people log in; asked in their order.");
  printTables(out, config.oidc, oidcFields(), "oidc", "A provider of OpenID Connect by which people log in.");
  return out.str();
}

}  // namespace nora
