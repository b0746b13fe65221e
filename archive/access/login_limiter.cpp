#include "archive/access/login_limiter.hpp"

#include "archive/access/encoding.hpp"
#include "archive/search/fold.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

namespace nora {
namespace {

constexpr std::size_t longestKeyPart = 128;  // bytes
constexpr std::size_t longestName = 4096;    // bytes that are looked at
constexpr std::size_t mostFailures = 64;     // kept an entry; the delay is at its longest long before

/// Directories take many spellings for one name: with other case, width, or blanks.
std::string foldedName(std::string_view name) {
  std::string out = foldText(name.substr(0, longestName));
  std::erase_if(out, [](char c) { return c == ' ' || c == '\t'; });
  out.resize(std::min(out.size(), longestKeyPart));
  return out;
}

}  // namespace

std::string addressGroup(std::string_view address) {
  const std::string text(address.substr(0, longestKeyPart));
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) return text;
  const std::string_view bytes(reinterpret_cast<const char*>(six.s6_addr), 16);
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    char four[INET_ADDRSTRLEN]{};
    ::inet_ntop(AF_INET, six.s6_addr + 12, four, sizeof four);
    return four;
  }
  return toHex(bytes.substr(0, 8)) + "/64";
}

LoginLimiter::LoginLimiter(LoginLimits limits, Clock clock) : limits_(limits), clock_(std::move(clock)) {}

LoginLimiter::Entry* LoginLimiter::find(const std::string& key) {
  const auto at = byKey_.find(key);
  return at == byKey_.end() ? nullptr : &*at->second;
}

LoginLimiter::Entry& LoginLimiter::touch(const std::string& key) {
  if (const auto at = byKey_.find(key); at != byKey_.end()) {
    entries_.splice(entries_.begin(), entries_, at->second);
    return entries_.front();
  }
  while (entries_.size() >= std::max<std::size_t>(limits_.mostKeys, 4)) {
    byKey_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({key, {}, false});
  byKey_.emplace(entries_.front().key, entries_.begin());
  return entries_.front();
}

std::string LoginLimiter::nameKey(std::string_view name, std::string_view address) {
  const std::string own = "b" + addressGroup(address) + " " + foldedName(name);
  const Entry* const entry = find(own);
  return entry != nullptr && entry->trusted ? own : "n" + foldedName(name);
}

std::chrono::milliseconds LoginLimiter::waitOf(Entry* entry, const LoginLimits::Kind& kind, Time now) const {
  if (entry == nullptr) return {};
  auto& failures = entry->failures;
  while (!failures.empty() && failures.front() + limits_.window <= now) failures.pop_front();
  const int beyond = static_cast<int>(failures.size()) - kind.free;
  if (beyond < 0) return {};
  std::chrono::seconds delay = kind.firstDelay;
  for (int i = 0; i < beyond && delay < kind.longestDelay; ++i) delay *= 2;
  const auto until = failures.back() + std::min(delay, kind.longestDelay);
  return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(until - now));
}

std::chrono::milliseconds LoginLimiter::admit(std::string_view name, std::string_view address) {
  const std::lock_guard lock(mutex_);
  const Time now = clock_();
  const std::string byName = nameKey(name, address), byAddress = "a" + addressGroup(address);
  const auto wait = std::max(waitOf(find(byName), limits_.name, now), waitOf(find(byAddress), limits_.address, now));
  if (wait.count() > 0) return wait;
  for (const auto& key : {byName, byAddress}) {
    auto& failures = touch(key).failures;
    failures.push_back(now);
    if (failures.size() > mostFailures) failures.pop_front();
  }
  return {};
}

void LoginLimiter::succeeded(std::string_view name, std::string_view address) {
  const std::lock_guard lock(mutex_);
  const std::string byName = nameKey(name, address);
  if (Entry* const entry = find(byName)) entry->failures.clear();
  // Only its own attempt: a right password among wrong ones for other names does not give new ones.
  if (Entry* const entry = find("a" + addressGroup(address)); entry != nullptr && !entry->failures.empty()) {
    entry->failures.pop_back();
  }
  Entry& trusted = touch("b" + addressGroup(address) + " " + foldedName(name));
  trusted.trusted = true;
  trusted.failures.clear();
}

void LoginLimiter::undecided(std::string_view name, std::string_view address) {
  const std::lock_guard lock(mutex_);
  for (const auto& key : {nameKey(name, address), "a" + addressGroup(address)}) {
    if (Entry* const entry = find(key); entry != nullptr && !entry->failures.empty()) entry->failures.pop_back();
  }
}

std::size_t LoginLimiter::keys() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace nora
