#include "streaming/socket/peer_book.hpp"

#include <tuple>

namespace nora {

PeerBook::Verdict PeerBook::ask(const IpAddress& address, bool trusted) {
  const auto count = counts_.find(address);
  const bool addressFull = !trusted && count != counts_.end() && count->second >= limits_.perAddress;
  if (!addressFull && entries_.size() < limits_.all) return {};
  const auto instead = oldestIdle(addressFull ? &address : nullptr);
  if (!instead) return {addressFull ? "too many connections from this address" : "too many connections"};
  remove(*instead);
  return {{}, instead};
}

void PeerBook::add(Key key, const IpAddress& address, bool trusted, Clock::time_point now) {
  entries_[key] = {address, trusted, State::silent, now};
  ++counts_[address];
}

void PeerBook::is(Key key, State state, Clock::time_point now) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end() || entry->second.state == state) return;
  entry->second.state = state;
  entry->second.since = now;
}

void PeerBook::remove(Key key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return;
  const auto count = counts_.find(entry->second.address);
  if (--count->second == 0) counts_.erase(count);
  entries_.erase(entry);
}

std::size_t PeerBook::countOf(const Entry& entry) const {
  return entry.trusted ? 0 : counts_.at(entry.address);
}

/// Those that do least go first; of these the oldest of the address that has most: who fills the server loses his own.
std::optional<PeerBook::Key> PeerBook::oldestIdle(const IpAddress* address) const {
  std::optional<Key> best;
  std::tuple<State, std::size_t, Clock::time_point> bestRank;
  for (const auto& [key, entry] : entries_) {
    if (entry.state == State::stream || (address != nullptr && entry.address != *address)) continue;
    const std::tuple rank(entry.state, ~countOf(entry), entry.since);
    if (best && rank >= bestRank) continue;
    best = key;
    bestRank = rank;
  }
  return best;
}

}  // namespace nora
