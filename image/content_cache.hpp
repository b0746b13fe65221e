// Loaded images, surfaces and streamlines, shared read-only by all sessions within a byte budget.
#pragma once

#include "base/error.hpp"
#include "image/content.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace nora {

/// A least-recently-used cache by content key (path, size, modification time). Two callers that ask for the same key at
/// the same time share one load. What somebody still holds is not freed but does count: a load that finds no room
/// beside it is refused (limitExceeded).
class ContentCache {
 public:
  using Load = std::function<Result<Content>(std::stop_token)>;
  /// Told of 0..1 now and then, on the thread of whoever loads.
  using Progress = std::function<void(double)>;
  using TellingLoad = std::function<Result<Content>(const Progress&, std::stop_token)>;
  enum class Keep : std::uint8_t {
    asLongAsThereIsRoom,
    whileHeld,  // what will be replaced soon: found and counted only as long as somebody holds it
  };

  explicit ContentCache(std::size_t budgetBytes);
  ~ContentCache();

  /// Thread: any; blocks while loading. Failures are not cached.
  [[nodiscard]] Result<std::shared_ptr<const Content>> get(const std::string& key, const Load& load,
                                                           std::stop_token stop);
  /// The same; all who wait for the load are told how far it is. `progress` may be empty.
  [[nodiscard]] Result<std::shared_ptr<const Content>> get(const std::string& key, const TellingLoad& load,
                                                           const Progress& progress, std::stop_token stop,
                                                           Keep keep = Keep::asLongAsThereIsRoom);
  /// Without loading; nullptr if it is not there.
  [[nodiscard]] std::shared_ptr<const Content> find(const std::string& key);
  /// Content that was loaded under another key.
  void put(const std::string& key, const std::shared_ptr<const Content>& content);

  /// Called, with no lock of the cache held, before a load is refused: whoever holds what nobody needs lets go of it.
  /// Empty: nobody is asked. Waits for a call that is under way.
  void onShortage(std::function<void()> release);

  [[nodiscard]] std::size_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nora
