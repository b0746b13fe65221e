// ViewerSession: the state of one viewer. Messages change its scene; the engine asks it what to draw next.
#pragma once

#include "streaming/encoder_pool.hpp"
#include "streaming/layer_images.hpp"
#include "streaming/outbox.hpp"
#include "streaming/pick_job.hpp"
#include "streaming/view_schedule.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {

/// A picture to be made, with all that it needs; nobody else changes what it points to.
struct RenderJob {
  std::optional<Frame> ready;  // drawn already, to be sent once more in another coding
  std::shared_ptr<const Scene> scene;
  std::shared_ptr<const LayerVolumes> volumes;
  std::shared_ptr<const LayerShapes> shapes;
  ViewPick pick;
  std::uint64_t revision = 0;      // of the layers and their images
  std::uint64_t input = 0;         // the newest that the scene shows
  Clock::time_point inputArrival;  // when that came
  std::shared_ptr<VideoStreams> streams;
  std::uint32_t bandwidthKbit = 0;  // see FrameHeader
  std::uint32_t roundTripUs = 0;
};

/// Thread: any; one short lock, never held while anything is loaded, drawn or delivered. Whoever calls a member that
/// may post messages calls flush() afterwards, holding no lock.
class ViewerSession {
 public:
  struct Options {
    ViewSchedule::Options schedule;
    std::string version;
    std::chrono::seconds keep{600};
    int jpegQuality = 80;
  };
  ViewerSession(std::string id, Options options, StreamVisitor visitor);

  /// A connection comes, the first one or a later one; `wanted` codecs are those of the client. What had been stopped
  /// is loaded again.
  void attach(std::shared_ptr<SessionOutput> output, const std::vector<Codec>& wanted, std::vector<ImageLoad>& loads);
  /// The connection is gone: nothing is drawn, loads go on.
  void detach();
  /// Nobody may come back: stops loads.
  void stopLoads();
  /// Gives up the images, until somebody looks again.
  void releaseImages();
  /// No view is shown: a page in the background.
  [[nodiscard]] bool isUnseen() const;
  /// False if it was ended for what its client said, or if there is nothing in it.
  [[nodiscard]] bool isWorthKeeping() const;
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const StreamVisitor& visitor() const { return visitor_; }

  /// One text message of the client. What it asks to be loaded is added to `loads`. A malformed one closes the session.
  void receive(std::string_view message, std::vector<ImageLoad>& loads);
  /// A load has ended.
  void loaded(std::uint64_t ticket, Result<LayerContent> result, std::vector<ImageLoad>& loads);
  /// How far a load is: 0..1. The client is told a few times a second, of loads that take a while.
  void progressed(std::uint64_t ticket, double fraction);

  /// What the client wants to know of a view; of several questions that wait only the newest is kept.
  [[nodiscard]] std::optional<PickJob> takePick();
  [[nodiscard]] std::optional<RenderJob> nextJob(ViewSchedule::Kind kind, Clock::time_point now, int share);
  /// What was asked for ahead, if there is nothing else to do.
  [[nodiscard]] std::optional<RenderJob> nextAhead();
  [[nodiscard]] std::optional<Clock::time_point> movingDeadline() const;
  [[nodiscard]] std::optional<Clock::time_point> settledDueAt() const;
  [[nodiscard]] WaitingViews waiting() const;
  void rendered(const ViewPick& pick, std::chrono::microseconds prepare, std::chrono::microseconds draw);
  /// The picture was given up for a newer one after that time.
  void interrupted(const ViewPick& pick, std::chrono::microseconds elapsed);
  /// The message of a picture, or why it could not be made. A still takes its frame.
  void finished(const RenderJob& job, Result<EncodedFrame> encoded, Frame& frame);

  void pinged(std::chrono::microseconds roundTrip);
  void post(const std::string& text);
  void flush() { outbox_.flush(); }
  /// The end: stops loads, draws nothing more.
  void shut();

 private:
  struct PendingOpen {
    std::uint64_t ticket = 0;
    std::uint64_t input = 0;
    std::string layer;
    Source source;
    Clock::time_point arrival;
    bool asOverlay = false;
    std::stop_source stop;
    std::optional<double> progress;
    std::optional<Result<LayerContent>> result;
    Histogram histogram;
  };
  void handle(const OpenMessage& message, std::vector<ImageLoad>& loads);
  void handle(const SceneMessage& message, std::vector<ImageLoad>& loads);
  void handle(const EditMessage& message, std::vector<ImageLoad>& loads);
  void handle(const ViewportsMessage& message, std::vector<ImageLoad>& loads);
  void handle(const ProbeMessage& message);
  void handle(const PickMessage& message);
  void handle(const CancelMessage& message);
  void handle(const AckMessage& message);
  void handle(const PreferMessage& message);
  void handle(const KeyMessage& message);
  void handle(AheadMessage& message);
  void handle(const LoadMessage& message, std::vector<ImageLoad>& loads);
  [[nodiscard]] bool acceptInput(std::uint64_t input);

  void close(const Error& error);
  bool setScene(Scene scene, nlohmann::json json, std::uint64_t input, Clock::time_point arrival,
                std::vector<ImageLoad>& loads);
  void lookAgain(std::uint64_t input, Clock::time_point arrival);
  void refuse(std::uint64_t input, const Error& error);
  void applyOpens(std::vector<ImageLoad>& loads);
  void applyOpen(PendingOpen& open, std::vector<ImageLoad>& loads);
  void cancelOpens();
  void takeImages();
  bool dropChangedImages();
  void reportImages(std::vector<LayerReport> others = {});
  [[nodiscard]] RenderJob jobFor(ViewPick pick, std::shared_ptr<const Scene> scene);
  [[nodiscard]] std::optional<RenderJob> aheadJob(const AheadMessage::Item& item);
  void keepStill(const RenderJob& job, Frame& frame);
  [[nodiscard]] static FrameHaste hasteOf(PictureKind kind);
  void send(const RenderJob& job, EncodedFrame encoded);
  [[nodiscard]] std::map<std::string, double> progressNow() const;
  void tellProgress(const std::map<std::string, double>& progress);

  struct Still {
    std::uint32_t frame = 0;
    Frame picture;
  };

  const std::string id_;
  const StreamVisitor visitor_;
  const Options options_;
  Outbox outbox_;
  mutable std::mutex mutex_;
  bool closed_ = false;
  std::shared_ptr<const Scene> scene_;
  nlohmann::json sceneJson_;  // what the client has, to the letter
  std::shared_ptr<const LayerVolumes> volumes_ = std::make_shared<LayerVolumes>();
  std::shared_ptr<const LayerShapes> shapes_ = std::make_shared<LayerShapes>();
  LayerImages images_;
  std::deque<PendingOpen> opens_;  // in the order in which they were asked for
  std::optional<PickMessage> pick_;
  ViewSchedule schedule_;
  std::deque<AheadMessage::Item> ahead_;
  std::map<std::string, Still> stills_;  // that are to be sent losslessly, too; of each view
  std::shared_ptr<VideoStreams> streams_ = std::make_shared<VideoStreams>();
  Clock::time_point progressTold_{};
  std::set<std::string> progressOf_;  // the layers of which progress was told last
  std::uint64_t revision_ = 0;        // of the images, and of the layers where the whole scene is replaced
  std::uint64_t lastTicket_ = 0;
  std::uint64_t lastInput_ = 0;   // newest received
  std::uint64_t shownInput_ = 0;  // newest that changed the scene or the viewports
  Clock::time_point shownInputArrival_{};
};

}  // namespace nora
