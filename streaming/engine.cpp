// StreamEngine: the threads behind all sessions. One renders, others encode and load; each hands on to the next.
#include "base/log.hpp"
#include "streaming/current_picture.hpp"
#include "streaming/encoder_pool.hpp"
#include "streaming/loader_pool.hpp"
#include "streaming/session.hpp"
#include "streaming/viewer_session.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <random>
#include <thread>

namespace nora {

class StreamEngine::Session : public ViewerSession, public std::enable_shared_from_this<StreamEngine::Session> {
 public:
  using ViewerSession::ViewerSession;
};

namespace {

using SessionPointer = std::shared_ptr<StreamEngine::Session>;
using std::chrono::duration_cast;
using std::chrono::microseconds;

/// A still that has waited so long is no longer put off for what moves in other sessions.
constexpr std::chrono::milliseconds longestStillWait{500};

std::uint32_t clampedUs(Clock::duration time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration_cast<microseconds>(time).count(), 0, 0xFFFFFFFF));
}

std::string newSessionId() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i) id += digits[random() % digits.size()];
  return id;
}

/// A viewer whose pictures moved so lately has a part of the render thread's time.
constexpr std::chrono::milliseconds movesStill{500};

/// A moving picture that takes so many times its budget is given up for newer input.
constexpr int patienceInBudgets = 3;

FrameQuality qualityOf(const ViewPick& pick) {
  if (pick.kind == PictureKind::still) return FrameQuality::lossless;
  const bool isSharp = pick.kind == PictureKind::refinement && pick.level == Pacer::Level{};
  return isSharp ? FrameQuality::sharp : FrameQuality::moving;
}

/// The map from viewport pixels to the world, from that of the smaller picture that fills the viewport.
ViewGeometry inViewportPixels(ViewGeometry geometry, const ViewPick& pick) {
  geometry.rightMm = geometry.rightMm * (static_cast<double>(pick.width) / pick.viewport.width);
  geometry.downMm = geometry.downMm * (static_cast<double>(pick.height) / pick.viewport.height);
  return geometry;
}

FrameHeader headerOf(const RenderJob& job, const Frame& frame) {
  FrameHeader header;
  header.frame = job.pick.frame;
  header.quality = qualityOf(job.pick);
  header.width = static_cast<std::uint16_t>(frame.width);
  header.height = static_cast<std::uint16_t>(frame.height);
  header.viewportWidth = static_cast<std::uint16_t>(job.pick.viewport.width);
  header.viewportHeight = static_cast<std::uint16_t>(job.pick.viewport.height);
  header.input = job.input;
  header.revision = job.revision;
  header.geometry = inViewportPixels(frame.geometry, job.pick);
  header.view = job.pick.view;
  return header;
}

}  // namespace

struct StreamEngine::State {
  State(std::unique_ptr<Renderer> r, ImageSource& i, const Options& o)
      : renderer(std::move(r)),
        images(i),
        options(o),
        current(o.frameBudget * patienceInBudgets),
        encoders(o.encoderThreads, o.movingJpegQuality),
        loaders(o.loaderThreads) {
    encoders.onRoom([this] { wake(); });
  }

  void wake();
  [[nodiscard]] std::vector<SessionPointer> snapshot();
  void start(const SessionPointer& session, std::vector<ImageLoad> loads);
  void startPick(const SessionPointer& session);
  void load(const std::weak_ptr<Session>& waiting, const ImageLoad& wanted);
  void renderLoop(const std::stop_token& stop);
  bool renderNext();
  bool tryRender(const std::vector<SessionPointer>& from, ViewSchedule::Kind kind, Clock::time_point now,
                 bool isOverdue = false);
  [[nodiscard]] std::vector<SessionPointer> withOverdueStill(const std::vector<SessionPointer>& from,
                                                             Clock::time_point now);
  [[nodiscard]] int shareFor(const Session* session, Clock::time_point now);
  void render(const SessionPointer& session, const RenderJob& job, bool isOverdue);
  [[nodiscard]] Result<RenderStatistics> draw(const RenderJob& job, const std::stop_token& stop, Frame& frame);
  void makeWay(const Session& session);
  [[nodiscard]] Clock::time_point nextDeadline();

  const std::unique_ptr<Renderer> renderer;
  ImageSource& images;
  const Options options;

  mutable std::mutex mutex;  // sessions and wakeUps; never held while a session's lock is taken
  std::condition_variable_any somethingNew;
  std::vector<SessionPointer> sessions;
  std::uint64_t wakeUps = 0;

  Session* lastServed = nullptr;                          // render thread only; compared, never followed
  std::map<const Session*, Clock::time_point> lastMoved;  // the same
  CurrentPicture current;
  EncoderPool encoders;
  std::mutex picking;  // one at a time; never taken with another lock held
  Picker picker;
  LoaderPool loaders;
  std::jthread renderThread;
};

void StreamEngine::State::wake() {
  {
    const std::lock_guard lock(mutex);
    ++wakeUps;
  }
  somethingNew.notify_one();
}

std::vector<SessionPointer> StreamEngine::State::snapshot() {
  const std::lock_guard lock(mutex);
  return sessions;
}

void StreamEngine::State::start(const SessionPointer& session, std::vector<ImageLoad> loads) {
  for (auto& wanted : loads) {
    const auto stop = wanted.stop;
    const auto haste = wanted.background ? LoaderPool::Haste::background : LoaderPool::Haste::waitedFor;
    loaders.submit(
        session.get(), stop, [this, weak = std::weak_ptr(session), wanted = std::move(wanted)] { load(weak, wanted); },
        haste);
  }
}

void StreamEngine::State::load(const std::weak_ptr<Session>& waiting, const ImageLoad& wanted) {
  Result<LayerContent> result = fail(ErrorCode::internal, "nothing was loaded", wanted.source.path);
  try {
    LoadOptions how;
    how.timePoint = wanted.timePoint;
    how.progress = [&](double fraction) {
      const auto session = waiting.lock();
      if (session == nullptr) return;
      session->progressed(wanted.ticket, fraction);
      session->flush();
    };
    result = images.load(wanted.source, how, wanted.stop);
  } catch (const std::exception& e) {
    result = fail(ErrorCode::internal, std::string("the image could not be loaded: ") + e.what(), wanted.source.path);
  }
  const auto session = waiting.lock();
  if (session == nullptr) return;
  std::vector<ImageLoad> more;
  session->loaded(wanted.ticket, std::move(result), more);
  session->flush();
  start(session, std::move(more));
  makeWay(*session);
  wake();
}

void StreamEngine::State::startPick(const SessionPointer& session) {
  auto job = session->takePick();
  if (!job) return;
  loaders.submit(session.get(), {}, [this, weak = std::weak_ptr(session), job = std::move(*job)] {
    std::string message;
    try {
      const std::lock_guard lock(picking);
      message = answer(picker, job);
    } catch (const std::exception& e) {
      message = errorMessage({ErrorCode::internal, std::string("nothing could be picked: ") + e.what(), job.asked.view},
                             job.asked.input);
    }
    const auto waiting = weak.lock();
    if (waiting == nullptr) return;
    waiting->post(message);
    waiting->flush();
  });
}

void StreamEngine::State::renderLoop(const std::stop_token& stop) {
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(mutex);
      seen = wakeUps;  // read before looking for work, so that nothing that comes meanwhile is missed
    }
    if (encoders.hasRoom() && renderNext()) continue;
    const auto deadline = nextDeadline();
    std::unique_lock lock(mutex);
    const auto changed = [&] { return wakeUps != seen; };
    if (deadline == Clock::time_point::max()) {
      somethingNew.wait(lock, stop, changed);
    } else {
      somethingNew.wait_until(lock, stop, deadline, changed);
    }
  }
}

/// Draws one picture; false if there is nothing to draw now.
bool StreamEngine::State::renderNext() {
  auto order = snapshot();
  // Round robin: whoever follows the session that was served last comes first.
  const auto last = std::find_if(order.begin(), order.end(), [&](const auto& s) { return s.get() == lastServed; });
  if (last != order.end()) std::rotate(order.begin(), last + 1, order.end());
  const auto now = Clock::now();
  return tryRender(withOverdueStill(order, now), ViewSchedule::Kind::settled, now, true) ||
         tryRender(order, ViewSchedule::Kind::moving, now) || tryRender(order, ViewSchedule::Kind::settled, now);
}

bool StreamEngine::State::tryRender(const std::vector<SessionPointer>& from, ViewSchedule::Kind kind,
                                    Clock::time_point now, bool isOverdue) {
  for (const auto& session : from) {
    const auto job = session->nextJob(kind, now, shareFor(session.get(), now));
    if (!job) continue;
    lastServed = session.get();
    if (kind == ViewSchedule::Kind::moving) lastMoved[session.get()] = now;
    render(session, *job, isOverdue);
    return true;
  }
  return false;
}

/// Among how many viewers the time is divided, if this one's pictures move.
int StreamEngine::State::shareFor(const Session* session, Clock::time_point now) {
  std::erase_if(lastMoved, [&](const auto& moved) { return now - moved.second > movesStill; });
  return static_cast<int>(lastMoved.size()) + (lastMoved.contains(session) ? 0 : 1);
}

std::vector<SessionPointer> StreamEngine::State::withOverdueStill(const std::vector<SessionPointer>& from,
                                                                  Clock::time_point now) {
  std::vector<SessionPointer> out;
  for (const auto& session : from) {
    const auto due = session->settledDueAt();
    if (due && now > *due + longestStillWait && session.get() != lastServed) out.push_back(session);
  }
  return out;
}

/// Lets newer pictures be drawn at once, if what is drawn now can wait for them or is not wanted any more.
void StreamEngine::State::makeWay(const Session& session) {
  current.makeWay(&session, session.waiting(), Clock::now());
}

void StreamEngine::State::render(const SessionPointer& session, const RenderJob& job, bool isOverdue) {
  Frame frame = encoders.takeFrame();
  const auto start = Clock::now();
  const auto stop = current.begin({session.get(), job.pick.kind, job.pick.view, job.pick.coarsest, !isOverdue, start});
  for (const auto& other : snapshot()) makeWay(*other);  // for what came after the choice of this picture
  const auto drawn = draw(job, stop, frame);
  current.end();
  const auto time = Clock::now() - start;
  if (!drawn && drawn.error().code == ErrorCode::cancelled) {
    encoders.giveBack(std::move(frame));
    session->interrupted(job.pick, duration_cast<microseconds>(time));
    return;
  }
  if (drawn) session->rendered(job.pick, drawn->prepare, duration_cast<microseconds>(time) - drawn->prepare);
  if (!drawn) {
    encoders.giveBack(std::move(frame));
    session->finished(job, tl::make_unexpected(drawn.error()));
    session->flush();
    return;
  }
  EncodeJob encode;
  encode.owner = session.get();
  encode.header = headerOf(job, frame);
  encode.header.queueUs = clampedUs(start - job.inputArrival);
  encode.header.renderUs = clampedUs(time);
  encode.frame = std::move(frame);
  encode.lossless = job.pick.kind == PictureKind::still;
  encode.done = [session, job](Result<std::vector<std::byte>> message, microseconds encodeTime) {
    session->finished(job, std::move(message), encodeTime);
    session->flush();
  };
  encoders.submit(std::move(encode));
}

Result<RenderStatistics> StreamEngine::State::draw(const RenderJob& job, const std::stop_token& stop, Frame& frame) {
  RenderRequest request;
  request.scene = job.scene.get();
  request.view = job.pick.view;
  request.width = job.pick.width;
  request.height = job.pick.height;
  request.volumes = job.volumes.get();
  request.shapes = job.shapes.get();
  request.stepScale = job.pick.level.stepScale;
  request.preview = job.pick.kind != PictureKind::still;
  request.viewWidth = job.pick.viewport.width;
  request.viewHeight = job.pick.viewport.height;
  request.stop = stop;
  try {
    return renderer->render(request, frame);
  } catch (const std::exception& e) {
    return fail(ErrorCode::internal, std::string("the picture could not be drawn: ") + e.what(), job.pick.view);
  }
}

Clock::time_point StreamEngine::State::nextDeadline() {
  if (!encoders.hasRoom()) return Clock::time_point::max();
  auto deadline = Clock::time_point::max();
  for (const auto& session : snapshot()) {
    if (const auto due = session->settledDueAt()) deadline = std::min(deadline, *due);
  }
  return deadline;
}

StreamEngine::StreamEngine(std::unique_ptr<Renderer> renderer, ImageSource& images, Options options)
    : state_(std::make_unique<State>(std::move(renderer), images, options)) {
  state_->renderThread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->renderLoop(stop); });
}

StreamEngine::~StreamEngine() {
  for (const auto& session : state_->snapshot()) session->shut();
  state_->renderThread.request_stop();
  state_->current.close();
  state_->renderThread.join();
}

Result<std::shared_ptr<StreamEngine::Session>> StreamEngine::connect(std::shared_ptr<SessionOutput> output) {
  const auto& options = state_->options;
  auto session = std::make_shared<Session>(
      newSessionId(), options.version, std::move(output),
      ViewSchedule::Options{
          .settle = options.settle, .frameBudget = options.frameBudget, .smallestScale = options.smallestScale});
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->sessions.size() >= options.sessions) {
      return fail(ErrorCode::unavailable, "too many viewers are connected; try again later");
    }
    state_->sessions.push_back(session);
  }
  session->flush();
  return session;
}

void StreamEngine::receive(Session& session, std::string_view message) {
  std::vector<ImageLoad> loads;
  session.receive(message, state_->images, loads);
  state_->startPick(session.shared_from_this());
  session.flush();
  state_->start(session.shared_from_this(), std::move(loads));
  state_->makeWay(session);
  state_->wake();
}

void StreamEngine::disconnect(const std::shared_ptr<Session>& session) {
  session->shut();
  state_->current.forget(session.get());
  const std::lock_guard lock(state_->mutex);
  std::erase(state_->sessions, session);
}

void StreamEngine::broadcast(const std::string& message) {
  for (const auto& session : state_->snapshot()) {
    session->post(message);
    session->flush();
  }
}

std::size_t StreamEngine::sessionCount() const {
  const std::lock_guard lock(state_->mutex);
  return state_->sessions.size();
}

}  // namespace nora
