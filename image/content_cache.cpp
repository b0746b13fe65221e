#include "image/content_cache.hpp"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace nora {
namespace {

using Shared = std::shared_ptr<const Content>;

/// A load under way and those who wait for it.
struct Flight {
  std::stop_source stop;
  std::size_t interested = 0;  // callers who have not been stopped
  std::vector<ContentCache::Progress> listeners;
  std::optional<Result<Shared>> result;
};

/// Something that was loaded. One larger than the budget is not kept, but found as long as somebody holds it.
struct Entry {
  Shared kept;
  std::weak_ptr<const Content> known;
  std::size_t bytes = 0;
  std::uint64_t lastUse = 0;
};

}  // namespace

struct ContentCache::State {
  std::size_t budget = 0;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::map<std::string, Entry> entries;
  std::map<std::string, std::shared_ptr<Flight>> flights;
  std::uint64_t clock = 0;
  std::mutex releasing;  // taken before `mutex`, if both are
  std::function<void()> release;

  [[nodiscard]] bool isShortOf(std::size_t size) const {
    const std::lock_guard lock(mutex);
    return size > budget || bytes() > budget - size;
  }

  Shared find(const std::string& key) {
    const auto found = entries.find(key);
    if (found == entries.end()) return nullptr;
    found->second.lastUse = ++clock;
    return found->second.known.lock();
  }

  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& [key, entry] : entries) sum += entry.known.expired() ? 0 : entry.bytes;
    return sum;
  }

  /// Drops the least recently used contents that nobody else holds, until the budget holds. Returns them: unmapping
  /// gigabytes takes a while and does not need the lock.
  std::vector<Shared> trim() {
    std::vector<Shared> dropped;
    std::erase_if(entries, [](const auto& item) { return item.second.known.expired(); });
    for (std::size_t sum = bytes(); sum > budget;) {
      auto oldest = entries.end();
      for (auto it = entries.begin(); it != entries.end(); ++it) {
        const bool free = it->second.kept.use_count() == 1;
        if (free && (oldest == entries.end() || it->second.lastUse < oldest->second.lastUse)) oldest = it;
      }
      if (oldest == entries.end()) break;
      sum -= oldest->second.bytes;
      dropped.push_back(std::move(oldest->second.kept));
      entries.erase(oldest);
    }
    return dropped;
  }

  void insert(const std::string& key, const Shared& content, Keep keep) {
    const std::size_t size = memoryBytes(*content);
    const bool kept = keep == Keep::asLongAsThereIsRoom && size <= budget;
    entries[key] = {kept ? content : nullptr, content, size, ++clock};
  }

  void tell(const std::shared_ptr<Flight>& flight, double fraction) {
    std::vector<Progress> listeners;
    {
      const std::lock_guard lock(mutex);
      listeners = flight->listeners;
    }
    for (const Progress& listener : listeners) listener(fraction);
  }

  /// Runs the load in the calling thread, for all who wait for it.
  Result<Shared> lead(const std::string& key, const std::shared_ptr<Flight>& flight, const TellingLoad& load,
                      Keep keep) {
    auto content = load([&](double fraction) { tell(flight, fraction); }, flight->stop.get_token());
    if (content && isShortOf(memoryBytes(*content))) {
      const std::lock_guard lock(releasing);
      if (release) release();
    }
    std::vector<Shared> dropped;
    const std::lock_guard lock(mutex);
    if (content) {
      flight->result = std::make_shared<const Content>(std::move(*content));
      insert(key, **flight->result, keep);
      dropped = trim();
      const bool alone = bytes() == memoryBytes(***flight->result);
      if (bytes() > budget && !alone) {
        entries.erase(key);
        flight->result =
            fail(ErrorCode::limitExceeded, "the memory for images is full of what is being looked at; close some");
      }
    } else {
      flight->result = tl::make_unexpected(content.error());
    }
    const auto found = flights.find(key);
    if (found != flights.end() && found->second == flight) flights.erase(found);
    changed.notify_all();
    return *flight->result;
  }

  Result<Shared> follow(const std::shared_ptr<Flight>& flight, const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    if (!changed.wait(lock, stop, [&] { return flight->result.has_value(); })) {
      return fail(ErrorCode::cancelled, "cancelled");
    }
    return *flight->result;
  }

  void loseInterest(const std::shared_ptr<Flight>& flight, const std::string& key) {
    {
      const std::lock_guard lock(mutex);
      if (--flight->interested > 0 || flight->result) return;
      // Whoever asks from now on starts anew.
      const auto found = flights.find(key);
      if (found != flights.end() && found->second == flight) flights.erase(found);
    }
    flight->stop.request_stop();
  }
};

ContentCache::ContentCache(std::size_t budgetBytes) : state_(std::make_unique<State>()) {
  state_->budget = budgetBytes;
}

ContentCache::~ContentCache() = default;

Result<std::shared_ptr<const Content>> ContentCache::get(const std::string& key, const Load& load,
                                                         std::stop_token stop) {
  return get(
      key, [&](const Progress&, std::stop_token loadStop) { return load(std::move(loadStop)); }, {}, std::move(stop));
}

Result<std::shared_ptr<const Content>> ContentCache::get(const std::string& key, const TellingLoad& load,
                                                         const Progress& progress, std::stop_token stop, Keep keep) {
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
  std::shared_ptr<Flight> flight;
  bool leads = false;
  std::vector<Shared> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    dropped = state_->trim();
    if (auto content = state_->find(key)) return content;
    auto& slot = state_->flights[key];
    leads = slot == nullptr;
    if (leads) slot = std::make_shared<Flight>();
    flight = slot;
    ++flight->interested;
    if (progress) flight->listeners.push_back(progress);
  }
  const std::stop_callback leave(stop, [&] { state_->loseInterest(flight, key); });
  return leads ? state_->lead(key, flight, load, keep) : state_->follow(flight, stop);
}

void ContentCache::onShortage(std::function<void()> release) {
  const std::lock_guard lock(state_->releasing);
  state_->release = std::move(release);
}

std::shared_ptr<const Content> ContentCache::find(const std::string& key) {
  const std::lock_guard lock(state_->mutex);
  return state_->find(key);
}

void ContentCache::put(const std::string& key, const std::shared_ptr<const Content>& content) {
  std::vector<Shared> dropped;
  const std::lock_guard lock(state_->mutex);
  state_->insert(key, content, Keep::asLongAsThereIsRoom);
  dropped = state_->trim();
}

std::size_t ContentCache::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->bytes();
}

}  // namespace nora
