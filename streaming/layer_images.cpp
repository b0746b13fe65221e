#include "streaming/layer_images.hpp"

#include "render/scene/shape_layer.hpp"

#include <algorithm>
#include <utility>

namespace nora {
namespace {

constexpr std::size_t longestIdStem = 40;

const Layer* findLayer(const Scene& scene, const std::string& id) {
  const auto at = std::find_if(scene.layers.begin(), scene.layers.end(), [&](const Layer& l) { return l.id == id; });
  return at == scene.layers.end() ? nullptr : &*at;
}

/// The time point of an image that a layer shows.
std::int64_t shownTime(const Layer& layer, const Volume& volume) {
  return std::clamp<std::int64_t>(layer.time, 0, volume.info().timePoints - 1);
}

Window shapeWindow(const Layer& layer, const Content& shape) {
  if (const auto* surface = std::get_if<Surface>(&shape)) {
    const auto shown = shownData(layer, *surface);
    return shown ? effectiveWindow(layer, *shown->data, surface->arrays()) : Window{};
  }
  const auto* tracts = std::get_if<Tractogram>(&shape);
  const auto shown = tracts ? shownData(layer, *tracts) : std::nullopt;
  return shown ? effectiveWindow(layer, *shown->data, tracts->arrays()) : Window{};
}

bool plainCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

void LayerImages::start(Image& image, std::optional<std::int64_t> timePoint, std::uint64_t& lastTicket,
                        std::vector<ImageLoad>& loads) {
  Pending& load = image.pending.emplace_back();
  load.ticket = ++lastTicket;
  load.timePoint = timePoint;
  loads.push_back({load.ticket, image.source, timePoint, !timePoint, load.stop.get_token()});
}

/// Of an image that has some of its time points: starts what is still needed, stops what is not. True if what it waits
/// for changed.
bool LayerImages::complete(Image& image, const Layer& layer, std::uint64_t& lastTicket, std::vector<ImageLoad>& loads) {
  const auto before = std::exchange(image.awaited, std::nullopt);
  if (image.volume == nullptr || image.volume->isComplete()) return before.has_value();
  const std::int64_t shown = shownTime(layer, *image.volume);
  const bool there = image.volume->holds(shown);
  bool isComing = false;
  bool wholeIsComing = false;
  for (auto& load : image.pending) {
    wholeIsComing = wholeIsComing || !load.timePoint;
    if (load.timePoint && *load.timePoint == shown && !there) isComing = true;
    if (load.timePoint && (*load.timePoint != shown || there)) load.stop.request_stop();
  }
  std::erase_if(image.pending, [](const Pending& load) { return load.stop.stop_requested(); });
  if (!there) {
    const bool givenUp = before && before->timePoint == shown && before->state != AwaitedTime::State::loading;
    image.awaited = givenUp ? before : AwaitedTime{shown, AwaitedTime::State::loading};
    if (!givenUp && !isComing) start(image, shown, lastTicket, loads);
  }
  if (!wholeIsComing && !image.settled) start(image, std::nullopt, lastTicket, loads);
  return image.awaited != before;
}

bool LayerImages::follow(const Scene& scene, std::uint64_t& lastTicket, std::vector<ImageLoad>& loads) {
  bool changed = false;
  for (auto at = images_.begin(); at != images_.end();) {
    const Layer* layer = findLayer(scene, at->first);
    if (layer != nullptr && layer->source == at->second.source) {
      changed = complete(at->second, *layer, lastTicket, loads) || changed;
      ++at;
      continue;
    }
    at->second.stop();
    at = images_.erase(at);
    changed = true;
  }
  for (const auto& layer : scene.layers) {
    if (images_.contains(layer.id)) continue;
    Image& image = images_[layer.id];
    image.source = layer.source;
    start(image, std::max<std::int64_t>(layer.time, 0), lastTicket, loads);
    changed = true;
  }
  return changed;
}

void LayerImages::put(const std::string& layer, const Source& source, LayerContent content, Histogram histogram) {
  const auto at = images_.find(layer);
  if (at != images_.end()) at->second.stop();
  Image image;
  image.source = source;
  image.state = ImageState::ready;
  image.volume = content.volume();
  image.shape = content.shape();
  image.hidesTexts = content.hidesTexts();
  image.histogram = std::move(histogram);
  images_.insert_or_assign(layer, std::move(image));
}

std::optional<FinishedLoad> LayerImages::finish(std::uint64_t ticket, Result<LayerContent> result,
                                                Histogram histogram) {
  for (auto& [id, image] : images_) {
    const auto load = std::find_if(image.pending.begin(), image.pending.end(),
                                   [&](const Pending& pending) { return pending.ticket == ticket; });
    if (load == image.pending.end()) continue;
    const auto timePoint = load->timePoint;
    image.pending.erase(load);
    if (result && !result->isEmpty()) {
      image.volume = result->volume();
      image.shape = result->shape();
      image.hidesTexts = result->hidesTexts();
      image.histogram = std::move(histogram);
      image.state = ImageState::ready;
      if (!image.volume || image.volume->isComplete()) image.stop();
      return FinishedLoad{id, std::nullopt};
    }
    const Error error = result ? Error{ErrorCode::internal, "no image came back", image.source.path} : result.error();
    if (image.volume == nullptr && image.shape == nullptr) {
      image.state = ImageState::failed;
      image.error = error;
    }
    if (!timePoint) {
      image.settled = true;
    } else if (image.awaited && image.awaited->timePoint == *timePoint) {
      image.awaited->state = AwaitedTime::State::failed;
    }
    return FinishedLoad{id, error};
  }
  return std::nullopt;
}

std::vector<FinishedLoad> LayerImages::dropChanged() {
  std::vector<FinishedLoad> dropped;
  for (auto& [id, image] : images_) {
    if (image.volume == nullptr || image.volume->isIntact()) continue;
    image.stop();
    image.volume.reset();
    image.awaited.reset();
    image.state = ImageState::failed;
    image.error = {ErrorCode::unavailable, "the file was changed while it was shown; load it again", image.source.path};
    dropped.push_back({id, image.error});
  }
  return dropped;
}

void LayerImages::stopLoads() {
  for (auto& [id, image] : images_) image.stop();
  std::erase_if(images_, [](const auto& item) { return item.second.state == ImageState::loading; });
}

void LayerImages::clear() {
  stopAll();
  images_.clear();
}

bool LayerImages::holdsTimesOf(const Scene& scene) const {
  return std::all_of(scene.layers.begin(), scene.layers.end(), [&](const Layer& layer) {
    const auto at = images_.find(layer.id);
    if (at == images_.end() || at->second.state == ImageState::loading) return false;
    const Volume* volume = at->second.volume.get();
    return volume == nullptr || volume->holds(shownTime(layer, *volume));
  });
}

bool LayerImages::cancel(const std::string& layer) {
  const auto at = images_.find(layer);
  if (at == images_.end() || at->second.pending.empty()) return false;
  Image& image = at->second;
  image.stop();
  image.settled = true;
  if (image.volume == nullptr && image.shape == nullptr) {
    image.state = ImageState::failed;
    image.error = {ErrorCode::cancelled, "loading was cancelled", image.source.path};
  } else if (image.awaited && image.awaited->state == AwaitedTime::State::loading) {
    image.awaited->state = AwaitedTime::State::stopped;
  }
  return true;
}

bool LayerImages::resume(const std::string& layer) {
  const auto at = images_.find(layer);
  if (at == images_.end()) return false;
  Image& image = at->second;
  if (image.state == ImageState::failed) {
    images_.erase(at);
    return true;
  }
  const bool isPart = image.volume != nullptr && !image.volume->isComplete();
  if (!isPart || (!image.settled && !image.awaited)) return false;
  image.settled = false;
  if (image.awaited) image.awaited->state = AwaitedTime::State::loading;
  return true;
}

std::shared_ptr<const Scene> LayerImages::drawable(const std::shared_ptr<const Scene>& scene) const {
  std::shared_ptr<Scene> drawn;
  for (std::size_t i = 0; i < scene->layers.size(); ++i) {
    const auto at = images_.find(scene->layers[i].id);
    if (at == images_.end() || !at->second.awaited || at->second.volume == nullptr) continue;
    if (drawn == nullptr) drawn = std::make_shared<Scene>(*scene);
    drawn->layers[i].time = at->second.volume->held().first;
  }
  return drawn == nullptr ? scene : drawn;
}

void LayerImages::setProgress(std::uint64_t ticket, double fraction) {
  for (auto& [id, image] : images_) {
    for (auto& load : image.pending) {
      if (load.ticket == ticket) load.progress = fraction;
    }
  }
}

std::map<std::string, double> LayerImages::progress(std::chrono::steady_clock::time_point startedBefore) const {
  std::map<std::string, double> out;
  for (const auto& [id, image] : images_) {
    for (const auto& load : image.pending) {
      // Of a series of which all is coming, the whole counts.
      const bool counts = !load.timePoint || image.volume == nullptr || image.settled;
      if (load.progress && load.started <= startedBefore && counts) out[id] = *load.progress;
    }
  }
  return out;
}

void LayerImages::forgetFailures() {
  std::erase_if(images_, [](const auto& image) { return image.second.state == ImageState::failed; });
}

void LayerImages::stopAll() {
  for (auto& [id, image] : images_) image.stop();
  images_.clear();
}

std::shared_ptr<const LayerVolumes> LayerImages::volumes() const {
  auto out = std::make_shared<LayerVolumes>();
  for (const auto& [id, image] : images_) {
    if (image.volume != nullptr) out->emplace(id, image.volume);
  }
  return out;
}

std::shared_ptr<const LayerShapes> LayerImages::shapes() const {
  auto out = std::make_shared<LayerShapes>();
  for (const auto& [id, image] : images_) {
    if (image.shape != nullptr) out->emplace(id, image.shape);
  }
  return out;
}

const Volume* LayerImages::find(const std::string& layer) const {
  const auto at = images_.find(layer);
  return at == images_.end() ? nullptr : at->second.volume.get();
}

std::vector<LayerReport> LayerImages::reports(const Scene& scene) const {
  std::vector<LayerReport> out;
  const auto held = shapes();
  for (const auto& layer : scene.layers) {
    const auto at = images_.find(layer.id);
    if (at == images_.end()) continue;
    const Image& image = at->second;
    LayerReport report;
    report.id = layer.id;
    report.name = shownName(image.source);
    report.state = image.state;
    report.hidesTexts = image.hidesTexts;
    if (image.volume != nullptr) {
      report.info = &image.volume->info();
      report.window = effectiveWindow(layer, image.volume->info());
      if (layer.colourMap != "labels") {
        report.histogram = &image.histogram;
        report.transfers = transferChoices(layer, image.volume->info());
      }
      if (!image.volume->isComplete()) report.held = image.volume->held();
      report.restStopped = image.settled;
      report.awaited = image.awaited;
    }
    if (image.shape != nullptr) {
      report.shape = image.shape.get();
      report.window = shapeWindow(layer, *image.shape);
      report.note = whyNotPainted(scene, layer, *held);
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
