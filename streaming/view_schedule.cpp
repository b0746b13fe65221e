#include "streaming/view_schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace nora {
namespace {

/// A view that has waited so long goes first, so that a dragged view does not starve the others.
constexpr std::chrono::milliseconds longestWait{250};

int scaled(int side, double scale) {
  return std::max(1, static_cast<int>(std::lround(side * scale)));
}

}  // namespace

void ViewSchedule::restart(CodecChoice choice) {
  entries_.clear();
  inFlight_.clear();
  ahead_.clear();
  link_.restart();
  choice_ = std::move(choice);
}

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
  if (isFull()) return std::nullopt;
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
    const double largest = entry.coding.largestScale(choice_, entry.pixels(), link_.bandwidth(), options_.wireBudget);
    out.level = entry.pacer.next(entry.pixels(), share, largest);
  } else if (entry.stage == Stage::still) {
    out.kind = PictureKind::exact;
    out.still = entry.still;
  } else if (const auto finer = refinement(entry)) {
    out.kind = PictureKind::refinement;
    out.level = *finer;
  } else {
    out.kind = PictureKind::still;
  }
  out.width = scaled(entry.size.width, out.level.scale);
  out.height = scaled(entry.size.height, out.level.scale);
  out.coarsest = entry.pacer.isCoarsest(out.level);
  chooseCoding(entry, out);
  entry.drawn = entry.wanted;
  entry.stage = Stage::rough;
  entry.cameAhead = false;
  if (out.kind == PictureKind::still) {
    entry.stage = Stage::still;
    entry.still = out.frame;
  } else if (out.kind == PictureKind::exact) {
    entry.stage = Stage::exact;
  }
  inFlight_[out.frame] = {out, false};
  return out;
}

void ViewSchedule::chooseCoding(Entry& entry, ViewPick& pick) {
  switch (pick.kind) {
    case PictureKind::still: pick.coding = CodingModel::sharp(); return;
    case PictureKind::exact: pick.coding = entry.coding.lossless(choice_, link_.bandwidth()); return;
    case PictureKind::ahead:
      pick.coding = entry.coding.ahead(choice_, pick.pixels(), link_.bandwidth(), options_.wireBudget);
      return;
    case PictureKind::moving:
    case PictureKind::refinement: break;
  }
  pick.coding = entry.coding.moving(choice_, pick.pixels(), link_.bandwidth(), options_.wireBudget);
  if (isVideo(pick.coding.codec)) pick.coding.settings.key = std::exchange(entry.needsKey, false);
}

bool ViewSchedule::isFull() const {
  return std::ranges::count_if(inFlight_, [](const auto& flight) {
           return flight.second.pick.kind != PictureKind::ahead;
         }) >= std::ptrdiff_t{maxInFlight};
}

bool ViewSchedule::mayGoAhead() const {
  constexpr std::size_t atFirst = 2;
  constexpr std::size_t most = 8;
  const bool waits = std::ranges::any_of(entries_, [](const auto& entry) { return entry.second.dirty(); });
  if (waits || inFlight_.size() >= most) return false;
  const auto bandwidth = link_.bandwidth();
  if (!bandwidth || aheadBytes_ == 0) return inFlight_.size() < atFirst;
  double under = 0;
  for (const auto& [number, flight] : inFlight_) under += flight.handed ? flight.bytes : aheadBytes_;
  return under <= *bandwidth * static_cast<double>(link_.roundTrip().count());
}

std::optional<ViewPick> ViewSchedule::pickAhead(std::uint32_t id, const std::string& view, ViewLook look) {
  constexpr std::size_t mostKept = 256;
  const auto at = entries_.find(view);
  if (!mayGoAhead() || at == entries_.end()) return std::nullopt;
  for (const auto& [number, flight] : inFlight_) {
    const auto sent = ahead_.find(flight.pick.ahead);
    if (sent != ahead_.end() && sent->second.view == view && sent->second.look == look) return std::nullopt;
  }
  Entry& entry = at->second;
  ViewPick out;
  out.kind = PictureKind::ahead;
  out.view = view;
  out.ahead = id;
  out.frame = ++lastFrame_;
  out.viewport = entry.size;
  out.width = entry.size.width;
  out.height = entry.size.height;
  chooseCoding(entry, out);
  if (ahead_.size() >= mostKept) ahead_.erase(ahead_.begin());
  ahead_[id] = {view, std::move(look)};
  inFlight_[out.frame] = {out, false};
  return out;
}

bool ViewSchedule::have(const std::string& view, std::uint32_t ahead) {
  const auto at = entries_.find(view);
  const auto sent = ahead_.find(ahead);
  if (at == entries_.end() || sent == ahead_.end() || sent->second.view != view) return false;
  Entry& entry = at->second;
  if (entry.wanted != sent->second.look) return false;
  entry.drawn = entry.wanted;
  entry.stage = Stage::rough;
  entry.shown = {};
  entry.cameAhead = true;
  return true;
}

void ViewSchedule::wantKey(const std::string& view) {
  const auto at = entries_.find(view);
  if (at == entries_.end()) return;
  at->second.needsKey = true;
  at->second.drawn.reset();  // the client may have nothing of it
  if (at->second.wanted) at->second.dirtySince = Clock::now();
}

/// Half a century of research agrees that a tenth of a second is seen; a volume takes longer to draw.
std::optional<Clock::time_point> ViewSchedule::movingDeadline() const {
  constexpr std::chrono::milliseconds sliceTime{40};
  constexpr std::chrono::milliseconds volumeTime{80};
  if (isFull()) return std::nullopt;
  std::optional<Clock::time_point> first;
  for (const auto& [name, entry] : entries_) {
    if (!entry.dirty()) continue;
    const auto due = entry.dirtySince + (entry.wanted->view.kind == ViewKind::slice ? sliceTime : volumeTime);
    if (!first || due < *first) first = due;
  }
  return first;
}

std::optional<Pacer::Level> ViewSchedule::refinement(const Entry& entry) const {
  return entry.pacer.refinement(entry.shown, entry.pixels());
}

/// A still that takes long on its way waits for longer: the one before the last input is of no use.
Clock::duration ViewSchedule::pauseOf(const Entry& entry) const {
  constexpr double longestUs = 300'000;
  const double wayUs = std::min(longestUs, entry.stillBytes / link_.bandwidth().value_or(1e9));
  const Clock::duration pause = entry.cameAhead ? options_.pauseAfterAhead : options_.pause;
  return std::max(pause, Clock::duration(std::chrono::microseconds(static_cast<std::int64_t>(wayUs))));
}

std::optional<Clock::time_point> ViewSchedule::dueAt(const Entry& entry) const {
  if (entry.awaits(Stage::rough)) return lastChange_ + pauseOf(entry);
  if (!entry.awaits(Stage::still) || inFlight_.contains(entry.still)) return std::nullopt;
  return lastChange_ + options_.settle;
}

std::optional<Clock::time_point> ViewSchedule::settledDueAt() const {
  if (isFull()) return std::nullopt;
  std::optional<Clock::time_point> first;
  for (const auto& [name, entry] : entries_) {
    const auto due = dueAt(entry);
    if (due && (!first || *due < *first)) first = due;
  }
  return first;
}

WaitingViews ViewSchedule::waiting() const {
  WaitingViews out;
  out.canStart = !isFull();
  for (const auto& [name, entry] : entries_) {
    if (entry.dirty()) out.views.insert(name);
  }
  return out;
}

void ViewSchedule::rendered(const ViewPick& pick, std::chrono::microseconds prepare, std::chrono::microseconds draw) {
  const auto at = entries_.find(pick.view);
  if (at == entries_.end() || pick.kind == PictureKind::ahead) return;
  Entry& entry = at->second;
  entry.shown = pick.level;
  if (pick.kind == PictureKind::moving) entry.pacer.drawn(pick.level, pick.viewportPixels(), prepare, draw);
  if (pick.kind == PictureKind::still) entry.pacer.settled(pick.viewportPixels(), prepare, draw);
}

void ViewSchedule::encoded(const ViewPick& pick, const Coding& coding, std::size_t bytes,
                           std::chrono::microseconds time) {
  const auto at = entries_.find(pick.view);
  if (at == entries_.end()) return;
  at->second.coding.encoded(coding, pick.pixels(), bytes, time);
  if (pick.kind == PictureKind::still) at->second.stillBytes = static_cast<double>(bytes);
  if (pick.kind == PictureKind::moving) at->second.pacer.encoded(pick.level, pick.viewportPixels(), time);
}

void ViewSchedule::interrupted(const ViewPick& pick, std::chrono::microseconds elapsed) {
  dropped(pick);
  const auto at = entries_.find(pick.view);
  if (at == entries_.end() || pick.kind != PictureKind::moving) return;  // what was drawn before is on the page
  at->second.drawn.reset();
  at->second.pacer.interrupted(pick.level, pick.viewportPixels(), elapsed);
}

void ViewSchedule::failed(const ViewPick& pick) {
  dropped(pick);
  const auto at = entries_.find(pick.view);
  if (at == entries_.end() || pick.kind == PictureKind::ahead) return;
  at->second.shown = {};
  if (pick.kind != PictureKind::moving) at->second.stage = Stage::exact;
}

void ViewSchedule::sent(std::uint32_t frame, std::size_t bytes, Clock::time_point now) {
  const auto at = inFlight_.find(frame);
  if (at == inFlight_.end()) return;
  at->second.handed = true;
  at->second.bytes = static_cast<double>(bytes);
  if (at->second.pick.kind == PictureKind::ahead) aheadBytes_ = at->second.bytes;
  // Large pictures let others pass: neither then tells how fast the way is.
  const bool letsPass = isPatient(at->second.pick.kind);
  bool isMixed = false;
  for (const auto& [number, flight] : inFlight_) {
    if (letsPass || number == frame || !flight.handed || !isPatient(flight.pick.kind)) continue;
    link_.forget(number);
    isMixed = true;
  }
  if (!isMixed) link_.sent(frame, bytes, now);
}

void ViewSchedule::dropped(const ViewPick& pick) {
  inFlight_.erase(pick.frame);
  link_.forget(pick.frame);
  const auto at = entries_.find(pick.view);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  if (isVideo(pick.coding.codec)) entry.needsKey = true;
  if (pick.kind == PictureKind::still && entry.still == pick.frame) entry.stage = Stage::rough;
  if (pick.kind == PictureKind::exact && entry.still == pick.still && entry.stage == Stage::exact) {
    entry.stage = Stage::still;
  }
  if (pick.kind == PictureKind::ahead) ahead_.erase(pick.ahead);
}

void ViewSchedule::acknowledged(std::uint64_t frame, Clock::time_point now, Clock::duration held,
                                std::optional<std::chrono::microseconds> decode) {
  const auto at = frame <= 0xFFFFFFFFU ? inFlight_.find(static_cast<std::uint32_t>(frame)) : inFlight_.end();
  if (at == inFlight_.end() || !at->second.handed) return;
  const ViewPick& pick = at->second.pick;
  link_.acknowledged(pick.frame, now, held);
  const auto entry = entries_.find(pick.view);
  if (decode && entry != entries_.end()) entry->second.coding.decoded(pick.coding.codec, pick.pixels(), *decode);
  inFlight_.erase(at);
}

std::vector<ViewPick> ViewSchedule::outdated() const {
  std::vector<ViewPick> out;
  for (const auto& [number, flight] : inFlight_) {
    const auto at = entries_.find(flight.pick.view);
    const bool isWanted = at != entries_.end() && at->second.wanted && !at->second.dirty();
    const bool isStill = flight.pick.kind == PictureKind::still || flight.pick.kind == PictureKind::exact;
    if (flight.handed && isStill && !isWanted) out.push_back(flight.pick);
  }
  return out;
}

}  // namespace nora
