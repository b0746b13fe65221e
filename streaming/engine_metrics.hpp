// What the engine counts.
#pragma once

#include "base/metrics.hpp"
#include "streaming/protocol/frame_header.hpp"
#include "streaming/view_schedule.hpp"

#include <cstddef>
#include <map>

namespace nora {

/// Thread: any.
class EngineMetrics {
 public:
  /// The registry must outlive this.
  explicit EngineMetrics(Metrics& metrics);

  /// A picture was made: with the times of its stages, as in the header.
  void made(const FrameHeader& header, PictureKind kind, std::size_t bytes);

  Counter& givenUp;
  Counter& failed;
  Counter& resumed;

 private:
  struct OfCodec {
    Counter* frames = nullptr;
    Counter* bytes = nullptr;
  };
  MetricHistogram &queue_, &render_, &readBack_, &encode_;
  std::map<PictureKind, Counter*> kinds_;
  std::map<Codec, OfCodec> codecs_;
};

}  // namespace nora
