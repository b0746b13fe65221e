#include "app/api/shown_scene.hpp"

#include "app/archive_images.hpp"

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

}  // namespace

Result<nlohmann::json> shownScene(const ApiPlaces& places, RowMaker& rows, const std::string& scene) {
  auto out = nlohmann::json::parse(scene, nullptr, false);
  if (!out.is_object()) return nlohmann::json::object();
  if (!out.contains("layers") || !out["layers"].is_array()) return out;
  auto shown = nlohmann::json::array();
  for (auto& layer : out["layers"]) {
    if (!layer.is_object() || !layer.contains("source") || !layer["source"].is_object()) continue;
    const auto& named = layer["source"];
    const auto text = [&](const char* key) {
      return named.contains(key) && named[key].is_string() ? named[key].get<std::string>() : std::string();
    };
    const auto row = rowOf(places, rows, {text("path"), text("series")});
    if (!row && row.error().code != ErrorCode::notFound) return tl::make_unexpected(row.error());
    if (!row) continue;
    layer["source"] = row->at("source");
    shown.push_back(std::move(layer));
  }
  out["layers"] = std::move(shown);
  return out;
}

}  // namespace nora
