// EncoderPool: rendered frames become messages on threads of their own.
#pragma once

#include "base/error.hpp"
#include "render/renderer.hpp"
#include "streaming/coding.hpp"
#include "streaming/protocol/frame_header.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace nora {

/// The video encoders of one viewer: one stream a view and codec. Belongs to the jobs of one owner.
using VideoStreams = std::map<std::pair<std::string, Codec>, std::unique_ptr<Encoder>>;

/// A picture's message, and how it was made.
struct EncodedFrame {
  std::vector<std::byte> message;
  FrameHeader header;   // as in the message
  Coding coding;        // another codec than was asked for, if that failed
  std::string failure;  // why
  std::size_t pictureBytes = 0;
  std::chrono::microseconds time{0};
};

/// A frame on its way to its message. The header lacks codec, encode time and hash.
struct EncodeJob {
  const void* owner = nullptr;  // jobs of one owner are done one by one, in order, but for those in the background
  Frame frame;
  FrameHeader header;
  Coding coding;
  bool background = false;  // others go first
  std::shared_ptr<VideoStreams> streams;
  /// May take the frame.
  std::function<void(Result<EncodedFrame>, Frame&)> done;
};

/// Few frames wait at a time: a renderer that is faster than the encoders waits for them, so that it draws the newest
/// input when there is room and not an older one before. Jobs in the background leave a thread for the others, if there
/// are two.
class EncoderPool {
 public:
  explicit EncoderPool(std::size_t threads);
  ~EncoderPool();

  /// A frame whose memory can be used again.
  [[nodiscard]] Frame takeFrame();
  void submit(EncodeJob job);
  /// Gives back a frame that is not encoded.
  void giveBack(Frame frame);

  [[nodiscard]] bool hasRoom() const;
  /// Called (on an encoder thread, no lock held) whenever there is room again. Set before the first submit.
  void onRoom(std::function<void()> callback) { onRoom_ = std::move(callback); }

 private:
  void work(const std::stop_token& stop);
  [[nodiscard]] std::deque<EncodeJob>::iterator nextJob();

  const std::size_t threadCount_;
  mutable std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<EncodeJob> jobs_;
  std::set<const void*> busy_;
  std::size_t running_ = 0;
  std::size_t background_ = 0;  // of these
  std::vector<Frame> freeFrames_;
  std::function<void()> onRoom_;
  std::vector<std::jthread> threads_;
};

}  // namespace nora
