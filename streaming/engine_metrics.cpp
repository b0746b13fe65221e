#include "streaming/engine_metrics.hpp"

#include <string>

namespace nora {
namespace {

constexpr const char* stageHelp =
    "Time of a stage of the pictures that something moving asked for: queue from the input to the start of rendering.";

MetricHistogram& stage(Metrics& metrics, const char* name) {
  return metrics.histogram("nora_frame_stage_seconds", stageHelp, stageSeconds(), {{"stage", name}});
}

double seconds(std::uint32_t us) {
  return static_cast<double>(us) / 1e6;
}

}  // namespace

EngineMetrics::EngineMetrics(Metrics& metrics)
    : givenUp(metrics.counter("nora_pictures_given_up_total", "Pictures whose drawing ended early, for newer input.")),
      failed(metrics.counter("nora_pictures_failed_total", "Pictures that could not be made.")),
      resumed(metrics.counter("nora_sessions_resumed_total", "Sessions that went on in another connection.")),
      queue_(stage(metrics, "queue")),
      render_(stage(metrics, "render")),
      readBack_(stage(metrics, "read_back")),
      encode_(stage(metrics, "encode")) {
  const std::map<PictureKind, const char*> names{{PictureKind::moving, "moving"},
                                                 {PictureKind::refinement, "refinement"},
                                                 {PictureKind::still, "still"},
                                                 {PictureKind::exact, "lossless"},
                                                 {PictureKind::ahead, "ahead"}};
  for (const auto& [kind, name] : names) {
    kinds_[kind] = &metrics.counter("nora_pictures_total", "Pictures that were made, by what for.", {{"kind", name}});
  }
  for (const Codec codec : {Codec::jpeg, Codec::png, Codec::webp, Codec::h264, Codec::hevc, Codec::av1}) {
    const Metrics::Labels labels{{"codec", std::string(nameOf(codec))}};
    codecs_[codec] = {&metrics.counter("nora_encoded_frames_total", "Encoded pictures.", labels),
                      &metrics.counter("nora_encoded_bytes_total", "Bytes of encoded pictures.", labels)};
  }
}

void EngineMetrics::made(const FrameHeader& header, PictureKind kind, std::size_t bytes) {
  kinds_.at(kind)->add();
  const OfCodec& codec = codecs_.at(header.codec);
  codec.frames->add();
  codec.bytes->add(bytes);
  if (kind != PictureKind::moving) return;
  queue_.observe(seconds(header.queueUs));
  render_.observe(seconds(header.renderUs));
  readBack_.observe(seconds(header.readBackUs));
  encode_.observe(seconds(header.encodeUs));
}

}  // namespace nora
