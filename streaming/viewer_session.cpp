#include "streaming/viewer_session.hpp"

#include "base/log.hpp"
#include "streaming/scene_check.hpp"

#include <algorithm>

namespace nora {
namespace {

/// The four usual views and no layer: what a session shows before anything is opened.
Scene emptyScene() {
  Scene scene = defaultScene(Source{}, ImageInfo{});
  scene.layers.clear();
  scene.crosshairMm = {};
  return scene;
}

/// False if the automatic windows, transfer functions and notes that were told are no longer those of the layers.
bool sameAutomatics(const Scene& a, const Scene& b) {
  return std::equal(
      a.layers.begin(), a.layers.end(), b.layers.begin(), b.layers.end(), [](const Layer& x, const Layer& y) {
        return x.symmetric == y.symmetric && x.colourMap == y.colourMap && x.component == y.component &&
               x.surface.data == y.surface.data && x.surface.on == y.surface.on && x.surface.bare == y.surface.bare &&
               x.streamlines.colourBy == y.streamlines.colourBy && x.streamlines.data == y.streamlines.data;
      });
}

}  // namespace

ViewerSession::ViewerSession(std::string id, std::string version, std::shared_ptr<SessionOutput> output,
                             ViewSchedule::Options options)
    : outbox_(std::move(output)), scene_(std::make_shared<Scene>(emptyScene())), schedule_(options) {
  sceneJson_ = toJson(*scene_);
  outbox_.text(helloMessage(version, id, sceneJson_));
}

void ViewerSession::receive(std::string_view text, ImageSource& images, std::vector<ImageLoad>& loads) {
  auto message = parseClientMessage(text);
  Result<Source> source = fail(ErrorCode::notFound, "nothing was asked for");
  if (message && std::holds_alternative<OpenMessage>(*message)) {
    source = images.resolve(std::get<OpenMessage>(*message).entry);
  }
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (!message) return close(message.error());
  std::visit(
      [&](auto& m) {
        using M = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<M, AckMessage>) {
          schedule_.acknowledged(m.frame);
        } else if constexpr (std::is_same_v<M, PingMessage>) {
          outbox_.text(pongMessage(m.token));
        } else if (acceptInput(m.input)) {
          if constexpr (std::is_same_v<M, OpenMessage>) {
            handle(m, source, loads);
          } else if constexpr (std::is_same_v<M, SceneMessage> || std::is_same_v<M, EditMessage> ||
                               std::is_same_v<M, LoadMessage>) {
            handle(m, loads);
          } else {
            handle(m);
          }
        }
      },
      *message);
}

bool ViewerSession::acceptInput(std::uint64_t input) {
  if (input <= lastInput_) {
    close({ErrorCode::forbidden, "input ids must increase", "input"});
    return false;
  }
  lastInput_ = input;
  return true;
}

void ViewerSession::handle(const SceneMessage& message, std::vector<ImageLoad>& loads) {
  auto scene = sceneFromJson(message.scene);
  if (!scene) return refuse(message.input, scene.error());
  if (auto ok = checkRanges(*scene); !ok) return refuse(message.input, ok.error());
  cancelOpens();
  images_.forgetFailures();
  if (scene->layers != scene_->layers) ++revision_;
  auto json = toJson(*scene);
  setScene(std::move(*scene), std::move(json), message.input, Clock::now(), loads);
  outbox_.text(sceneMessage(message.input, lastInput_, revision_, sceneJson_));
  reportImages();
}

void ViewerSession::handle(const EditMessage& message, std::vector<ImageLoad>& loads) {
  auto json = applyPatch(sceneJson_, message.patch);
  if (!json) return refuse(message.input, json.error());
  auto scene = sceneFromJson(*json);
  if (!scene) return refuse(message.input, scene.error());
  if (auto ok = checkRanges(*scene, *scene_); !ok) return refuse(message.input, ok.error());
  const auto before = scene_;
  const bool imagesChanged = setScene(std::move(*scene), std::move(*json), message.input, Clock::now(), loads);
  if (imagesChanged || !sameAutomatics(*before, *scene_)) reportImages();
}

void ViewerSession::handle(const ViewportsMessage& message) {
  schedule_.setViewports(message.views, message.focus);
  lookAgain(message.input, Clock::now());
}

void ViewerSession::close(const Error& error) {
  closed_ = true;
  cancelOpens();
  images_.stopAll();
  outbox_.close(webSocketCloseCode(error.code), describe(error));
}

void ViewerSession::refuse(std::uint64_t input, const Error& error) {
  outbox_.text(errorMessage(error, input));
  outbox_.text(sceneMessage(input, lastInput_, revision_, sceneJson_));
}

/// True if a layer's image changed its state.
bool ViewerSession::setScene(Scene scene, nlohmann::json json, std::uint64_t input, Clock::time_point arrival,
                             std::vector<ImageLoad>& loads) {
  scene_ = std::make_shared<Scene>(std::move(scene));
  sceneJson_ = std::move(json);
  const bool imagesChanged = images_.follow(*scene_, lastTicket_, loads);
  if (imagesChanged) {
    takeImages();
    ++revision_;
  }
  lookAgain(input, arrival);
  return imagesChanged;
}

/// Finds out which views are no longer what they should be.
void ViewerSession::lookAgain(std::uint64_t input, Clock::time_point arrival) {
  if (input > shownInput_) {
    shownInput_ = input;
    shownInputArrival_ = arrival;
  }
  schedule_.update(*scene_, revision_, shownInput_, Clock::now());
}

std::optional<RenderJob> ViewerSession::nextJob(ViewSchedule::Kind kind, Clock::time_point now, int share) {
  const std::lock_guard lock(mutex_);
  if (closed_) return std::nullopt;
  auto pick = schedule_.pick(kind, now, share);
  if (!pick) return std::nullopt;
  return RenderJob{images_.drawable(scene_), volumes_, shapes_, std::move(*pick), revision_, shownInput_,
                   shownInputArrival_};
}

std::optional<Clock::time_point> ViewerSession::settledDueAt() const {
  const std::lock_guard lock(mutex_);
  return closed_ ? std::nullopt : schedule_.settledDueAt();
}

WaitingViews ViewerSession::waiting() const {
  const std::lock_guard lock(mutex_);
  return closed_ ? WaitingViews{} : schedule_.waiting();
}

void ViewerSession::rendered(const ViewPick& pick, std::chrono::microseconds prepare, std::chrono::microseconds draw) {
  const std::lock_guard lock(mutex_);
  schedule_.rendered(pick, prepare, draw);
}

void ViewerSession::interrupted(const ViewPick& pick, std::chrono::microseconds elapsed) {
  const std::lock_guard lock(mutex_);
  schedule_.interrupted(pick, elapsed);
}

void ViewerSession::finished(const RenderJob& job, Result<std::vector<std::byte>> message,
                             std::chrono::microseconds encode) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (dropChangedImages()) {  // what was drawn may be a mixture
    schedule_.dropped(job.pick.frame);
    return;
  }
  if (message) {
    schedule_.encoded(job.pick, encode);
    schedule_.sent(job.pick.frame);
    outbox_.frame(std::move(*message));
    return;
  }
  schedule_.failed(job.pick);
  outbox_.text(errorMessage(message.error(), job.input));
}

void ViewerSession::post(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (!closed_) outbox_.text(text);
}

void ViewerSession::shut() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  cancelOpens();
  images_.stopAll();
  volumes_ = std::make_shared<LayerVolumes>();
  shapes_ = std::make_shared<LayerShapes>();
  outbox_.shut();
}

}  // namespace nora
