// PeerBook: which connections there are, from which addresses, and which one makes room when there are too many.
#pragma once

#include "streaming/socket/ip_address.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string_view>

namespace nora {

/// Belongs to the socket thread; knows no sockets. Work per question: a walk over all connections, some microseconds
/// for a thousand.
class PeerBook {
 public:
  using Clock = std::chrono::steady_clock;
  using Key = const void*;

  /// What a connection is doing, in the order in which they are given up.
  enum class State {
    silent,    // has not asked anything yet, or nothing more: half-open, in its TLS handshake, a head that drips
    unheard,   // a stream whose client has said nothing yet
    answered,  // an answer is being made or sent
    stream,    // somebody's session: never given up
  };
  struct Limits {
    std::size_t all = 1024;
    std::size_t perAddress = 256;  // not of trusted proxies, which come for many
  };
  struct Verdict {
    std::string_view refusal;      // empty: may connect
    std::optional<Key> instead{};  // this connection is to be ended for it, and has left the book
  };

  explicit PeerBook(Limits limits) : limits_(limits) {}

  /// May one more connect?
  [[nodiscard]] Verdict ask(const IpAddress& address, bool trusted);
  void add(Key key, const IpAddress& address, bool trusted, Clock::time_point now);
  /// A change of state starts its time anew.
  void is(Key key, State state, Clock::time_point now);
  void remove(Key key);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    IpAddress address;
    bool trusted = false;
    State state = State::silent;
    Clock::time_point since;
  };

  [[nodiscard]] std::size_t countOf(const Entry& entry) const;
  [[nodiscard]] std::optional<Key> oldestIdle(const IpAddress* address) const;

  Limits limits_;
  std::map<Key, Entry> entries_;
  std::map<IpAddress, std::size_t> counts_;
};

}  // namespace nora
