#include "image/content.hpp"

#include <nlohmann/json.hpp>

namespace nora {

std::string_view kindOf(const Content& content) {
  if (std::holds_alternative<Volume>(content)) return "image";
  if (std::holds_alternative<Surface>(content)) return "surface";
  if (std::holds_alternative<Tractogram>(content)) return "tracts";
  return std::get<Document>(content).info().kind;
}

nlohmann::json infoOf(const Content& content) {
  return std::visit([](const auto& value) { return toJson(value.info()); }, content);
}

}  // namespace nora
