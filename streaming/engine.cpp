// StreamEngine: the threads behind all sessions. One renders, others encode and load; each hands on to the next.
#include "base/log.hpp"
#include "streaming/current_picture.hpp"
#include "streaming/encoder_pool.hpp"
#include "streaming/engine_metrics.hpp"
#include "streaming/loader_pool.hpp"
#include "streaming/session.hpp"
#include "streaming/session_table.hpp"
#include "streaming/viewer_session.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace nora {

namespace {

using Session = ViewerSession;
using SessionPointer = std::shared_ptr<Session>;
using LinkPointer = std::shared_ptr<StreamEngine::Link>;

using std::chrono::duration_cast;
using std::chrono::microseconds;

/// A still that has waited so long is no longer put off for what moves in other sessions.
constexpr std::chrono::milliseconds longestStillWait{500};

constexpr int notAllowed = 4003;  // close code: the visitor may not go on
constexpr int takenOver = 4001;   // close code: the session goes on in another connection
constexpr std::chrono::milliseconds longestSleep{
    1000};  // of the render thread while connections are to be looked after

std::uint32_t clampedUs(Clock::duration time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration_cast<microseconds>(time).count(), 0, 0xFFFFFFFF));
}

/// Whoever knows it may go on with the session: 128 bits of the system's randomness.
std::string newToken() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::random_device random;
  std::string token;
  for (int i = 0; i < 32; ++i) token += digits[random() % digits.size()];
  return token;
}

/// A viewer whose pictures moved so lately has a part of the render thread's time.
constexpr std::chrono::milliseconds movesStill{500};

/// A moving picture that takes so many times its budget is given up for newer input.
constexpr int patienceInBudgets = 3;

FrameQuality qualityOf(const ViewPick& pick) {
  if (pick.kind == PictureKind::exact) return FrameQuality::lossless;
  const bool isSharp = pick.kind == PictureKind::still || pick.kind == PictureKind::ahead;
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
  header.ahead = job.pick.ahead;
  header.bandwidthKbit = job.bandwidthKbit;
  header.roundTripUs = job.roundTripUs;
  header.view = job.pick.view;
  return header;
}

}  // namespace

struct StreamEngine::State {
  State(std::unique_ptr<Renderer> r, const Options& o)
      : renderer(std::move(r)),
        options(o),
        registry(o.metrics != nullptr ? o.metrics : std::make_shared<Metrics>()),
        metrics(*registry),
        current(o.frameBudget * patienceInBudgets),
        counts(std::make_shared<SessionTable>(SessionTable::Options{o.sessions, o.sessionsPerUser, o.keep, o.startTime})),
        table(*counts),
        encoders(o.encoderThreads),
        loaders(o.loaderThreads) {
    encoders.onRoom([this] { wake(); });
  }

  void wake();
  void begin(const LinkPointer& link, std::string_view message);
  [[nodiscard]] SessionPointer makeSession(const StreamVisitor& visitor) const;
  void lookAfterLinks(Clock::time_point now);
  void start(const SessionPointer& session, std::vector<ImageLoad> loads);
  void startPick(const SessionPointer& session);
  void load(const std::weak_ptr<Session>& waiting, ImageSource& images, const ImageLoad& wanted);
  void renderLoop(const std::stop_token& stop);
  bool renderNext();
  bool tryRender(const std::vector<SessionPointer>& from, ViewSchedule::Kind kind, Clock::time_point now,
                 bool isOverdue = false);
  [[nodiscard]] std::vector<SessionPointer> withOverdueStill(const std::vector<SessionPointer>& from,
                                                             Clock::time_point now);
  [[nodiscard]] int shareFor(const Session* session, Clock::time_point now);
  void render(const SessionPointer& session, RenderJob& job, bool isOverdue);
  void encode(const SessionPointer& session, RenderJob& job, Frame frame, FrameHeader header);
  bool renderAhead(const std::vector<SessionPointer>& from);
  [[nodiscard]] Result<RenderStatistics> draw(const RenderJob& job, const std::stop_token& stop, Frame& frame);
  void makeWay(const Session& session);
  [[nodiscard]] Clock::time_point nextDeadline();

  const std::unique_ptr<Renderer> renderer;
  const Options options;
  const std::shared_ptr<Metrics> registry;
  EngineMetrics metrics;

  std::mutex mutex;  // wakeUps
  std::condition_variable_any somethingNew;
  std::uint64_t wakeUps = 0;
  Clock::time_point lookedAfter{};  // render thread only

  Session* lastServed = nullptr;                          // render thread only; compared, never followed
  std::map<const Session*, Clock::time_point> lastMoved;  // the same
  CurrentPicture current;
  const std::shared_ptr<SessionTable> counts;  // the registry may outlive the engine
  SessionTable& table;
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

void StreamEngine::State::start(const SessionPointer& session, std::vector<ImageLoad> loads) {
  for (auto& wanted : loads) {
    const auto stop = wanted.stop;
    const auto haste = wanted.background ? LoaderPool::Haste::background : LoaderPool::Haste::waitedFor;
    loaders.submit(
        session.get(), stop,
        [this, weak = std::weak_ptr(session), images = session->visitor().images, wanted = std::move(wanted)] {
          load(weak, *images, wanted);
        },
        haste);
  }
}

void StreamEngine::State::load(const std::weak_ptr<Session>& waiting, ImageSource& images, const ImageLoad& wanted) {
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
    lookAfterLinks(Clock::now());
    if (encoders.hasRoom() && renderNext()) continue;
    const auto deadline = std::min(nextDeadline(), Clock::now() + longestSleep);
    std::unique_lock lock(mutex);
    somethingNew.wait_until(lock, stop, deadline, [&] { return wakeUps != seen; });
  }
}

/// Draws one picture; false if there is nothing to draw now.
bool StreamEngine::State::renderNext() {
  auto order = table.connected();
  const auto now = Clock::now();
  // Earliest deadline first; of equals, whoever follows the session that was served last.
  const auto last = std::find_if(order.begin(), order.end(), [&](const auto& s) { return s.get() == lastServed; });
  if (last != order.end()) std::rotate(order.begin(), last + 1, order.end());
  std::map<const Session*, Clock::time_point> deadlines;
  for (const auto& session : order) {
    deadlines[session.get()] = session->movingDeadline().value_or(Clock::time_point::max());
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto& a, const auto& b) { return deadlines.at(a.get()) < deadlines.at(b.get()); });
  return tryRender(withOverdueStill(order, now), ViewSchedule::Kind::settled, now, true) ||
         tryRender(order, ViewSchedule::Kind::moving, now) || tryRender(order, ViewSchedule::Kind::settled, now) ||
         renderAhead(order);
}

bool StreamEngine::State::tryRender(const std::vector<SessionPointer>& from, ViewSchedule::Kind kind,
                                    Clock::time_point now, bool isOverdue) {
  for (const auto& session : from) {
    auto job = session->nextJob(kind, now, shareFor(session.get(), now));
    if (!job) continue;
    lastServed = session.get();
    if (kind == ViewSchedule::Kind::moving) lastMoved[session.get()] = now;
    render(session, *job, isOverdue);
    return true;
  }
  return false;
}

/// Pictures that may be wanted soon, while nobody waits for others.
bool StreamEngine::State::renderAhead(const std::vector<SessionPointer>& from) {
  for (const auto& session : from) {
    auto job = session->nextAhead();
    if (!job) continue;
    lastServed = session.get();
    render(session, *job, false);
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
    const bool isOverdue = due && now > *due + longestStillWait && session.get() != lastServed;
    // A still makes way for what moves in its own session: begun before that, it would be given up again and again.
    if (isOverdue && session->waiting().views.empty()) out.push_back(session);
  }
  return out;
}

/// Lets newer pictures be drawn at once, if what is drawn now can wait for them or is not wanted any more.
void StreamEngine::State::makeWay(const Session& session) {
  current.makeWay(&session, session.waiting(), Clock::now());
}

void StreamEngine::State::render(const SessionPointer& session, RenderJob& job, bool isOverdue) {
  if (job.ready) {
    Frame frame = std::move(*job.ready);
    job.ready.reset();
    FrameHeader header = headerOf(job, frame);
    header.queueUs = clampedUs(Clock::now() - job.inputArrival);
    encode(session, job, std::move(frame), header);
    return;
  }
  Frame frame = encoders.takeFrame();
  const auto start = Clock::now();
  const auto stop = current.begin({session.get(), job.pick.kind, job.pick.view, job.pick.coarsest, !isOverdue, start});
  for (const auto& other : table.connected()) makeWay(*other);  // for what came after the choice of this picture
  const auto drawn = draw(job, stop, frame);
  current.end();
  const auto time = Clock::now() - start;
  if (!drawn && drawn.error().code == ErrorCode::cancelled) {
    encoders.giveBack(std::move(frame));
    session->interrupted(job.pick, duration_cast<microseconds>(time));
    metrics.givenUp.add();
    return;
  }
  if (!drawn) {
    metrics.failed.add();
    session->finished(job, tl::make_unexpected(drawn.error()), frame);
    encoders.giveBack(std::move(frame));
    session->flush();
    return;
  }
  session->rendered(job.pick, drawn->prepare, duration_cast<microseconds>(time) - drawn->prepare);
  FrameHeader header = headerOf(job, frame);
  header.queueUs = clampedUs(start - job.inputArrival);
  header.renderUs = clampedUs(time);
  encode(session, job, std::move(frame), header);
}

void StreamEngine::State::encode(const SessionPointer& session, RenderJob& job, Frame frame, FrameHeader header) {
  EncodeJob encode;
  encode.owner = session.get();
  encode.frame = std::move(frame);
  encode.header = std::move(header);
  encode.coding = job.pick.coding;
  encode.background = job.pick.kind == PictureKind::exact || job.pick.kind == PictureKind::ahead;
  encode.streams = job.streams;
  encode.done = [this, session, job = std::move(job)](Result<EncodedFrame> encoded, Frame& picture) {
    if (encoded) {
      metrics.made(encoded->header, job.pick.kind, encoded->pictureBytes);
    } else {
      metrics.failed.add();
    }
    session->finished(job, std::move(encoded), picture);
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
  request.preview = job.pick.kind == PictureKind::moving || job.pick.kind == PictureKind::refinement;
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
  for (const auto& session : table.connected()) {
    if (const auto due = session->settledDueAt()) deadline = std::min(deadline, *due);
  }
  return deadline;
}

StreamEngine::StreamEngine(std::unique_ptr<Renderer> renderer, Options options)
    : state_(std::make_unique<State>(std::move(renderer), options)) {
  auto& registry = *state_->registry;
  registry.computed("nora_sessions", "Viewers that are connected.", [weak = std::weak_ptr(state_->counts)] {
    const auto counts = weak.lock();
    return counts ? static_cast<double>(counts->connectedCount()) : 0;
  });
  registry.computed("nora_sessions_kept", "Sessions that wait for their viewer.",
                    [weak = std::weak_ptr(state_->counts)] {
                      const auto counts = weak.lock();
                      return counts ? static_cast<double>(counts->keptCount()) : 0;
                    });
  state_->renderThread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->renderLoop(stop); });
}

StreamEngine::~StreamEngine() {
  for (const auto& session : state_->table.connected()) session->shut();
  for (const auto& session : state_->table.kept()) session->shut();
  state_->renderThread.request_stop();
  state_->current.close();
  state_->renderThread.join();
}

std::shared_ptr<StreamEngine::Link> StreamEngine::connect(std::shared_ptr<SessionOutput> output,
                                                          StreamVisitor visitor) {
  return state_->table.open(std::move(output), std::move(visitor));
}

void StreamEngine::receive(Link& link, std::string_view message) {
  const auto session = link.session();
  if (session == nullptr) {
    const auto self = state_->table.find(link);
    if (self != nullptr && !link.isOver()) state_->begin(self, message);
    return;
  }
  std::vector<ImageLoad> loads;
  session->receive(message, loads);
  state_->startPick(session);
  session->flush();
  state_->start(session, std::move(loads));
  state_->makeWay(*session);
  state_->wake();
}

SessionPointer StreamEngine::State::makeSession(const StreamVisitor& visitor) const {
  ViewerSession::Options how;
  how.schedule.settle = options.settle;
  how.schedule.pause = options.pause;
  how.schedule.frameBudget = options.frameBudget;
  how.schedule.wireBudget = options.frameBudget;
  how.schedule.smallestScale = options.smallestScale;
  how.version = options.version;
  how.keep = options.keep;
  how.jpegQuality = options.movingJpegQuality;
  return std::make_shared<Session>(newToken(), how, visitor);
}

/// The first message of a connection.
void StreamEngine::State::begin(const LinkPointer& link, std::string_view message) {
  const auto parsed = parseClientMessage(message);
  if (!parsed) return link->refuse(parsed.error());
  const auto* first = std::get_if<StartMessage>(&*parsed);
  if (first == nullptr) return link->refuse({ErrorCode::forbidden, "the first message must be start", "type"});
  const auto found =
      table.sessionFor(first->resume, link->visitor(), [&] { return makeSession(link->visitor()); });
  if (!found) return link->refuse(found.error());
  const auto& [session, before] = *found;
  if (before != nullptr) {
    before->takeSession();
    session->detach();
    before->output()->close(takenOver, "continued in another window or connection");
  }
  std::vector<ImageLoad> loads;
  session->attach(link->output(), first->codecs, loads);
  if (session->id() == first->resume) metrics.resumed.add();
  link->setSession(session);
  if (options.greeting) session->post(options.greeting());
  session->flush();
  start(session, std::move(loads));
  wake();
}

void StreamEngine::pinged(Link& link, microseconds roundTrip) {
  if (const auto session = link.session()) session->pinged(roundTrip);
}

void StreamEngine::disconnect(const std::shared_ptr<Link>& link) {
  const auto session = link->takeSession();
  if (session != nullptr) {
    session->detach();
    state_->current.forget(session.get());
  }
  const auto over = state_->table.close(link, session, session != nullptr && session->isWorthKeeping());
  if (over != nullptr) over->shut();
}

void StreamEngine::releaseUnseen() {
  for (const auto& session : state_->table.kept()) session->releaseImages();
  for (const auto& session : state_->table.connected()) {
    if (session->isUnseen()) session->releaseImages();
  }
}

void StreamEngine::endUnless(const std::function<bool(const std::string& key)>& mayStay) {
  std::map<std::string, bool> stays;
  for (const auto& key : state_->table.keys()) stays.emplace(key, mayStay(key));
  const auto isOver = [&](const std::string& key) {
    const auto found = stays.find(key);
    return found != stays.end() && !found->second;
  };
  for (const auto& link : state_->table.links()) {
    if (isOver(link->visitor().key)) link->output()->close(notAllowed, "what you may see has changed");
  }
  for (const auto& session : state_->table.forget(isOver)) {
    session->detach();
    session->shut();
    state_->current.forget(session.get());
  }
}

/// Ends connections that say nothing, and sessions to which nobody comes back.
void StreamEngine::State::lookAfterLinks(Clock::time_point now) {
  constexpr std::chrono::milliseconds between{100};
  if (now - lookedAfter < between) return;
  lookedAfter = now;
  const auto overdue = table.overdue(now);
  for (const auto& link : overdue.silent)
    link->refuse({ErrorCode::forbidden, "the first message did not come", "start"});
  for (const auto& session : overdue.idle) session->stopLoads();
  for (const auto& session : overdue.over) session->shut();
}

void StreamEngine::broadcast(const std::string& message) {
  for (const auto& session : state_->table.connected()) {
    session->post(message);
    session->flush();
  }
}

std::size_t StreamEngine::sessionCount() const {
  return state_->table.connectedCount();
}

std::size_t StreamEngine::keptCount() const {
  return state_->table.keptCount();
}

}  // namespace nora
