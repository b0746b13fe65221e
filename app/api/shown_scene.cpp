#include "app/api/shown_scene.hpp"

#include "app/archive_images.hpp"

#include <map>
#include <string>

namespace nora {
namespace {

/// The row of the file that a source names. Errors: notFound, also where it may not be read.
Result<nlohmann::json> rowOf(const ApiPlaces& places, RowMaker& rows, const Source& source) {
  if (const auto id = hiddenSourceId(source.path); id != 0) return rows.row(Level::file, id);
  const auto slash = source.path.find('/');
  const auto project = places.archive.project(source.path.substr(0, slash));
  if (!project) return tl::make_unexpected(project.error());
  const auto path = slash == std::string::npos ? std::string() : source.path.substr(slash + 1);
  const auto file = places.archive.file(project->id, path, source.series);
  if (!file) return tl::make_unexpected(file.error());
  return rows.row(Level::file, file->id);
}

std::string textIn(const nlohmann::json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Ids of layers are made of names of files. Those of `names` get theirs, also where other layers point to them.
void renameLayers(nlohmann::json& layers, const std::map<std::string, std::string>& names) {
  const auto rename = [&](nlohmann::json& object, const char* key) {
    const auto found = names.find(textIn(object, key));
    if (found != names.end()) object[key] = found->second;
  };
  for (auto& layer : layers) {
    rename(layer, "id");
    rename(layer, "modulatedBy");
    if (layer.contains("surface")) rename(layer["surface"], "on");
  }
}

}  // namespace

Result<nlohmann::json> shownScene(const ApiPlaces& places, RowMaker& rows, const std::string& scene) {
  auto out = nlohmann::json::parse(scene, nullptr, false);
  if (!out.is_object()) return nlohmann::json::object();
  if (!out.contains("layers") || !out["layers"].is_array()) return out;
  auto shown = nlohmann::json::array();
  std::map<std::string, std::string> hidden;  // ids that tell names, and others in their place
  for (auto& layer : out["layers"]) {
    if (!layer.is_object() || !layer.contains("source")) continue;
    const Source source{textIn(layer["source"], "path"), textIn(layer["source"], "series")};
    const auto row = rowOf(places, rows, source);
    if (!row && row.error().code != ErrorCode::notFound) return tl::make_unexpected(row.error());
    if (!row) continue;
    layer["source"] = row->at("source");
    if (hiddenSourceId(textIn(row->at("source"), "path")) != 0)
      hidden.emplace(textIn(layer, "id"), "layer " + std::to_string(hidden.size() + 1));
    shown.push_back(std::move(layer));
  }
  renameLayers(shown, hidden);
  out["layers"] = std::move(shown);
  return out;
}

}  // namespace nora
