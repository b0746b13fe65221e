// What the streaming tests share: a renderer, images and an output that are simple enough to be predicted.
#pragma once

#include "streaming/protocol/frame_header.hpp"
#include "streaming/session.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

namespace nora::test {

using nlohmann::json;
using namespace std::chrono_literals;

/// Longer than anything here takes, even under a sanitizer on a busy machine.
constexpr std::chrono::seconds patience{20};

/// A picture with structure: gradients, a disc, some noise.
inline Frame makePicture(int width, int height) {
  Frame frame;
  frame.resize(width, height);
  std::uint32_t noise = 1;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      noise = noise * 1664525U + 1013904223U;
      const int dx = x - width / 2;
      const int dy = y - height / 2;
      const bool inside = dx * dx + dy * dy < height * height / 5;
      auto* p = &frame.rgba[(static_cast<std::size_t>(y) * width + x) * 4];
      p[0] = static_cast<std::uint8_t>(inside ? 60 + x * 120 / width + (noise >> 29) : 0);
      p[1] = static_cast<std::uint8_t>(inside ? 60 + y * 120 / height + (noise >> 30) : 0);
      p[2] = static_cast<std::uint8_t>(inside ? 90 + (noise >> 29) : 0);
      p[3] = 255;
    }
  }
  return frame;
}

/// Fills every picture with a colour made of the scene's crosshair; records what it was asked for.
class FakeRenderer : public Renderer {
 public:
  struct Call {
    std::string view;
    int width = 0, height = 0;
    double stepScale = 1;
    std::size_t volumes = 0;
    Vec3 crosshairMm{};
    std::int64_t time = 0;  // of the first layer
    int viewWidth = 0, viewHeight = 0;
  };

  Result<RenderStatistics> render(const RenderRequest& request, Frame& frame) override {
    std::unique_lock lock(mutex_);
    calls_.push_back({request.view, request.width, request.height, request.stepScale, request.volumes->size(),
                      request.scene->crosshairMm,
                      request.scene->layers.empty() ? 0 : request.scene->layers.front().time, request.viewWidth,
                      request.viewHeight});
    changed_.notify_all();
    changed_.wait(lock, request.stop, [&] { return !held_; });
    if (request.stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped", request.view);
    if (failures_.contains(request.view)) return fail(ErrorCode::internal, "broken on purpose", request.view);
    if (throwing_.contains(request.view)) throw std::runtime_error("thrown on purpose");
    frame.resize(request.width, request.height);
    const auto value = static_cast<std::uint8_t>(static_cast<int>(request.scene->crosshairMm[0]) & 255);
    for (std::size_t i = 0; i < frame.rgba.size(); ++i) frame.rgba[i] = i % 4 == 3 ? 255 : value;
    frame.geometry = {{1, 2, 3}, {2, 0, 0}, {0, 0, -2}, {0, 1, 0}};
    lock.unlock();
    if (delay > 0us) std::this_thread::sleep_for(delay);
    return RenderStatistics{};
  }
  std::string name() const override { return "fake"; }

  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void failFor(const std::string& view) {
    const std::lock_guard lock(mutex_);
    failures_.insert(view);
  }
  void throwFor(const std::string& view) {
    const std::lock_guard lock(mutex_);
    throwing_.insert(view);
  }
  bool waitForCalls(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return calls_.size() >= count; });
  }
  std::vector<Call> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  std::chrono::microseconds delay{0};  // set before the engine starts

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool held_ = false;
  std::set<std::string> failures_, throwing_;
  std::vector<Call> calls_;
};

/// Lets the test keep a renderer that the engine owns.
class SharedRenderer : public Renderer {
 public:
  explicit SharedRenderer(std::shared_ptr<FakeRenderer> inner) : inner_(std::move(inner)) {}
  Result<RenderStatistics> render(const RenderRequest& request, Frame& frame) override {
    return inner_->render(request, frame);
  }
  std::string name() const override { return inner_->name(); }

 private:
  std::shared_ptr<FakeRenderer> inner_;
};

/// A volume of 4 x 4 x 4 voxels with value x + 10 y + 100 z + 1000 t, 1 mm, first voxel at the origin.
inline std::shared_ptr<const Volume> makeVolume(std::int64_t times = 1, VoxelType type = VoxelType::int16) {
  ImageInfo info;
  info.format = "test";
  info.dims = {4, 4, 4};
  info.timePoints = times;
  info.type = type;
  VoxelStatistics statistics;
  statistics.max = 333;
  statistics.finite = 64;
  statistics.percentile98 = 333;
  info.statistics = statistics;
  std::vector<std::byte> bytes(static_cast<std::size_t>(64 * times) * bytesPerVoxel(type));
  for (std::int64_t i = 0; i < 64 * times; ++i) {
    const auto value = static_cast<std::int16_t>(i % 4 + 10 * (i / 4 % 4) + 100 * (i / 16 % 4) + 1000 * (i / 64));
    if (type == VoxelType::int16) {
      std::memcpy(&bytes[static_cast<std::size_t>(i) * 2], &value, 2);
    } else {
      for (std::size_t c = 0; c < 3; ++c)
        bytes[static_cast<std::size_t>(i) * 3 + c] = static_cast<std::byte>(i + 64 * static_cast<std::int64_t>(c));
    }
  }
  return std::make_shared<const Volume>(Volume::copyOf(info, bytes, "test").value());
}

constexpr std::int64_t seriesTimes = 5;

/// Labels 1, 2, 3 that overlap: in a component each.
inline std::shared_ptr<const Volume> makeOverlappingLabels() {
  ImageInfo info = makeVolume()->info();
  info.type = VoxelType::uint8;
  info.components = 3;
  info.intent = "label";
  info.labels = LabelTable({{1, "one"}, {2, "two"}, {3, "three"}}, "in the image");
  info.statistics->max = 3;
  info.statistics->integral = true;
  info.statistics->distinct = 4;
  std::vector<std::byte> bytes(64 * 3);
  for (std::size_t c = 0; c < 3; ++c) bytes[c * 64 + 21] = static_cast<std::byte>(c + 1);
  return std::make_shared<const Volume>(Volume::copyOf(info, bytes, "labels").value());
}

/// One time point of makeVolume(seriesTimes).
inline std::shared_ptr<const Volume> makePart(std::int64_t time) {
  const auto whole = makeVolume(seriesTimes);
  const std::size_t size = whole->frameBytes() + Volume::paddingBytes;
  auto fd = createMemoryFile("part", size);
  auto mapped = MappedBytes::readWrite(fd->get(), size, "part");
  std::memcpy(mapped->writable().data(), whole->frame(time), whole->frameBytes());
  auto part = Volume::create(whole->info(), std::move(*mapped), 0, "part", TimeRange{time, 1});
  return std::make_shared<const Volume>(std::move(part.value()));
}

/// makeVolume() whose voxels stay in a file; `fd` is that file.
inline std::shared_ptr<const Volume> makeVolumeInFile(int fd) {
  const auto copied = makeVolume();
  const std::size_t size = copied->frameBytes();
  if (::pwrite(fd, copied->frame(0), size, 0) != static_cast<ssize_t>(size)) std::abort();
  auto bytes = MappedBytes::ofFile(fd, *stampOf(fd), {0, size, Volume::paddingBytes}, "in file");
  return std::make_shared<const Volume>(Volume::create(copied->info(), std::move(*bytes), 0, "in file").value());
}

/// "infile..." has its voxels in `file`, which a test may change.
/// "series..." gives single time points at once ("PATH@TIME" counts them), the whole when released; time point 4 cannot
/// be loaded alone.
/// "bad..." cannot be loaded, "none..." is not there, "slow..." blocks until released or
/// stopped.
class FakeImages : public ImageSource {
 public:
  Result<LayerContent> load(const Source& source, const LoadOptions& options, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    const bool isSeries = source.path.starts_with("series");
    const bool isPart = isSeries && options.timePoint;
    ++loads_[isPart ? source.path + "@" + std::to_string(*options.timePoint) : source.path];
    changed_.notify_all();
    if (isPart && *options.timePoint == 4) return fail(ErrorCode::invalidInput, "damaged", source.path);
    const bool isFreePart = isPart && *options.timePoint != heldTime_;
    if (isFreePart) return makePart(*options.timePoint);
    if (source.path.starts_with("slow") || isSeries) {
      for (int told = 0; !released_ && !stop.stop_requested(); ++told) {
        lock.unlock();
        options.progress(std::min(0.001 * told, 1.0));
        lock.lock();
        changed_.wait_for(lock, stop, 5ms, [&] { return released_; });
      }
      if (stop.stop_requested()) {
        ++cancelled_[isPart ? source.path + "@" + std::to_string(*options.timePoint) : source.path];
        changed_.notify_all();
        return fail(ErrorCode::cancelled, "cancelled", source.path);
      }
    }
    if (source.path.starts_with("none")) return fail(ErrorCode::notFound, "no such file", source.path);
    if (source.path.starts_with("bad")) return fail(ErrorCode::invalidInput, "not an image", source.path);
    if (source.path.starts_with("throw")) throw std::runtime_error("thrown on purpose");
    if (isPart) return makePart(*options.timePoint);
    if (isSeries) return makeVolume(seriesTimes);
    if (source.path.starts_with("infile")) return makeVolumeInFile(file.get());
    if (source.path.starts_with("overlapping")) return makeOverlappingLabels();
    if (source.path.starts_with("4d")) return makeVolume(3);
    if (source.path.starts_with("rgb")) return makeVolume(1, VoxelType::rgb24);
    return makeVolume();
  }
  const UniqueFd file{::memfd_create("file", MFD_CLOEXEC)};
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  /// That time point alone comes no sooner than the whole.
  void holdTime(std::int64_t time) {
    const std::lock_guard lock(mutex_);
    heldTime_ = time;
    changed_.notify_all();
  }
  int loads(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return loads_[path];
  }
  bool waitForCancelled(const std::string& path) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return cancelled_[path] > 0; });
  }
  bool waitForLoad(const std::string& path) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return loads_[path] > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool released_ = false;
  std::int64_t heldTime_ = -1;
  std::map<std::string, int> loads_, cancelled_;
};

/// Collects what a session says.
class FakeOutput : public SessionOutput {
 public:
  struct Shown {
    FrameHeader header;
    std::vector<std::byte> picture;
  };

  void sendText(std::string message) override {
    const std::lock_guard lock(mutex_);
    texts_.push_back(json::parse(message));
    changed_.notify_all();
  }
  void sendFrame(std::uint32_t, std::vector<std::byte> message, FrameHaste) override {
    std::span<const std::byte> payload;
    auto header = parseFrameHeader(message, payload);
    const std::lock_guard lock(mutex_);
    frames_.push_back({header.value(), {payload.begin(), payload.end()}});
    changed_.notify_all();
  }
  bool withdraw(std::uint32_t) override { return false; }
  void close(int code, std::string reason) override {
    const std::lock_guard lock(mutex_);
    closeCode_ = code;
    closeReason_ = std::move(reason);
    changed_.notify_all();
  }

  bool waitForFrames(std::size_t count, std::chrono::milliseconds timeout = patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return frames_.size() >= count; });
  }
  bool waitForClose() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return closeCode_ != 0; });
  }
  /// The next text of a type that was not yet taken (older ones of other types are left alone).
  json take(const std::string& type) {
    std::unique_lock lock(mutex_);
    json found;
    changed_.wait_for(lock, patience, [&] {
      for (auto at = texts_.begin(); at != texts_.end(); ++at) {
        if ((*at)["type"] != type) continue;
        found = *at;
        texts_.erase(at);
        return true;
      }
      return false;
    });
    return found;
  }
  std::vector<Shown> frames() {
    const std::lock_guard lock(mutex_);
    return frames_;
  }
  /// What was not taken yet.
  std::vector<json> texts() {
    const std::lock_guard lock(mutex_);
    return texts_;
  }
  std::size_t textCount() {
    const std::lock_guard lock(mutex_);
    return texts_.size();
  }
  int closeCode() {
    const std::lock_guard lock(mutex_);
    return closeCode_;
  }
  std::string closeReason() {
    const std::lock_guard lock(mutex_);
    return closeReason_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<json> texts_;
  std::vector<Shown> frames_;
  int closeCode_ = 0;
  std::string closeReason_;
};

}  // namespace nora::test
