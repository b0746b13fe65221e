// What the socket loop counts.
#pragma once

#include "base/metrics.hpp"

#include <map>
#include <string_view>

namespace nora {

/// Thread: the socket loop's; the values are read from any.
class TransportMetrics {
 public:
  /// The registry must outlive this.
  explicit TransportMetrics(Metrics& metrics);

  void answered(int status);
  /// `reason`: one of a fixed set of words.
  void refused(std::string_view reason);

  Gauge& connections;
  Counter& accepted;
  Gauge& streams;
  Counter &messagesIn, &messagesOut, &bytesIn, &bytesOut;
  Counter &requestBytes, &answerBytes;
  Gauge &uploads, &downloads;
  MetricHistogram& write;  // from encoded to handed to the socket

 private:
  Metrics& metrics_;
  std::map<int, Counter*> answers_;
  std::map<std::string_view, Counter*> refusals_;
};

}  // namespace nora
