// What pages are told of the index and of the scan that fills it.
#pragma once

#include "app/scan_service.hpp"

#include <atomic>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace nora {

/// Thread: any.
class IndexNews {
 public:
  explicit IndexNews(Archive& archive) : archive_(archive) {}

  /// Before anybody asks for a message.
  void of(const ScanService& scans) { scans_ = &scans; }

  /// Asks the index, which other programs change too. The revision that is known now.
  std::int64_t refresh() {
    if (const auto revision = archive_.revision()) revision_ = *revision;
    return revision_;
  }
  /// Problems have paths in them, which not everybody may see: streams, whose news are the same for all, are only told
  /// that there is one.
  enum class Problems { hidden, told };
  /// {"type": "archive", "revision", "scanning", "files", "problem"}, see docs/PROTOCOL.md.
  [[nodiscard]] std::string message(Problems problems = Problems::hidden) const {
    const auto state = scans_->state();
    const bool isTold = problems == Problems::told || state.problem.empty();
    const nlohmann::json json{{"type", "archive"},
                              {"revision", revision_.load()},
                              {"scanning", state.scanning},
                              {"files", state.files},
                              {"problem", isTold ? state.problem : "the last scan of a project failed"}};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

 private:
  Archive& archive_;
  const ScanService* scans_ = nullptr;
  std::atomic<std::int64_t> revision_{0};
};

}  // namespace nora
