#include "streaming/protocol/shown_info.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

/// Texts that readers choose from lists of their own.
bool isOwnWord(const std::string& key) {
  for (const char* own : {"kind", "type", "role", "orientation", "affineSource", "format"}) {
    if (key == own) return true;
  }
  return false;
}

void dropTexts(nlohmann::json& value) {
  if (!value.is_structured()) return;
  if (value.is_array()) {
    for (auto& one : value) {
      if (one.is_string()) one = "";
      dropTexts(one);
    }
    return;
  }
  for (const char* key : {"file", "series"}) value.erase(key);
  for (const char* key : {"fields", "metadata", "warnings"}) {
    if (const auto list = value.find(key); list != value.end()) *list = nlohmann::json(list->type());  // empty
  }
  for (auto& [key, one] : value.items()) {
    if (key == "labels") {
      if (one.is_object() && one.contains("source")) one["source"] = "";
      continue;
    }
    if (one.is_string() && !isOwnWord(key)) one = "";
    dropTexts(one);
  }
}

}  // namespace

nlohmann::json withoutTexts(nlohmann::json info) {
  dropTexts(info);
  return info;
}

}  // namespace nora
