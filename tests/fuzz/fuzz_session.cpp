// libFuzzer target for what clients of the stream say: a whole session of messages, one a line, goes to the parser and
// the session that it drives; images are loaded and pictures "drawn" at once and in order, so that every run is the
// same. "@" in a message stands for the next input id. Lines that are no messages:
//   .  time passes: all pictures that are due are drawn, and acknowledged
//   ~  the connection is cut and another one goes on with the session
// tests/data/protocol/sessions has one to begin with of each kind.
#include "render/scene/scene.hpp"
#include "streaming/pick_job.hpp"
#include "streaming/viewer_session.hpp"
#include "tests/streaming/support.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace nora;
using nlohmann::json;

constexpr std::size_t mostMessages = 64;
constexpr std::size_t mostPictures = 256;
constexpr std::chrono::seconds longAfter{10};  // everything is due by then

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// Looks at everything that the client is told.
class CheckedOutput final : public SessionOutput {
 public:
  void sendText(std::string message) override {
    check(code_ == 0, "nothing is said after the end");
    const json said = json::parse(message, nullptr, false);
    check(said.is_object() && said.value("type", json()).is_string(), "what is said is an object with a type");
    if (said["type"] == "hello" || said["type"] == "scene") {
      check(sceneFromJson(said["scene"]).has_value(), "the scene that is told is one");
    }
  }
  void sendFrame(std::uint32_t number, std::vector<std::byte>, FrameHaste) override {
    check(code_ == 0, "no picture comes after the end");
    check(number > newest_, "numbers of pictures grow");
    newest_ = number;
    waiting.push_back(number);
  }
  bool withdraw(std::uint32_t number) override { return std::erase(waiting, number) > 0; }
  void close(int code, std::string reason) override {
    check(code == 1007 || code == 1008 || code == 1009, "the end is one of docs/PROTOCOL.md");
    check(!reason.empty(), "the end has a reason");
    code_ = code;
  }
  [[nodiscard]] bool isClosed() const { return code_ != 0; }

  std::vector<std::uint32_t> waiting;  // for acknowledgement

 private:
  int code_ = 0;
  std::uint32_t newest_ = 0;
};

class Run {
 public:
  Run() : session_("0123456789abcdef0123456789abcdef", {}, {"somebody", std::make_shared<test::FakeImages>()}) {
    images_.release();
    connect();
  }
  ~Run() { session_.shut(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// False: the session is over.
  bool line(std::string_view text) {
    if (text == "~") {
      session_.detach();
      connect();
    } else if (text == ".") {
      draw(Clock::now() + longAfter, true);
    } else {
      receive(withInputs(text));
    }
    if (output_->isClosed()) return false;
    draw(Clock::now(), false);
    return true;
  }

 private:
  void connect() {
    output_ = std::make_shared<CheckedOutput>();
    const std::vector<Codec> all(availableCodecs().begin(), availableCodecs().end());
    std::vector<ImageLoad> loads;
    session_.attach(output_, all, loads);
    load(std::move(loads));
  }

  std::string withInputs(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '@')
        out += std::to_string(++input_);
      else
        out += c;
    }
    return out;
  }

  void receive(std::string_view message) {
    std::vector<ImageLoad> loads;
    session_.receive(message, loads);
    if (const auto pick = session_.takePick()) session_.post(answer(picker_, *pick));
    session_.flush();
    load(std::move(loads));
  }

  void load(std::vector<ImageLoad> loads) {
    session_.flush();
    while (!loads.empty()) {
      const ImageLoad wanted = std::move(loads.back());
      loads.pop_back();
      LoadOptions how;
      how.timePoint = wanted.timePoint;
      how.progress = [&](double part) { session_.progressed(wanted.ticket, part); };
      session_.loaded(wanted.ticket, contentOf(wanted, how), loads);
      session_.flush();
    }
  }

  Result<LayerContent> contentOf(const ImageLoad& wanted, const LoadOptions& how) {
    try {
      return images_.load(wanted.source, how, wanted.stop);
    } catch (const std::exception& e) {
      return fail(ErrorCode::internal, e.what(), wanted.source.path);
    }
  }

  void draw(Clock::time_point now, bool acknowledge) {
    for (std::size_t n = 0; n < mostPictures && !output_->isClosed(); ++n) {
      auto job = session_.nextJob(ViewSchedule::Kind::moving, now, 1);
      if (!job) job = session_.nextJob(ViewSchedule::Kind::settled, now, 1);
      if (!job) job = session_.nextAhead();
      if (!job && (!acknowledge || output_->waiting.empty())) return;
      if (job) finish(*job);
      if (acknowledge) acknowledgeAll();
    }
  }

  void finish(const RenderJob& job) {
    check(job.pick.width >= 1 && job.pick.width <= maxViewportSide, "width of a picture");
    check(job.pick.height >= 1 && job.pick.height <= maxViewportSide, "height of a picture");
    check(findView(*job.scene, job.pick.view) != nullptr, "a picture is of a view of its scene");
    Frame frame;
    frame.resize(1, 1);
    session_.rendered(job.pick, std::chrono::microseconds(10), std::chrono::microseconds(100));
    EncodedFrame encoded;
    encoded.coding = job.pick.coding;
    encoded.message.resize(1000);
    encoded.pictureBytes = encoded.message.size();
    session_.finished(job, std::move(encoded), frame);
    session_.flush();
  }

  void acknowledgeAll() {
    for (const auto number : std::exchange(output_->waiting, {})) {
      receive(R"({"type":"ack","heldMs":1,"decodeMs":1,"frame":)" + std::to_string(number) + "}");
    }
  }

  test::FakeImages images_;
  Picker picker_;
  std::shared_ptr<CheckedOutput> output_;
  ViewerSession session_;
  std::uint64_t input_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view left(reinterpret_cast<const char*>(data), size);
  Run run;
  for (std::size_t n = 0; n < mostMessages && !left.empty(); ++n) {
    const auto end = std::min(left.find('\n'), left.size());
    if (!run.line(left.substr(0, end))) break;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return 0;
}
