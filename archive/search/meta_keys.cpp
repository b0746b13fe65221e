#include "archive/search/meta_keys.hpp"

#include "archive/search/fold.hpp"
#include "archive/search/query_values.hpp"

#include <cmath>
#include <unordered_map>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

/// The first `limit` characters of valid UTF-8.
std::string cut(std::string text, std::size_t limit) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;
    if (characters++ == limit) {
      text.resize(at);
      break;
    }
  }
  return text;
}

class Collector {
 public:
  void add(const std::string& name, const nlohmann::json& value, int depth) {
    if (rows_.size() >= MetaKeyLimits::rows || depth > MetaKeyLimits::depth) return;
    if (value.is_object()) {
      for (const auto& [key, inner] : value.items()) {
        add(name.empty() ? foldText(key) : name + "." + foldText(key), inner, depth + 1);
      }
    } else if (value.is_array()) {
      for (const auto& inner : value) add(name, inner, depth + 1);
    } else if (!value.is_null() && !name.empty()) {
      addScalar(name, value);
    }
  }

  std::vector<MetaKey> take() { return std::move(rows_); }

 private:
  void addScalar(const std::string& name, const nlohmann::json& value) {
    MetaKey row;
    row.name = cut(name, MetaKeyLimits::name);
    row.ordinal = next_[row.name]++;
    if (value.is_string()) {
      const auto& text = value.get_ref<const std::string&>();
      row.number = parseNumber(text);
      row.text = metaText(text);
    } else if (value.is_boolean()) {
      row.text = value.get<bool>() ? "true" : "false";
    } else {
      const double number = value.get<double>();
      if (std::isfinite(number)) row.number = number == 0 ? 0.0 : number;
      row.text = numberText(number);
    }
    rows_.push_back(std::move(row));
  }

  std::vector<MetaKey> rows_;
  std::unordered_map<std::string, int> next_;
};

}  // namespace

std::string metaKeyName(std::string_view key) {
  return cut(foldText(key), MetaKeyLimits::name);
}

std::string metaText(std::string_view text) {
  return cut(foldText(text), MetaKeyLimits::text);
}

std::vector<MetaKey> metaKeys(std::string_view json) {
  if (json.empty() || json == "{}") return {};
  const auto value = nlohmann::json::parse(json, nullptr, false);
  if (!value.is_object()) return {};
  Collector collector;
  collector.add({}, value, 0);
  return collector.take();
}

}  // namespace nora
