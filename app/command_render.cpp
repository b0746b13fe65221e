// `nora render`: one still picture of a scene, the same bytes that a session shows.
#include "app/commands.hpp"
#include "app/local_images.hpp"
#include "render/renderer.hpp"
#include "render/scene/colour_map.hpp"
#include "render/scene/shape_layer.hpp"
#include "render/scene/transfer_presets.hpp"
#include "streaming/encoder/encoder.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

struct RenderOptions {
  std::string input;
  std::string output;
  std::string size = "1280x720";
  std::string view;
  std::string series;
  bool printScene = false;
  std::string backend = "auto";
  bool listColourMaps = false;
  bool listTransferPresets = false;
  bool stats = false;
  bool preferQform = false;
};

struct LoadedScene {
  Scene scene;
  LayerVolumes volumes;
  LayerShapes shapes;
};

/// Errors: unsupported (tables and texts have no picture).
Result<void> keep(const std::string& layer, const std::string& path, Content&& content, LoadedScene& loaded) {
  if (auto* volume = std::get_if<Volume>(&content)) {
    loaded.volumes[layer] = std::make_shared<const Volume>(std::move(*volume));
  } else if (std::holds_alternative<Document>(content)) {
    return fail(ErrorCode::unsupported, "there is nothing to draw: it holds a " + std::string(kindOf(content)), path);
  } else {
    loaded.shapes[layer] = std::make_shared<const Content>(std::move(content));
  }
  return {};
}

Result<void> loadLayers(ReaderPool& pool, const std::string& folder, LoadedScene& loaded) {
  for (const auto& layer : loaded.scene.layers) {
    const auto image = openSource(pool, folder, layer.source);
    if (!image) return tl::make_unexpected(image.error());
    auto content = pool.readContent(image->files, image->file, readOptions(*image), {});
    if (!content) return tl::make_unexpected(content.error());
    if (auto kept = keep(layer.id, image->file, std::move(*content), loaded); !kept) return kept;
  }
  return {};
}

Result<LoadedScene> loadSceneFile(ReaderPool& pool, const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::notFound, "cannot open the scene file", path);
  std::stringstream text;
  text << file.rdbuf();
  const auto json = nlohmann::json::parse(text.str(), nullptr, false);
  if (json.is_discarded()) return fail(ErrorCode::invalidInput, "the scene file is not JSON", path);
  auto scene = sceneFromJson(json);
  if (!scene) {
    scene.error().where = path + " " + scene.error().where;
    return tl::make_unexpected(scene.error());
  }
  LoadedScene loaded{std::move(*scene), {}, {}};
  if (auto layers = loadLayers(pool, std::filesystem::path(path).parent_path().string(), loaded); !layers) {
    return tl::make_unexpected(layers.error());
  }
  return loaded;
}

/// `series`: which of several images; empty: the first of a folder, the largest of a file.
Result<LoadedScene> loadImageFile(ReaderPool& pool, const std::string& path, std::string series) {
  std::error_code ignored;
  if (series.empty() && std::filesystem::is_directory(path, ignored)) {
    const auto images = openLocal(pool, path);
    if (!images) return tl::make_unexpected(images.error());
    series = images->front().key;
  }
  const auto image = openSource(pool, "", Source{path, series});
  if (!image) return tl::make_unexpected(image.error());
  auto content = pool.readContent(image->files, path, readOptions(*image), {});
  if (!content) return tl::make_unexpected(content.error());
  LoadedScene loaded;
  const Source source{std::filesystem::absolute(path).string(), image->key};
  const auto* volume = std::get_if<Volume>(&*content);
  loaded.scene = volume ? defaultScene(source, volume->info()) : defaultShapeScene(source, *content);
  if (auto kept = keep(loaded.scene.layers.front().id, path, std::move(*content), loaded); !kept) {
    return tl::make_unexpected(kept.error());
  }
  return loaded;
}

Result<std::pair<int, int>> parseSize(const std::string& text) {
  int width = 0;
  int height = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%dx%d%c", &width, &height, &rest) != 2 || width < 1 || height < 1) {
    return fail(ErrorCode::invalidInput, "must look like 1280x720, not '" + printable(text) + "'", "--size");
  }
  return std::pair{width, height};
}

Result<void> writeFile(const std::string& path, const std::vector<std::byte>& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return fail(ErrorCode::internal, "cannot write the picture", path);
  return {};
}

Result<void> renderPicture(const RenderOptions& options, const LoadedScene& loaded) {
  const auto size = parseSize(options.size);
  if (!size) return tl::make_unexpected(size.error());
  auto renderer = makeRenderer(options.backend);
  if (!renderer) {
    renderer.error().where = "--backend " + printable(options.backend);
    return tl::make_unexpected(renderer.error());
  }
  if (loaded.scene.views.empty()) return fail(ErrorCode::invalidInput, "the scene has no views", options.input);
  RenderRequest request;
  request.scene = &loaded.scene;
  request.view = options.view.empty() ? loaded.scene.views.front().name : options.view;
  std::tie(request.width, request.height) = *size;
  request.volumes = &loaded.volumes;
  request.shapes = &loaded.shapes;
  Frame frame;
  for (const Layer& layer : loaded.scene.layers) {
    const std::string why = whyNotPainted(loaded.scene, layer, loaded.shapes);
    if (!why.empty()) std::fprintf(stderr, "nora: layer %s: %s\n", printable(layer.id).c_str(), why.c_str());
  }
  const auto statistics = (*renderer)->render(request, frame);
  if (!statistics) return tl::make_unexpected(statistics.error());
  const auto png = encodePng(frame);
  if (!png) return tl::make_unexpected(png.error());
  if (options.stats) {
    const nlohmann::json stats{{"backend", (*renderer)->name()},
                               {"prepareUs", statistics->prepare.count()},
                               {"geometryUs", statistics->geometry.count()},
                               {"drawUs", statistics->draw.count()},
                               {"samples", statistics->samples},
                               {"skippedSteps", statistics->skipped}};
    std::printf("%s\n", stats.dump().c_str());
  }
  return writeFile(options.output, *png);
}

int runRender(const RenderOptions& options) {
  if (options.listColourMaps) {
    for (const auto name : colourMapNames()) std::printf("%s\n", std::string(name).c_str());
    return 0;
  }
  if (options.listTransferPresets) {
    for (const auto& preset : transferPresets()) {
      std::printf("%-12s %s\n", std::string(preset.name).c_str(), std::string(preset.title).c_str());
    }
    return 0;
  }
  if (options.input.empty())
    return report(Error{ErrorCode::invalidInput, "a scene or an image file is needed", "SCENE"});
  if (options.output.empty() && !options.printScene) {
    return report(Error{ErrorCode::invalidInput, "say where to write the picture", "-o"});
  }
  ReaderPool pool("/proc/self/exe", commandLineLimits(options.preferQform));
  const bool isScene = options.input.ends_with(".json");
  const auto loaded = isScene ? loadSceneFile(pool, options.input) : loadImageFile(pool, options.input, options.series);
  if (!loaded) return report(loaded.error());
  if (options.printScene)
    std::printf("%s\n", toJson(loaded->scene).dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  if (options.output.empty()) return 0;
  if (auto rendered = renderPicture(options, *loaded); !rendered) return report(rendered.error());
  return 0;
}

}  // namespace

void addRenderCommand(CLI::App& app, int& exitStatus) {
  auto options = std::make_shared<RenderOptions>();
  CLI::App* command = app.add_subcommand("render", "Writes a picture of a scene, or of an image in its default view");
  command->add_option("SCENE", options->input, "A scene (.json), an image file or a folder of DICOM");
  command->add_option("-o,--output", options->output, "The PNG file to write");
  command->add_option("--size", options->size, "Width and height in pixels")->capture_default_str();
  command->add_option("--series", options->series, "Which image of a DICOM folder or file: its 'series' in nora info");
  command->add_option("--view", options->view, "Name of the view; the first one by default");
  command->add_flag("--print-scene", options->printScene, "Print the scene as JSON");
  command->add_flag("--list-colour-maps", options->listColourMaps, "Print the names of the colour maps");
  command->add_flag("--list-transfer-presets", options->listTransferPresets,
                    "Print the names of the transfer functions for volume views");
  command
      ->add_option("--backend", options->backend,
                   "What draws: cpu, cuda (an NVIDIA GPU), or auto: that where there is one")
      ->capture_default_str();
  command->add_flag("--stats", options->stats, "Print backend, stage times, samples and skipped ray steps as JSON");
  command->add_flag("--prefer-qform", options->preferQform, "NIfTI: the qform goes before the sform");
  command->callback([options, &exitStatus] { exitStatus = runRender(*options); });
}

}  // namespace nora
