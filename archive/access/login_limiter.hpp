// Slows down guessing of passwords: counts failed attempts by name and by address over a sliding window.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace nora {

struct LoginLimits {
  struct Kind {
    int free = 5;                        // failures within the window before attempts have to wait
    std::chrono::seconds firstDelay{1};  // after the first failure beyond; doubled by each further one
    std::chrono::seconds longestDelay{60};
  };
  std::chrono::seconds window{std::chrono::minutes(15)};
  /// Short delays at most: otherwise a stranger could lock a user out by the name alone.
  Kind name{5, std::chrono::seconds(1), std::chrono::seconds(60)};
  /// More free failures: a whole institute may come from one address.
  Kind address{20, std::chrono::seconds(1), std::chrono::minutes(15)};
  std::size_t mostKeys = 20000;  // names and addresses that are remembered; the least recent goes first
};

/// Thread: any. Memory: bounded by LoginLimits::mostKeys (some 10 MiB).
class LoginLimiter {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  explicit LoginLimiter(
      LoginLimits limits = {}, Clock clock = [] { return std::chrono::steady_clock::now(); });

  /// Asked before a password is looked at. Zero: go on; the attempt counts as failed until succeeded() is called, so
  /// that many at once do not slip through. Else the time to wait before the next attempt (for Retry-After); this one
  /// does not count.
  ///
  /// `name` as typed (compared by foldText and without blanks, as directories take such spellings for one name),
  /// `address` of the peer: IPv4, or IPv6, of which the first 64 bits count, as one machine may choose the rest. An
  /// address from which the name has logged in before has its own count of failures, so that guessing from elsewhere
  /// does not keep the user out.
  [[nodiscard]] std::chrono::milliseconds admit(std::string_view name, std::string_view address);
  /// Takes the failures of this name back (from here), and this attempt of the address.
  void succeeded(std::string_view name, std::string_view address);
  /// Takes back an attempt that found out nothing about the password: the directory did not answer.
  void undecided(std::string_view name, std::string_view address);

  [[nodiscard]] std::size_t keys() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Entry {
    std::string key;
    std::deque<Time> failures;  // oldest first, within the window
    bool trusted = false;       // a name and address that have succeeded together
  };

  Entry& touch(const std::string& key);
  Entry* find(const std::string& key);
  std::string nameKey(std::string_view name, std::string_view address);
  std::chrono::milliseconds waitOf(Entry* entry, const LoginLimits::Kind& kind, Time now) const;

  const LoginLimits limits_;
  const Clock clock_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;                                                // most recent first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> byKey_;  // views of Entry::key
};

/// IPv4 as it is (also written in IPv6), the first 64 bits of IPv6, anything else as it is, cut.
[[nodiscard]] std::string addressGroup(std::string_view address);

}  // namespace nora
