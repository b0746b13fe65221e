// EncoderPool: rendered frames become messages on threads of their own, in order within each session.
#pragma once

#include "base/error.hpp"
#include "render/renderer.hpp"
#include "streaming/protocol/frame_header.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

namespace nora {

/// A frame on its way to its message. The header lacks codec, encode time and hash.
struct EncodeJob {
  const void* owner = nullptr;  // jobs of one owner are done one by one, in order
  Frame frame;
  FrameHeader header;
  bool lossless = false;
  /// The message and how long its encoding took.
  std::function<void(Result<std::vector<std::byte>>, std::chrono::microseconds)> done;
};

/// Few frames wait at a time: a renderer that is faster than the encoders waits for them, so that it draws the newest
/// input when there is room and not an older one before.
class EncoderPool {
 public:
  EncoderPool(std::size_t threads, int jpegQuality);
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

  const std::size_t room_;
  const int jpegQuality_;
  mutable std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<EncodeJob> jobs_;
  std::set<const void*> busy_;
  std::vector<Frame> freeFrames_;
  std::function<void()> onRoom_;
  std::vector<std::jthread> threads_;
};

}  // namespace nora
