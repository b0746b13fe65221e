#include "streaming/layer_images.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::size_t longestIdStem = 40;

const Layer* findLayer(const Scene& scene, const std::string& id) {
  const auto at = std::find_if(scene.layers.begin(), scene.layers.end(), [&](const Layer& l) { return l.id == id; });
  return at == scene.layers.end() ? nullptr : &*at;
}

bool plainCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

bool LayerImages::follow(const Scene& scene, std::uint64_t& lastTicket, std::vector<ImageLoad>& loads) {
  bool changed = false;
  for (auto at = images_.begin(); at != images_.end();) {
    const Layer* layer = findLayer(scene, at->first);
    if (layer != nullptr && layer->source == at->second.source) {
      ++at;
      continue;
    }
    at->second.stop.request_stop();
    at = images_.erase(at);
    changed = true;
  }
  for (const auto& layer : scene.layers) {
    if (images_.contains(layer.id)) continue;
    Image& image = images_[layer.id];
    image.source = layer.source;
    image.ticket = ++lastTicket;
    loads.push_back({image.ticket, image.source, image.stop.get_token()});
    changed = true;
  }
  return changed;
}

void LayerImages::put(const std::string& layer, const Source& source, std::shared_ptr<const Volume> volume) {
  const auto at = images_.find(layer);
  if (at != images_.end()) at->second.stop.request_stop();
  Image image;
  image.source = source;
  image.state = ImageState::ready;
  image.volume = std::move(volume);
  images_.insert_or_assign(layer, std::move(image));
}

std::optional<std::string> LayerImages::finish(std::uint64_t ticket, Result<std::shared_ptr<const Volume>> result) {
  const auto at =
      std::find_if(images_.begin(), images_.end(), [&](const auto& i) { return i.second.ticket == ticket; });
  if (at == images_.end()) return std::nullopt;
  Image& image = at->second;
  if (result && *result != nullptr) {
    image.state = ImageState::ready;
    image.volume = std::move(*result);
  } else {
    image.state = ImageState::failed;
    image.error = result ? Error{ErrorCode::internal, "no image came back", image.source.path} : result.error();
  }
  return at->first;
}

void LayerImages::forgetFailures() {
  std::erase_if(images_, [](const auto& image) { return image.second.state == ImageState::failed; });
}

void LayerImages::stopAll() {
  for (auto& [id, image] : images_) image.stop.request_stop();
  images_.clear();
}

std::shared_ptr<const LayerVolumes> LayerImages::volumes() const {
  auto out = std::make_shared<LayerVolumes>();
  for (const auto& [id, image] : images_) {
    if (image.volume != nullptr) out->emplace(id, image.volume);
  }
  return out;
}

const Volume* LayerImages::find(const std::string& layer) const {
  const auto at = images_.find(layer);
  return at == images_.end() ? nullptr : at->second.volume.get();
}

std::vector<LayerReport> LayerImages::reports(const Scene& scene) const {
  std::vector<LayerReport> out;
  for (const auto& layer : scene.layers) {
    const auto at = images_.find(layer.id);
    if (at == images_.end()) continue;
    const Image& image = at->second;
    LayerReport report;
    report.id = layer.id;
    report.name = shownName(image.source);
    report.state = image.state;
    if (image.volume != nullptr) {
      report.info = &image.volume->info();
      report.window = effectiveWindow(layer, image.volume->info());
    }
    if (image.state == ImageState::failed) report.error = describe(image.error);
    out.push_back(std::move(report));
  }
  return out;
}

std::string shownName(const Source& source) {
  std::string_view path = source.path;
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string newLayerId(const Source& source, const std::vector<std::string>& taken) {
  const std::string name = shownName(source);
  std::string stem;
  for (const char c : name.substr(0, name.find('.'))) {
    if (stem.size() < longestIdStem) stem += plainCharacter(c) ? c : '-';
  }
  if (stem.empty()) stem = "image";
  std::string id = stem;
  for (int n = 2; std::find(taken.begin(), taken.end(), id) != taken.end(); ++n) id = stem + "-" + std::to_string(n);
  return id;
}

}  // namespace nora
