#include "streaming/view_schedule.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

/// A view that has waited so long goes first, so that a dragged view does not starve the others.
constexpr std::chrono::milliseconds longestWait{250};

int divided(int side, int divisor) {
  return std::max(1, (side + divisor - 1) / divisor);
}

}  // namespace

void ViewSchedule::setViewports(const std::map<std::string, ViewportSize>& views, const std::string& focus) {
  focus_ = focus;
  std::erase_if(entries_, [&](const auto& entry) { return !views.contains(entry.first); });
  for (const auto& [name, size] : views) {
    entries_.try_emplace(name, options_.volumeBudget).first->second.size = size;
  }
}

void ViewSchedule::update(const Scene& scene, std::uint64_t revision, std::uint64_t input, Clock::time_point now) {
  lastChange_ = now;
  for (auto& [name, entry] : entries_) {
    const View* view = findView(scene, name);
    if (view == nullptr) {
      entry.wanted.reset();
      entry.drawn.reset();
      continue;
    }
    ViewLook look = lookOf(scene, *view, revision, entry.size);
    if (entry.wanted == look) continue;
    if (!entry.dirty()) entry.dirtySince = now;
    entry.wanted = std::move(look);
    entry.changedBy = input;
  }
}

/// Order of dirty views: who has waited too long; the one under the hand (but not twice in a row while others wait);
/// those that the newest input changed; cheap slices before volumes; the one that has waited longer.
bool ViewSchedule::before(const std::string& nameA, const Entry& a, const std::string& nameB, const Entry& b,
                          std::uint64_t newest, Clock::time_point now) const {
  const auto rank = [&](const std::string& name, const Entry& entry) {
    const bool starved = now - entry.dirtySince > longestWait;
    const bool underHand = name == focus_ && name != lastPicked_;
    const bool slice = entry.wanted->view.kind == ViewKind::slice;
    return std::array<int, 4>{!starved, !underHand, entry.changedBy != newest, !slice};
  };
  const auto rankA = rank(nameA, a);
  const auto rankB = rank(nameB, b);
  return rankA != rankB ? rankA < rankB : a.dirtySince < b.dirtySince;
}

std::optional<ViewPick> ViewSchedule::pick(Kind kind, Clock::time_point now) {
  if (inFlight_.size() >= maxInFlight) return std::nullopt;
  const bool still = kind == Kind::still;
  if (still && now < lastChange_ + options_.settle) return std::nullopt;
  std::uint64_t newest = 0;
  for (const auto& [name, entry] : entries_) newest = std::max(newest, entry.changedBy);
  auto best = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    const Entry& entry = at->second;
    if (still ? !entry.awaitsStill() : !entry.dirty()) continue;
    if (best == entries_.end() || before(at->first, entry, best->first, best->second, newest, now)) best = at;
  }
  if (best == entries_.end()) return std::nullopt;
  Entry& entry = best->second;
  ViewPick out;
  out.view = best->first;
  out.frame = ++lastFrame_;
  out.still = still;
  out.volume = entry.wanted->view.kind == ViewKind::volume;
  out.viewport = entry.size;
  if (out.volume && !still) out.level = entry.pacer.next(std::int64_t{entry.size.width} * entry.size.height);
  out.width = divided(entry.size.width, out.level.divisor);
  out.height = divided(entry.size.height, out.level.divisor);
  entry.drawn = entry.wanted;
  entry.lossless = still;
  lastPicked_ = best->first;
  inFlight_[out.frame] = false;
  return out;
}

std::optional<Clock::time_point> ViewSchedule::stillDueAt() const {
  if (inFlight_.size() >= maxInFlight) return std::nullopt;
  const bool any = std::any_of(entries_.begin(), entries_.end(), [](const auto& e) { return e.second.awaitsStill(); });
  return any ? std::optional(lastChange_ + options_.settle) : std::nullopt;
}

void ViewSchedule::rendered(const ViewPick& pick, std::chrono::microseconds time) {
  const auto at = entries_.find(pick.view);
  if (at == entries_.end() || !pick.volume) return;
  at->second.pacer.rendered(pick.level, std::int64_t{pick.viewport.width} * pick.viewport.height, time);
}

void ViewSchedule::sent(std::uint32_t frame) {
  const auto at = inFlight_.find(frame);
  if (at != inFlight_.end()) at->second = true;
}

void ViewSchedule::dropped(std::uint32_t frame) {
  inFlight_.erase(frame);
}

void ViewSchedule::acknowledged(std::uint64_t frame) {
  const auto at = frame <= 0xFFFFFFFFU ? inFlight_.find(static_cast<std::uint32_t>(frame)) : inFlight_.end();
  if (at != inFlight_.end() && at->second) inFlight_.erase(at);
}

}  // namespace nora
