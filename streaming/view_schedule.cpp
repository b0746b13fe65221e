#include "streaming/view_schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nora {
namespace {

/// A view that has waited so long goes first, so that a dragged view does not starve the others.
constexpr std::chrono::milliseconds longestWait{250};

int scaled(int side, double scale) {
  return std::max(1, static_cast<int>(std::lround(side * scale)));
}

}  // namespace

void ViewSchedule::setViewports(const std::map<std::string, ViewportSize>& views, const std::string& focus) {
  focus_ = focus;
  std::erase_if(entries_, [&](const auto& entry) { return !views.contains(entry.first); });
  for (const auto& [name, size] : views) {
    entries_[name].size = size;
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
    if (entry.kind != view->kind) learnAnew(entry, view->kind);
    entry.wanted = std::move(look);
    entry.changedBy = input;
  }
}

void ViewSchedule::learnAnew(Entry& entry, ViewKind kind) const {
  entry.kind = kind;
  entry.pacer = Pacer({options_.frameBudget, options_.smallestScale, kind == ViewKind::volume});
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

std::optional<ViewPick> ViewSchedule::pick(Kind kind, Clock::time_point now, int share) {
  if (inFlight_.size() >= maxInFlight) return std::nullopt;
  std::uint64_t newest = 0;
  for (const auto& [name, entry] : entries_) newest = std::max(newest, entry.changedBy);
  auto best = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    const Entry& entry = at->second;
    const auto due = kind == Kind::settled ? dueAt(entry) : std::nullopt;
    if (kind == Kind::moving ? !entry.dirty() : !due || now < *due) continue;
    if (best == entries_.end() || before(at->first, entry, best->first, best->second, newest, now)) best = at;
  }
  if (best == entries_.end()) return std::nullopt;
  lastPicked_ = best->first;
  return pickOf(best->first, best->second, kind, share);
}

ViewPick ViewSchedule::pickOf(const std::string& name, Entry& entry, Kind kind, int share) {
  ViewPick out;
  out.view = name;
  out.frame = ++lastFrame_;
  out.viewport = entry.size;
  if (kind == Kind::moving) {
    out.level = entry.pacer.next(entry.pixels(), share);
  } else if (const auto finer = refinement(entry)) {
    out.kind = PictureKind::refinement;
    out.level = *finer;
  } else {
    out.kind = PictureKind::still;
  }
  out.width = scaled(entry.size.width, out.level.scale);
  out.height = scaled(entry.size.height, out.level.scale);
  out.coarsest = entry.pacer.isCoarsest(out.level);
  entry.drawn = entry.wanted;
  entry.lossless = out.kind == PictureKind::still;
  inFlight_[out.frame] = false;
  return out;
}

/// A still has a sharp picture before it if that would be there in half the time until the still is begun: else the
/// still itself, begun earlier, is hardly later than that picture, and one drawing is enough.
std::optional<Pacer::Level> ViewSchedule::refinement(const Entry& entry) const {
  return entry.pacer.refinement(entry.shown, entry.pixels(), (options_.settle - options_.pause) / 2);
}

/// A slow still is begun earlier, so that it is there when a quick one would be begun.
std::optional<Clock::time_point> ViewSchedule::dueAt(const Entry& entry) const {
  if (!entry.awaitsStill()) return std::nullopt;
  if (refinement(entry)) return lastChange_ + options_.pause;
  const Clock::duration drawing = entry.pacer.expectedStill(entry.pixels());
  const Clock::duration settle = options_.settle;
  return lastChange_ + std::max<Clock::duration>(options_.pause, settle - drawing);
}

std::optional<Clock::time_point> ViewSchedule::settledDueAt() const {
  if (inFlight_.size() >= maxInFlight) return std::nullopt;
  std::optional<Clock::time_point> first;
  for (const auto& [name, entry] : entries_) {
    const auto due = dueAt(entry);
    if (due && (!first || *due < *first)) first = due;
  }
  return first;
}

WaitingViews ViewSchedule::waiting() const {
  WaitingViews out;
  out.canStart = inFlight_.size() < maxInFlight;
  for (const auto& [name, entry] : entries_) {
    if (entry.dirty()) out.views.insert(name);
  }
  return out;
}

void ViewSchedule::rendered(const ViewPick& pick, std::chrono::microseconds prepare, std::chrono::microseconds draw) {
  const auto at = entries_.find(pick.view);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  entry.shown = pick.level;
  const std::int64_t pixels = std::int64_t{pick.viewport.width} * pick.viewport.height;
  if (pick.kind == PictureKind::moving) entry.pacer.drawn(pick.level, pixels, prepare, draw);
  if (pick.kind == PictureKind::still) entry.pacer.settled(pixels, prepare, draw);
}

void ViewSchedule::encoded(const ViewPick& pick, std::chrono::microseconds time) {
  const auto at = entries_.find(pick.view);
  if (at == entries_.end() || pick.kind == PictureKind::still) return;
  at->second.pacer.encoded(pick.level, std::int64_t{pick.viewport.width} * pick.viewport.height, time);
}

void ViewSchedule::interrupted(const ViewPick& pick, std::chrono::microseconds elapsed) {
  dropped(pick.frame);
  const auto at = entries_.find(pick.view);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  entry.lossless = false;
  if (pick.kind != PictureKind::moving) return;  // what was drawn before it is on the page
  entry.drawn.reset();
  entry.pacer.interrupted(pick.level, std::int64_t{pick.viewport.width} * pick.viewport.height, elapsed);
}

void ViewSchedule::failed(const ViewPick& pick) {
  dropped(pick.frame);
  const auto at = entries_.find(pick.view);
  if (at != entries_.end()) at->second.shown = {};
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
