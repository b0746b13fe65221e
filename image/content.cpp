#include "image/content.hpp"

#include <nlohmann/json.hpp>

namespace nora {

std::string_view kindOf(const Content& content) {
  if (std::holds_alternative<Volume>(content)) return "image";
  if (std::holds_alternative<Surface>(content)) return "surface";
  if (std::holds_alternative<Tractogram>(content)) return "tracts";
  return std::get<Document>(content).info().kind;
}

namespace {

void dropArray(nlohmann::json& each) {
  if (!each.is_object()) return;
  each.erase("array");
  for (const char* key : {"data", "values"}) {
    if (!each.contains(key) || !each[key].is_array()) continue;
    for (auto& inner : each[key]) dropArray(inner);
  }
}

}  // namespace

std::size_t memoryBytes(const Content& content) {
  if (const auto* document = std::get_if<Document>(&content)) return document->bytes().size();
  if (const auto* volume = std::get_if<Volume>(&content)) return volume->memoryBytes();
  if (const auto* surface = std::get_if<Surface>(&content)) return surface->memoryBytes();
  return std::get<Tractogram>(content).memoryBytes();
}

std::shared_ptr<const Volume> volumeIn(const std::shared_ptr<const Content>& content) {
  const auto* volume = content ? std::get_if<Volume>(content.get()) : nullptr;
  return volume ? std::shared_ptr<const Volume>(content, volume) : nullptr;
}

nlohmann::json infoOf(const Content& content) {
  auto info = std::visit([](const auto& value) { return toJson(value.info()); }, content);
  // Places of arrays in memory look like counts and mean nothing outside; points of tracts are a count.
  const bool tracts = info.value("kind", "") == "tracts";
  for (const char* key : {"triangleCorners", "positions", "offsets", tracts ? "" : "points"}) info.erase(key);
  for (const char* key : {"data", "perPoint", "perStreamline", "groups"}) {
    if (!info.contains(key) || !info[key].is_array()) continue;
    for (auto& each : info[key]) dropArray(each);
  }
  return info;
}

}  // namespace nora
