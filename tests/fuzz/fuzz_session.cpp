// libFuzzer target for what clients say: each line of the input is one message to a session that has a small image
// open. What it then wants drawn is taken, and said to be drawn and sent, so that acknowledgements meet frames.
#include "streaming/viewer_session.hpp"
#include "tests/streaming/support.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using namespace nora;

class OneImage final : public ImageSource {
 public:
  Result<Source> resolve(const std::string& id) override {
    if (id.empty()) return fail(ErrorCode::notFound, "nothing of that id", id);
    return Source{"a.nii", ""};
  }
  Result<LayerContent> load(const Source& source, const LoadOptions& /*options*/, std::stop_token /*stop*/) override {
    if (source.path != "a.nii") return fail(ErrorCode::notFound, "there is no such file", source.path);
    static const auto volume = test::makeVolume();
    return LayerContent(volume);
  }
};

class Nowhere final : public SessionOutput {
 public:
  void sendText(std::string message) override {
    if (!nlohmann::json::accept(message)) std::abort();
  }
  void sendFrame(std::uint32_t /*number*/, std::vector<std::byte> /*message*/, FrameHaste /*haste*/) override {}
  bool withdraw(std::uint32_t number) override { return number % 2 == 0; }
  void close(int /*code*/, std::string /*reason*/) override { isOpen = false; }
  bool isOpen = true;
};

void load(ViewerSession& session, OneImage& images, std::vector<ImageLoad>& loads) {
  for (int rounds = 0; rounds < 4 && !loads.empty(); ++rounds) {
    std::vector<ImageLoad> more;
    for (const ImageLoad& wanted : loads) session.loaded(wanted.ticket, images.load(wanted.source, {}, {}), more);
    loads = std::move(more);
  }
  loads.clear();
}

void draw(ViewerSession& session) {
  using namespace std::chrono_literals;
  for (int i = 0; i < 3; ++i) {
    auto job = session.nextJob(ViewSchedule::Kind::moving, Clock::now(), 1);
    if (!job) job = session.nextJob(ViewSchedule::Kind::settled, Clock::now() + 1s, 1);
    if (!job) job = session.nextAhead();
    if (!job) return;
    session.rendered(job->pick, 1ms, 2ms);
    EncodedFrame encoded;
    encoded.message.resize(300);
    encoded.coding = job->pick.coding;
    Frame frame;
    session.finished(*job, std::move(encoded), frame);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  OneImage images;
  ViewerSession session("0123456789abcdef0123456789abcdef", {});
  auto output = std::make_shared<Nowhere>();
  std::vector<ImageLoad> loads;
  session.attach(output, {Codec::jpeg, Codec::png, Codec::h264}, loads);
  session.receive(
      R"({"type":"viewports","input":1,"views":{"axial":{"width":64,"height":48},"3d":{"width":32,"height":32}}})",
      images, loads);
  session.receive(R"({"type":"open","input":2,"entry":"1"})", images, loads);
  load(session, images, loads);
  draw(session);
  while (!rest.empty() && output->isOpen) {
    const auto end = rest.find('\n');
    session.receive(rest.substr(0, end), images, loads);
    load(session, images, loads);
    draw(session);
    static_cast<void>(session.takePick());
    session.flush();
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  session.shut();
  return 0;
}
