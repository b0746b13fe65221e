#include "streaming/encoder_pool.hpp"

#include "base/log.hpp"
#include "streaming/encoder/encoder.hpp"

#include <algorithm>
#include <chrono>
#include <exception>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;

std::uint32_t microsecondsSince(Clock::time_point start) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, 0xFFFFFFFF));
}

/// The encoders of one thread.
struct Encoders {
  std::unique_ptr<Encoder> jpeg;
  std::unique_ptr<Encoder> png = makePngEncoder();
};

Result<std::vector<std::byte>> encode(Encoders& encoders, EncodeJob& job) {
  const auto start = Clock::now();
  job.header.codec = job.lossless ? Codec::png : Codec::jpeg;
  if (job.lossless) job.header.hash = fnv1a64(job.frame.rgba);
  std::vector<std::byte> message;
  appendFrameHeader(job.header, message);
  const std::size_t headerBytes = message.size();
  Encoder* encoder = job.lossless ? encoders.png.get() : encoders.jpeg.get();
  if (encoder == nullptr) return fail(ErrorCode::internal, "the JPEG encoder did not start");
  if (auto ok = encoder->encode(job.frame, message); !ok) return tl::make_unexpected(ok.error());
  job.header.encodeUs = microsecondsSince(start);
  std::vector<std::byte> header;
  appendFrameHeader(job.header, header);
  std::copy(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(headerBytes), message.begin());
  return message;
}

Result<std::vector<std::byte>> encodeSafely(Encoders& encoders, EncodeJob& job) {
  try {
    return encode(encoders, job);
  } catch (const std::exception& e) {
    return fail(ErrorCode::internal, std::string("a picture could not be encoded: ") + e.what());
  }
}

}  // namespace

EncoderPool::EncoderPool(std::size_t threads, int jpegQuality)
    : room_(std::max<std::size_t>(threads, 1) + 1), jpegQuality_(jpegQuality) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

EncoderPool::~EncoderPool() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

Frame EncoderPool::takeFrame() {
  const std::lock_guard lock(mutex_);
  if (freeFrames_.empty()) return {};
  Frame frame = std::move(freeFrames_.back());
  freeFrames_.pop_back();
  return frame;
}

void EncoderPool::giveBack(Frame frame) {
  const std::lock_guard lock(mutex_);
  if (freeFrames_.size() < room_ + 1) freeFrames_.push_back(std::move(frame));
}

void EncoderPool::submit(EncodeJob job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
}

bool EncoderPool::hasRoom() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size() + busy_.size() < room_;
}

std::deque<EncodeJob>::iterator EncoderPool::nextJob() {
  return std::find_if(jobs_.begin(), jobs_.end(), [&](const EncodeJob& job) { return !busy_.contains(job.owner); });
}

void EncoderPool::work(const std::stop_token& stop) {
  Encoders encoders;
  if (auto jpeg = makeJpegEncoder(jpegQuality_)) {
    encoders.jpeg = std::move(*jpeg);
  } else {
    log::error(describe(jpeg.error()));
  }
  std::unique_lock lock(mutex_);
  while (ready_.wait(lock, stop, [&] { return nextJob() != jobs_.end(); })) {
    if (stop.stop_requested()) return;
    const auto at = nextJob();
    EncodeJob job = std::move(*at);
    jobs_.erase(at);
    busy_.insert(job.owner);
    lock.unlock();
    auto message = encodeSafely(encoders, job);
    job.done(std::move(message), std::chrono::microseconds(job.header.encodeUs));
    job.done = nullptr;
    giveBack(std::move(job.frame));
    lock.lock();
    busy_.erase(job.owner);
    lock.unlock();
    ready_.notify_all();
    if (onRoom_) onRoom_();
    lock.lock();
  }
}

}  // namespace nora
