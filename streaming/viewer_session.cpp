#include "streaming/viewer_session.hpp"

#include "base/log.hpp"
#include "streaming/scene_check.hpp"

#include <algorithm>

namespace nora {
namespace {

/// Of the patch of a picture ahead: many of them are tried between pictures that somebody waits for.
constexpr std::size_t maxAheadBytes = std::size_t{64} << 10;

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

ViewerSession::ViewerSession(std::string id, Options options, StreamVisitor visitor)
    : id_(std::move(id)),
      visitor_(std::move(visitor)),
      options_(std::move(options)),
      scene_(std::make_shared<Scene>(emptyScene())),
      schedule_(options_.schedule) {
  sceneJson_ = toJson(*scene_);
}

void ViewerSession::attach(std::shared_ptr<SessionOutput> output, const std::vector<Codec>& wanted,
                           std::vector<ImageLoad>& loads) {
  const std::lock_guard lock(mutex_);
  const bool isNew = lastInput_ == 0;
  CodecChoice choice;
  choice.jpegQuality = options_.jpegQuality;
  Hello hello{options_.version, id_, !isNew, lastInput_, revision_, {}, options_.keep};
  for (const Codec codec : availableCodecs()) {
    if (std::find(wanted.begin(), wanted.end(), codec) == wanted.end()) continue;
    hello.codecs.push_back(codec);
    choice.usable.insert(codec);
  }
  schedule_.restart(std::move(choice));
  stills_.clear();
  ahead_.clear();
  pick_.reset();
  streams_ = std::make_shared<VideoStreams>();
  outbox_.attach(std::move(output));
  outbox_.text(helloMessage(hello, sceneJson_));
  if (isNew) return;
  if (images_.follow(*scene_, lastTicket_, loads)) {
    takeImages();
    ++revision_;
  }
  reportImages();
}

void ViewerSession::detach() {
  const std::lock_guard lock(mutex_);
  schedule_.restart({});
  stills_.clear();
  ahead_.clear();
  streams_ = std::make_shared<VideoStreams>();
  outbox_.detach();
}

void ViewerSession::stopLoads() {
  const std::lock_guard lock(mutex_);
  cancelOpens();
  images_.stopLoads();
}

void ViewerSession::releaseImages() {
  const std::lock_guard lock(mutex_);
  images_.clear();
  takeImages();
}

bool ViewerSession::isUnseen() const {
  const std::lock_guard lock(mutex_);
  return !schedule_.isShown();
}

bool ViewerSession::isWorthKeeping() const {
  const std::lock_guard lock(mutex_);
  return !closed_ && (!scene_->layers.empty() || !opens_.empty());
}

void ViewerSession::receive(std::string_view text, std::vector<ImageLoad>& loads) {
  auto message = parseClientMessage(text);
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (!message) return close(message.error());
  std::visit(
      [&](auto& m) {
        using M = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<M, AckMessage> || std::is_same_v<M, PreferMessage> ||
                      std::is_same_v<M, KeyMessage> || std::is_same_v<M, AheadMessage>) {
          handle(m);
        } else if constexpr (std::is_same_v<M, StartMessage>) {
          close({ErrorCode::forbidden, "the connection was started already", "start"});
        } else if constexpr (std::is_same_v<M, PingMessage>) {
          outbox_.text(pongMessage(m.token));
        } else if (acceptInput(m.input)) {
          if constexpr (std::is_same_v<M, OpenMessage> || std::is_same_v<M, SceneMessage> ||
                        std::is_same_v<M, EditMessage> || std::is_same_v<M, ViewportsMessage> ||
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
  for (const auto& [view, ahead] : message.have) {
    if (schedule_.have(view, ahead)) stills_.erase(view);
  }
  if (imagesChanged || !sameAutomatics(*before, *scene_)) reportImages();
}

void ViewerSession::handle(const ViewportsMessage& message, std::vector<ImageLoad>& loads) {
  schedule_.setViewports(message.views, message.focus);
  if (schedule_.isShown() && images_.follow(*scene_, lastTicket_, loads)) {  // they were released
    takeImages();
    ++revision_;
    reportImages();
  }
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
  ahead_.clear();
  schedule_.update(*scene_, revision_, shownInput_, Clock::now());
  for (const auto& view : schedule_.waiting().views) stills_.erase(view);
  for (const ViewPick& pick : schedule_.outdated()) {
    if (outbox_.withdraw(pick.frame)) schedule_.dropped(pick);
  }
}

void ViewerSession::handle(const AckMessage& message) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const auto held = std::chrono::duration_cast<Clock::duration>(Milliseconds(message.heldMs));
  std::optional<std::chrono::microseconds> decode;
  if (message.decodeMs) decode = std::chrono::duration_cast<std::chrono::microseconds>(Milliseconds(*message.decodeMs));
  schedule_.acknowledged(message.frame, Clock::now(), held, decode);
}

void ViewerSession::handle(const PreferMessage& message) {
  schedule_.choice().moving = message.moving;
  schedule_.choice().still = message.still;
}

void ViewerSession::handle(const KeyMessage& message) {
  schedule_.wantKey(message.view);
}

void ViewerSession::handle(AheadMessage& message) {
  ahead_.assign(std::make_move_iterator(message.items.begin()), std::make_move_iterator(message.items.end()));
}

RenderJob ViewerSession::jobFor(ViewPick pick, std::shared_ptr<const Scene> scene) {
  constexpr double kbitOfBytesPerUs = 8000;
  RenderJob job;
  job.scene = std::move(scene);
  job.volumes = volumes_;
  job.shapes = shapes_;
  job.pick = std::move(pick);
  job.revision = revision_;
  job.input = shownInput_;
  job.inputArrival = shownInputArrival_;
  job.streams = streams_;
  const double kbit = schedule_.link().bandwidth().value_or(0) * kbitOfBytesPerUs;
  job.bandwidthKbit = static_cast<std::uint32_t>(std::clamp(kbit, 0.0, 4e9));
  job.roundTripUs =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(schedule_.link().roundTrip().count(), 0, 0xFFFFFFFF));
  return job;
}

std::optional<RenderJob> ViewerSession::nextJob(ViewSchedule::Kind kind, Clock::time_point now, int share) {
  const std::lock_guard lock(mutex_);
  if (closed_) return std::nullopt;
  auto pick = schedule_.pick(kind, now, share);
  if (!pick) return std::nullopt;
  auto job = jobFor(std::move(*pick), images_.drawable(scene_));
  const auto still = stills_.find(job.pick.view);
  if (job.pick.kind == PictureKind::exact && still != stills_.end() && still->second.frame == job.pick.still) {
    job.ready = std::move(still->second.picture);
    stills_.erase(still);
  }
  return job;
}

std::optional<RenderJob> ViewerSession::nextAhead() {
  const std::lock_guard lock(mutex_);
  while (!closed_ && !ahead_.empty() && schedule_.mayGoAhead()) {
    const auto item = std::move(ahead_.front());
    ahead_.pop_front();
    if (auto job = aheadJob(item)) return job;
  }
  return std::nullopt;
}

/// Nothing if it cannot be drawn with the images that are there.
std::optional<RenderJob> ViewerSession::aheadJob(const AheadMessage::Item& item) {
  const auto size = schedule_.viewport(item.view);
  const auto json =
      size ? applyPatch(sceneJson_, item.patch, maxAheadBytes) : fail(ErrorCode::notFound, "not shown", item.view);
  if (!json) return std::nullopt;
  auto parsed = sceneFromJson(*json);
  if (!parsed || !checkRanges(*parsed, *scene_)) return std::nullopt;
  const auto sameImage = [](const Layer& a, const Layer& b) { return a.id == b.id && a.source == b.source; };
  const bool sameImages =
      std::equal(parsed->layers.begin(), parsed->layers.end(), scene_->layers.begin(), scene_->layers.end(), sameImage);
  const View* view = findView(*parsed, item.view);
  if (!sameImages || view == nullptr || !images_.holdsTimesOf(*parsed)) return std::nullopt;
  auto pick = schedule_.pickAhead(item.id, item.view, lookOf(*parsed, *view, revision_, *size));
  if (!pick) return std::nullopt;
  return jobFor(std::move(*pick), std::make_shared<Scene>(std::move(*parsed)));
}

std::optional<Clock::time_point> ViewerSession::movingDeadline() const {
  const std::lock_guard lock(mutex_);
  return closed_ ? std::nullopt : schedule_.movingDeadline();
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
  if (schedule_.isInFlight(pick.frame)) schedule_.rendered(pick, prepare, draw);
}

void ViewerSession::interrupted(const ViewPick& pick, std::chrono::microseconds elapsed) {
  const std::lock_guard lock(mutex_);
  if (schedule_.isInFlight(pick.frame)) schedule_.interrupted(pick, elapsed);
}

void ViewerSession::finished(const RenderJob& job, Result<EncodedFrame> encoded, Frame& frame) {
  const std::lock_guard lock(mutex_);
  if (closed_ || !schedule_.isInFlight(job.pick.frame)) return;  // of an earlier connection
  if (dropChangedImages()) {                                     // what was drawn may be a mixture
    schedule_.dropped(job.pick);
    return;
  }
  if (!encoded) {
    schedule_.failed(job.pick);
    outbox_.text(errorMessage(encoded.error(), job.input));
    return;
  }
  keepStill(job, frame);
  send(job, std::move(*encoded));
}

/// The same picture is sent losslessly when nothing changes for a while.
void ViewerSession::keepStill(const RenderJob& job, Frame& frame) {
  const bool isWanted = !schedule_.waiting().views.contains(job.pick.view);
  if (job.pick.kind == PictureKind::still && isWanted) stills_[job.pick.view] = {job.pick.frame, std::move(frame)};
}

FrameHaste ViewerSession::hasteOf(PictureKind kind) {
  if (kind == PictureKind::ahead) return FrameHaste::spare;
  return isPatient(kind) ? FrameHaste::patient : FrameHaste::urgent;
}

void ViewerSession::send(const RenderJob& job, EncodedFrame encoded) {
  if (!encoded.failure.empty()) {
    schedule_.choice().usable.erase(job.pick.coding.codec);
    outbox_.text(errorMessage({ErrorCode::unavailable, encoded.failure + "; another coding is used", {}}));
  }
  schedule_.encoded(job.pick, encoded.coding, encoded.pictureBytes, encoded.time);
  schedule_.sent(job.pick.frame, encoded.message.size());
  outbox_.frame(job.pick.frame, std::move(encoded.message), hasteOf(job.pick.kind));
}

void ViewerSession::pinged(std::chrono::microseconds roundTrip) {
  const std::lock_guard lock(mutex_);
  schedule_.pinged(roundTrip);
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
  stills_.clear();
  outbox_.detach();
}

}  // namespace nora
