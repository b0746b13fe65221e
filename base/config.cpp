#include "base/config.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
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
    ConfigField{"cache_mib", "Memory for loaded images, shared by all sessions.", nullptr, &Config::cacheMiB, 64,
                mostMiB},
    ConfigField{"volume_mib", "Largest image that is opened.", nullptr, &Config::volumeMiB, 1, mostMiB},
    ConfigField{"readers", "Processes that read files at the same time.", nullptr, &Config::readers, 1, 64},
    ConfigField{"read_seconds", "Longest time to read one image.", nullptr, &Config::readSeconds, 1, 86400},
    ConfigField{"sessions", "Most viewers at the same time.", nullptr, &Config::sessions, 1, 4096},
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
  if (value.empty()) return fail(ErrorCode::invalidInput, std::string(field.name) + " must not be empty", origin);
  return {};
}

}  // namespace

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
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&, k = key.str()](const auto& f) { return f.name == k; });
    if (field == fields.end()) {
      return fail(ErrorCode::invalidInput, "unknown setting '" + printable(key.str()) + "'", path);
    }
    std::optional<std::string> value;
    if (field->text != nullptr && node.is_string()) value = node.as_string()->get();
    if (field->number != nullptr && node.is_integer()) value = std::to_string(node.as_integer()->get());
    if (field->flag != nullptr && node.is_boolean()) value = node.as_boolean()->get() ? "true" : "false";
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
      out << toml::value<std::string>(config.*field.text) << "\n";
    } else if (field.flag != nullptr) {
      out << (config.*field.flag ? "true" : "false") << "\n";
    } else {
      out << config.*field.number << "\n";
    }
  }
  return out.str();
}

}  // namespace nora
