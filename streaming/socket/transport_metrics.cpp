#include "streaming/socket/transport_metrics.hpp"

#include <string>

namespace nora {
namespace {

constexpr const char* messagesHelp = "WebSocket messages.";
constexpr const char* transfersHelp = "Uploads and answers by streams on their way.";
constexpr const char* bytesHelp = "Bytes of WebSocket messages, without their frame heads and TLS.";

}  // namespace

TransportMetrics::TransportMetrics(Metrics& metrics)
    : connections(metrics.gauge("nora_connections", "Connections that are open.")),
      accepted(metrics.counter("nora_connections_total", "Connections that were accepted.")),
      streams(metrics.gauge("nora_streams", "Connections that are WebSockets.")),
      messagesIn(metrics.counter("nora_stream_messages_total", messagesHelp, {{"direction", "in"}})),
      messagesOut(metrics.counter("nora_stream_messages_total", messagesHelp, {{"direction", "out"}})),
      bytesIn(metrics.counter("nora_stream_bytes_total", bytesHelp, {{"direction", "in"}})),
      bytesOut(metrics.counter("nora_stream_bytes_total", bytesHelp, {{"direction", "out"}})),
      requestBytes(metrics.counter("nora_http_received_bytes_total", "Bytes of the bodies of HTTP requests.")),
      answerBytes(metrics.counter("nora_http_bytes_total", "Bytes of the bodies of HTTP answers.")),
      uploads(metrics.gauge("nora_http_transfers", transfersHelp, {{"direction", "in"}})),
      downloads(metrics.gauge("nora_http_transfers", transfersHelp, {{"direction", "out"}})),
      write(metrics.histogram("nora_frame_write_seconds",
                              "From a picture that is encoded to its first byte in the socket.", stageSeconds())),
      metrics_(metrics) {}

void TransportMetrics::answered(int status) {
  auto& counter = answers_[status];
  if (counter == nullptr) {
    counter =
        &metrics_.counter("nora_http_answers_total", "HTTP answers by status.", {{"status", std::to_string(status)}});
  }
  counter->add();
}

void TransportMetrics::refused(std::string_view reason) {
  auto& counter = refusals_[reason];
  if (counter == nullptr) {
    counter = &metrics_.counter("nora_refused_total", "Connections and requests that were refused or ended, by reason.",
                                {{"reason", std::string(reason)}});
  }
  counter->add();
}

}  // namespace nora
