// The part of ViewerSession that has to do with images: opening, loading, reporting, probing.
#include "streaming/viewer_session.hpp"

#include "render/scene/shape_layer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nora {
namespace {

constexpr std::size_t maxPendingOpens = 64;
constexpr std::chrono::milliseconds quickLoad{300};         // nobody needs to be told how far it is
constexpr std::chrono::milliseconds progressInterval{200};  // between two messages

std::vector<std::string> layerIds(const Scene& scene) {
  std::vector<std::string> out;
  for (const auto& layer : scene.layers) out.push_back(layer.id);
  return out;
}

std::string labelOf(const ImageInfo& info, const Probe& probe) {
  constexpr double exact = 9007199254740992;  // 2^53
  if (!info.labels || !probe.inside || !(std::abs(probe.value) < exact)) return {};
  const auto value = static_cast<std::int64_t>(probe.value);
  const Label* label = static_cast<double>(value) == probe.value ? info.labels->find(value) : nullptr;
  return label == nullptr ? std::string{} : label->name;
}

/// Labels that overlap lie in several components: each is a layer of its own, so that all are seen.
std::vector<Layer> furtherComponents(const Layer& first, const ImageInfo& info, std::vector<std::string> taken) {
  constexpr std::int64_t mostShown = 16;
  std::vector<Layer> layers;
  if (info.components < 2 || !info.labels || first.colourMap != "labels") return layers;
  for (std::int64_t c = 1; c < std::min(info.components, mostShown); ++c) {
    Layer layer = defaultLayer(first.source, info, true);
    layer.id = newLayerId(first.source, taken);
    layer.component = c;
    taken.push_back(layer.id);
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::size_t meshCount(const LayerShapes& shapes) {
  return static_cast<std::size_t>(std::count_if(shapes.begin(), shapes.end(), [](const auto& shape) {
    const auto* surface = std::get_if<Surface>(shape.second.get());
    return surface && surface->hasMesh();
  }));
}

LayerValue valueAt(const Layer& layer, const Volume& volume, const Vec3& mm) {
  const std::int64_t t = std::clamp<std::int64_t>(layer.time, 0, volume.info().timePoints - 1);
  const std::int64_t c = std::clamp<std::int64_t>(layer.component, 0, volume.info().components - 1);
  LayerValue out{layer.id, probeAtMm(volume, mm, t, c), std::nullopt, {}};
  out.label = labelOf(volume.info(), out.probe);
  if (isColour(volume.info().type) && out.probe.inside && volume.holds(t))
    out.rgb = colourAt(volume, out.probe.voxel, t, c);
  return out;
}

}  // namespace

void ViewerSession::handle(const OpenMessage& message, std::vector<ImageLoad>& loads) {
  if (!message.asOverlay) cancelOpens();
  if (opens_.size() >= maxPendingOpens) {
    outbox_.text(errorMessage({ErrorCode::limitExceeded, "too many images are being opened", {}}, message.input));
    return;
  }
  auto taken = layerIds(*scene_);
  for (const auto& open : opens_) taken.push_back(open.layer);
  PendingOpen open;
  open.ticket = ++lastTicket_;
  open.input = message.input;
  open.arrival = Clock::now();
  open.layer = newLayerId(message.source, taken);
  open.source = message.source;
  open.asOverlay = message.asOverlay;
  loads.push_back({open.ticket, open.source, 0, false, open.stop.get_token()});
  opens_.push_back(std::move(open));
  reportImages();
}

void ViewerSession::takeImages() {
  volumes_ = images_.volumes();
  shapes_ = images_.shapes();
}

void ViewerSession::loaded(std::uint64_t ticket, Result<LayerContent> result, std::vector<ImageLoad>& loads) {
  Histogram histogram =
      result && result->volume() ? histogramOf(*result->volume()) : Histogram();  // not under the lock
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  const auto open = std::find_if(opens_.begin(), opens_.end(), [&](const auto& o) { return o.ticket == ticket; });
  if (open != opens_.end()) {
    if (result && result->isEmpty()) result = fail(ErrorCode::internal, "no image came back", open->source.path);
    open->result = std::move(result);
    open->histogram = std::move(histogram);
    applyOpens(loads);
    return;
  }
  const bool isThere = result.has_value();
  const auto finished = images_.finish(ticket, std::move(result), std::move(histogram));
  if (!finished) return;
  images_.follow(*scene_, lastTicket_, loads);
  if (finished->error) outbox_.text(errorMessage(*finished->error, 0, finished->layer));
  if (isThere) {
    takeImages();
    ++revision_;
    lookAgain(shownInput_, shownInputArrival_);
  }
  reportImages();
}

void ViewerSession::progressed(std::uint64_t ticket, double fraction) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  const auto now = Clock::now();
  images_.setProgress(ticket, fraction);
  for (auto& open : opens_) {
    if (open.ticket == ticket) open.progress = fraction;
  }
  const auto progress = progressNow();
  if (progress.empty() || now - progressTold_ < progressInterval) return;
  tellProgress(progress);
}

/// How far the loads are that take a while.
std::map<std::string, double> ViewerSession::progressNow() const {
  const auto startedBefore = Clock::now() - quickLoad;
  auto progress = images_.progress(startedBefore);
  for (const auto& open : opens_) {
    if (open.progress && open.arrival <= startedBefore) progress[open.layer] = *open.progress;
  }
  return progress;
}

void ViewerSession::tellProgress(const std::map<std::string, double>& progress) {
  progressTold_ = Clock::now();
  progressOf_.clear();
  for (const auto& [layer, fraction] : progress) progressOf_.insert(layer);
  outbox_.text(progressMessage(progress));
}

/// In the order in which they were asked for, whatever the order in which they were loaded.
void ViewerSession::applyOpens(std::vector<ImageLoad>& loads) {
  while (!opens_.empty() && opens_.front().result) {
    PendingOpen open = std::move(opens_.front());
    opens_.pop_front();
    if (*open.result) {
      applyOpen(open, loads);
    } else {
      outbox_.text(errorMessage(open.result->error(), open.input, open.layer));
      LayerReport failure{open.layer, shownName(open.source), ImageState::failed, nullptr, {}, {}, {}, 0};
      failure.error = describe(open.result->error());
      reportImages({std::move(failure)});
    }
  }
}

void ViewerSession::applyOpen(PendingOpen& open, std::vector<ImageLoad>& loads) {
  const LayerContent& content = **open.result;
  Scene scene;
  if (open.asOverlay && !scene_->layers.empty()) {
    scene = *scene_;
    const auto taken = layerIds(scene);  // an edit may have taken the id in the meantime
    if (std::find(taken.begin(), taken.end(), open.layer) != taken.end()) open.layer = newLayerId(open.source, taken);
    scene.layers.push_back(content.volume() ? defaultLayer(open.source, content.volume()->info(), true)
                                            : defaultShapeLayer(open.source, *content.shape(), meshCount(*shapes_)));
  } else {
    scene = content.volume() ? defaultScene(open.source, content.volume()->info())
                             : defaultShapeScene(open.source, *content.shape());
  }
  if (scene.layers.empty()) return;
  scene.layers.back().id = open.layer;
  std::vector<Layer> further;
  if (content.volume()) further = furtherComponents(scene.layers.back(), content.volume()->info(), layerIds(scene));
  scene.layers.insert(scene.layers.end(), further.begin(), further.end());
  auto json = toJson(scene);
  if (auto checked = sceneFromJson(json); !checked) {  // too many layers, most likely
    outbox_.text(errorMessage(checked.error(), open.input, open.layer));
    reportImages();
    return;
  }
  images_.put(open.layer, open.source, content, open.histogram);
  for (const Layer& layer : further) images_.put(layer.id, open.source, content, open.histogram);
  ++revision_;
  setScene(std::move(scene), std::move(json), open.input, open.arrival, loads);
  takeImages();
  outbox_.text(sceneMessage(open.input, lastInput_, revision_, sceneJson_));
  reportImages();
}

void ViewerSession::cancelOpens() {
  for (auto& open : opens_) open.stop.request_stop();
  opens_.clear();
}

/// Layers of the scene, images that are being opened, and `others` that will be neither. What is no longer being loaded
/// leaves the progress too: no later load may come to say so.
void ViewerSession::reportImages(std::vector<LayerReport> others) {
  auto reports = images_.reports(*scene_);
  for (const auto& open : opens_) {
    LayerReport report{open.layer, shownName(open.source), ImageState::loading, nullptr, {}, {}, {}, open.input};
    reports.push_back(std::move(report));
  }
  std::move(others.begin(), others.end(), std::back_inserter(reports));
  outbox_.text(imagesMessage(reports, revision_));
  const auto progress = progressNow();
  const auto ended = [&](const std::string& layer) { return !progress.contains(layer); };
  if (std::any_of(progressOf_.begin(), progressOf_.end(), ended)) tellProgress(progress);
}

/// True if an image is no longer what its file holds: to be asked after its voxels were used, before that is told.
bool ViewerSession::dropChangedImages() {
  const auto dropped = images_.dropChanged();
  if (dropped.empty()) return false;
  for (const auto& image : dropped) outbox_.text(errorMessage(*image.error, 0, image.layer));
  takeImages();
  ++revision_;
  lookAgain(shownInput_, shownInputArrival_);
  reportImages();
  return true;
}

void ViewerSession::handle(const CancelMessage& message) {
  const auto open = std::find_if(opens_.begin(), opens_.end(), [&](const auto& o) { return o.layer == message.layer; });
  if (open != opens_.end()) {
    open->stop.request_stop();
    opens_.erase(open);
  } else if (!images_.cancel(message.layer)) {
    return;  // it was there before the wish to stop it was
  }
  reportImages();
}

void ViewerSession::handle(const LoadMessage& message, std::vector<ImageLoad>& loads) {
  if (!images_.resume(message.layer)) return;  // it is there, or coming
  images_.follow(*scene_, lastTicket_, loads);
  reportImages();
}

void ViewerSession::handle(const ProbeMessage& message) {
  std::vector<LayerValue> values;
  for (const auto& layer : scene_->layers) {
    const auto at = volumes_->find(layer.id);
    if (at != volumes_->end()) values.push_back(valueAt(layer, *at->second, message.mm));
  }
  if (dropChangedImages()) values.clear();
  outbox_.text(valuesMessage(message.input, message.mm, values));
}

void ViewerSession::handle(const PickMessage& message) {
  if (pick_) outbox_.text(pickedMessage(pick_->input, std::nullopt, {}));
  pick_ = message;
}

std::optional<PickJob> ViewerSession::takePick() {
  const std::lock_guard lock(mutex_);
  if (closed_ || !pick_) return std::nullopt;
  const PickMessage asked = *std::exchange(pick_, std::nullopt);
  const auto viewport = schedule_.viewport(asked.view);
  if (!viewport) {
    outbox_.text(errorMessage({ErrorCode::notFound, "this view is not shown", asked.view}, asked.input));
    return std::nullopt;
  }
  return PickJob{images_.drawable(scene_), volumes_, shapes_, asked, *viewport};
}

}  // namespace nora
