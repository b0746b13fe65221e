#include "streaming/encoder_pool.hpp"

#include "base/log.hpp"
#include "streaming/encoder/encoder.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

/// The encoders of one thread that remember nothing of the pictures before.
using OwnEncoders = std::map<Codec, std::unique_ptr<Encoder>>;

Result<Encoder*> found(std::unique_ptr<Encoder>& encoder, Codec codec) {
  if (!encoder) {
    auto made = makeEncoder(codec);
    if (!made) return tl::make_unexpected(made.error());
    encoder = std::move(*made);
  }
  return encoder.get();
}

Result<Encoder*> encoderFor(OwnEncoders& own, EncodeJob& job, Codec codec) {
  if (!isVideo(codec)) return found(own[codec], codec);
  if (!job.streams) return fail(ErrorCode::internal, "a picture of a video that is not one");
  return found((*job.streams)[{job.header.view, codec}], codec);
}

Result<EncodedFrame> encodeAs(OwnEncoders& own, EncodeJob& job, const Coding& coding) {
  const auto start = Clock::now();
  const auto encoder = encoderFor(own, job, coding.codec);
  if (!encoder) return tl::make_unexpected(encoder.error());
  job.header.codec = coding.codec;
  job.header.encoderQuality = static_cast<std::uint8_t>(coding.settings.quality);
  job.header.hash = isLossless(coding.codec) ? fnv1a64(job.frame.rgba) : 0;
  EncodedFrame out;
  out.coding = coding;
  appendFrameHeader(job.header, out.message);
  const std::size_t headerBytes = out.message.size();
  const auto encoded = (*encoder)->encode(job.frame, coding.settings, out.message);
  if (!encoded) return tl::make_unexpected(encoded.error());
  out.pictureBytes = out.message.size() - headerBytes;
  out.time = std::chrono::duration_cast<microseconds>(Clock::now() - start);
  job.header.key = encoded->key;
  job.header.encodeUs = static_cast<std::uint32_t>(std::clamp<std::int64_t>(out.time.count(), 0, 0xFFFFFFFF));
  std::vector<std::byte> header;
  appendFrameHeader(job.header, header);
  std::copy(header.begin(), header.end(), out.message.begin());
  out.header = job.header;
  return out;
}

/// A codec that fails is replaced by the one of its kind that every client has.
Result<EncodedFrame> encode(OwnEncoders& own, EncodeJob& job) {
  auto encoded = encodeAs(own, job, job.coding);
  const Codec plain = isLossless(job.coding.codec) ? Codec::png : Codec::jpeg;
  if (encoded || job.coding.codec == plain) return encoded;
  Coding other = job.coding;
  other.codec = plain;
  auto instead = encodeAs(own, job, other);
  if (instead) instead->failure = describe(encoded.error());
  return instead;
}

Result<EncodedFrame> encodeSafely(OwnEncoders& own, EncodeJob& job) {
  try {
    return encode(own, job);
  } catch (const std::exception& e) {
    return fail(ErrorCode::internal, std::string("a picture could not be encoded: ") + e.what());
  }
}

}  // namespace

EncoderPool::EncoderPool(std::size_t threads) : threadCount_(std::max<std::size_t>(threads, 1)) {
  for (std::size_t i = 0; i < threadCount_; ++i) {
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
  if (!frame.rgba.empty() && freeFrames_.size() < threadCount_ + 2) freeFrames_.push_back(std::move(frame));
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
  return jobs_.size() + running_ < threadCount_ + 1;
}

std::deque<EncodeJob>::iterator EncoderPool::nextJob() {
  const auto urgent = std::find_if(jobs_.begin(), jobs_.end(),
                                   [&](const EncodeJob& job) { return !job.background && !busy_.contains(job.owner); });
  if (urgent != jobs_.end()) return urgent;
  if (threadCount_ > 1 && background_ + 1 >= threadCount_) return jobs_.end();
  return std::find_if(jobs_.begin(), jobs_.end(), [](const EncodeJob& job) { return job.background; });
}

void EncoderPool::work(const std::stop_token& stop) {
  OwnEncoders encoders;
  std::unique_lock lock(mutex_);
  while (ready_.wait(lock, stop, [&] { return nextJob() != jobs_.end(); })) {
    if (stop.stop_requested()) return;
    const auto at = nextJob();
    EncodeJob job = std::move(*at);
    jobs_.erase(at);
    ++running_;
    background_ += job.background ? 1 : 0;
    if (!job.background) busy_.insert(job.owner);
    lock.unlock();
    auto encoded = encodeSafely(encoders, job);
    job.done(std::move(encoded), job.frame);
    job.done = nullptr;
    giveBack(std::move(job.frame));
    lock.lock();
    --running_;
    background_ -= job.background ? 1 : 0;
    if (!job.background) busy_.erase(job.owner);
    lock.unlock();
    ready_.notify_all();
    if (onRoom_) onRoom_();
    lock.lock();
  }
}

}  // namespace nora
