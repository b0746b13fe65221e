// One viewer: control messages in, scene state, frames out. Knows no sockets: the transport is two callbacks.
#pragma once

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "render/renderer.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// How an image is wanted.
struct LoadOptions {
  /// This time point is needed now: of a large series it may come alone. Empty: the whole image.
  std::optional<std::int64_t> timePoint;
  /// Told of 0..1 now and then, on any thread. May be empty.
  std::function<void(double)> progress;
};

/// What a layer shows: an image, or a surface, values for surfaces, or streamlines. Read-only, shared.
class LayerContent {
 public:
  LayerContent() = default;
  LayerContent(std::shared_ptr<const Volume> volume) : volume_(std::move(volume)) {}
  LayerContent(const std::shared_ptr<const Content>& content) : volume_(volumeIn(content)) {
    if (!volume_) shape_ = content;
  }
  [[nodiscard]] const std::shared_ptr<const Volume>& volume() const { return volume_; }  // nullptr: no image
  [[nodiscard]] const std::shared_ptr<const Content>& shape() const { return shape_; }   // nullptr: an image
  [[nodiscard]] bool isEmpty() const { return !volume_ && !shape_; }
  /// Texts of the file are not for this viewer: they may tell whose it is.
  void hideTexts() { hidesTexts_ = true; }
  [[nodiscard]] bool hidesTexts() const { return hidesTexts_; }

 private:
  std::shared_ptr<const Volume> volume_;
  std::shared_ptr<const Content> shape_;
  bool hidesTexts_ = false;
};

/// How sessions get images; implemented by app/ with the index, the reader pool and the volume cache.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// Loads (or finds in the cache) an image or shape. A volume holds options.timePoint, or all time points. Thread:
  /// any; blocks. `stop` ends it soon, at every stage. Errors: notFound, unsupported (there is nothing to draw), and
  /// those of readers.
  [[nodiscard]] virtual Result<LayerContent> load(const Source& source, const LoadOptions& options,
                                                  std::stop_token stop) = 0;
};

/// Who a stream is for, and what they may see.
struct StreamVisitor {
  std::string key;                      // a session that was begun by one is resumed by nobody else
  std::shared_ptr<ImageSource> images;  // only what they may see
  std::string user;                     // whose streams are counted together; empty: of nobody who is known
};

/// What is waited for goes first; what is not may go in parts, and let others pass between them. Spare ones are those
/// that may never be needed.
enum class FrameHaste : std::uint8_t { urgent, patient, spare };

/// Where a session's messages go. Called from the engine's threads, never re-entrantly from `receive`'s caller with a
/// lock held; must not block.
class SessionOutput {
 public:
  virtual ~SessionOutput() = default;
  virtual void sendText(std::string message) = 0;
  /// Header and picture; counted as in flight until `ack`.
  virtual void sendFrame(std::uint32_t number, std::vector<std::byte> message, FrameHaste haste) = 0;
  /// Takes back a frame that is not wholly sent. True if it will not arrive. May be called with the session's lock
  /// held.
  virtual bool withdraw(std::uint32_t number) = 0;
  virtual void close(int code, std::string reason) = 0;
};

/// Renders and encodes for all sessions: one render thread, encoders on a pool, loaders on a pool.
class StreamEngine {
 public:
  struct Options {
    std::size_t loaderThreads = 2;
    std::size_t encoderThreads = 2;
    std::size_t sessions = 64;                    // more are refused
    std::size_t sessionsPerUser = 16;             // of one that is known
    std::chrono::seconds keep{600};               // a session whose connection is gone
    std::chrono::milliseconds startTime{10'000};  // for the first message of a connection
    int movingJpegQuality = 80;                   // 4:2:0
    std::chrono::milliseconds settle{150};        // after the last input: the lossless picture
    std::chrono::milliseconds pause{50};          // after the last input: the still
    std::chrono::milliseconds frameBudget{33};    // aimed at for drawing and encoding a moving picture
    double smallestScale = 1 / 6.0;               // of a moving picture's sides, if that takes too long at full size
    std::string version = "0.1.0";                // told in `hello`
    std::function<std::string()> greeting{};      // a text message for each connection, after `hello`; must not block
    std::shared_ptr<Metrics> metrics{};           // empty: nobody reads them
  };

  StreamEngine(std::unique_ptr<Renderer> renderer, Options options);
  ~StreamEngine();

  class Link;
  /// A new connection. It is told nothing before its first message, which is to be `start`.
  [[nodiscard]] std::shared_ptr<Link> connect(std::shared_ptr<SessionOutput> output, StreamVisitor visitor);
  /// One text message from the client. A malformed one closes the connection through its output.
  void receive(Link& link, std::string_view message);
  /// A small message went to the client and came back in that time.
  void pinged(Link& link, std::chrono::microseconds roundTrip);
  /// The connection is gone. Its session is kept for a while.
  void disconnect(const std::shared_ptr<Link>& link);

  /// Sends a text message to every session (catalogue news).
  void broadcast(const std::string& message);
  /// Ends the sessions, also kept ones, of visitors that may not go on: their streams are closed with 4003. `mayStay`
  /// is asked for each of their keys once, without a lock held.
  void endUnless(const std::function<bool(const std::string& key)>& mayStay);

  /// Lets go of images of sessions that nobody looks at.
  void releaseUnseen();

  [[nodiscard]] std::size_t sessionCount() const;  // that are connected
  [[nodiscard]] std::size_t keptCount() const;     // that are not, and may be resumed

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nora
