// Loaded volumes, shared read-only by all sessions within a byte budget.
#pragma once

#include "base/error.hpp"
#include "image/volume.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace nora {

/// A least-recently-used cache by content key (path, size, modification time). Two callers that ask for the same key at
/// the same time share one load. What somebody still holds is not freed but does count: a load that finds no room
/// beside it is refused (limitExceeded).
class VolumeCache {
 public:
  using Load = std::function<Result<Volume>(std::stop_token)>;

  explicit VolumeCache(std::size_t budgetBytes);
  ~VolumeCache();

  /// Thread: any; blocks while loading. Failures are not cached.
  [[nodiscard]] Result<std::shared_ptr<const Volume>> get(const std::string& key, const Load& load,
                                                          std::stop_token stop);

  [[nodiscard]] std::size_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nora
