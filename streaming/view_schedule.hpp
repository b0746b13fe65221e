// ViewSchedule: which view of one session is drawn next, and how. Decides from what changed, what is in flight and what
// time it is; draws nothing itself.
#pragma once

#include "streaming/pacer.hpp"
#include "streaming/view_look.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace nora {

using Clock = std::chrono::steady_clock;

/// Pictures of a view that moves are in time; those of one that has stopped get better, up to the lossless still.
enum class PictureKind { moving, refinement, still };

/// One picture to be made.
struct ViewPick {
  std::string view;
  std::uint32_t frame = 0;
  PictureKind kind = PictureKind::moving;
  ViewportSize viewport;
  int width = 0, height = 0;  // to be rendered
  Pacer::Level level;
  bool coarsest = false;  // a quicker picture is not to be had
};

/// The views whose pictures are out of date.
struct WaitingViews {
  std::set<std::string> views;
  bool canStart = false;  // fewer than two pictures are in flight
};

/// Thread: one at a time (the session's lock).
class ViewSchedule {
 public:
  static constexpr std::size_t maxInFlight = 2;

  struct Options {
    std::chrono::milliseconds settle{150};      // from the last change to the still
    std::chrono::milliseconds pause{50};        // to the first finer picture, or to the drawing of a slow still
    std::chrono::milliseconds frameBudget{33};  // for drawing and encoding a moving picture
    double smallestScale = 1 / 6.0;             // of a moving picture's sides
  };

  explicit ViewSchedule(Options options) : options_(options) {}

  void setViewports(const std::map<std::string, ViewportSize>& views, const std::string& focus);

  /// Empty if the client does not show such a view.
  [[nodiscard]] std::optional<ViewportSize> viewport(const std::string& view) const {
    const auto at = entries_.find(view);
    return at == entries_.end() ? std::nullopt : std::optional(at->second.size);
  }

  /// The scene, its images (`revision` counts their changes) or the viewports changed by `input`.
  void update(const Scene& scene, std::uint64_t revision, std::uint64_t input, Clock::time_point now);

  enum class Kind { moving, settled };
  /// The next picture of that kind, now in flight; empty if there is none or two are in flight. `share`: of the time,
  /// see Pacer::next.
  [[nodiscard]] std::optional<ViewPick> pick(Kind kind, Clock::time_point now, int share = 1);

  /// When a finer picture or a still will be due; empty if none is waiting or two frames are in flight.
  [[nodiscard]] std::optional<Clock::time_point> settledDueAt() const;

  [[nodiscard]] WaitingViews waiting() const;

  void rendered(const ViewPick& pick, std::chrono::microseconds prepare, std::chrono::microseconds draw);
  void encoded(const ViewPick& pick, std::chrono::microseconds time);
  /// It was given up after that time; the view still waits for it, or for a newer one.
  void interrupted(const ViewPick& pick, std::chrono::microseconds elapsed);
  /// It cannot be drawn; is not tried again before something changes.
  void failed(const ViewPick& pick);
  /// The picture was handed to the transport.
  void sent(std::uint32_t frame);
  /// It will never be sent.
  void dropped(std::uint32_t frame);
  /// The client has drawn it. A number that was not sent is ignored.
  void acknowledged(std::uint64_t frame);

  [[nodiscard]] std::size_t inFlight() const { return inFlight_.size(); }

 private:
  struct Entry {
    ViewportSize size;
    std::optional<ViewLook> wanted;  // empty: the scene has no such view
    std::optional<ViewLook> drawn;   // sent or being made
    bool lossless = false;           // drawn losslessly
    Pacer::Level shown;              // of what was drawn last
    std::uint64_t changedBy = 0;
    Clock::time_point dirtySince;
    std::optional<ViewKind> kind;  // that the pacer has learnt
    Pacer pacer{Pacer::Options{}};

    [[nodiscard]] std::int64_t pixels() const { return std::int64_t{size.width} * size.height; }
    [[nodiscard]] bool dirty() const { return wanted && wanted != drawn; }
    [[nodiscard]] bool awaitsStill() const { return wanted && wanted == drawn && !lossless; }
  };

  void learnAnew(Entry& entry, ViewKind kind) const;
  [[nodiscard]] std::optional<Pacer::Level> refinement(const Entry& entry) const;
  [[nodiscard]] std::optional<Clock::time_point> dueAt(const Entry& entry) const;
  [[nodiscard]] ViewPick pickOf(const std::string& name, Entry& entry, Kind kind, int share);
  [[nodiscard]] bool before(const std::string& nameA, const Entry& a, const std::string& nameB, const Entry& b,
                            std::uint64_t newest, Clock::time_point now) const;

  Options options_;
  std::map<std::string, Entry> entries_;
  std::string focus_;
  std::string lastPicked_;
  Clock::time_point lastChange_{};
  std::uint32_t lastFrame_ = 0;
  std::map<std::uint32_t, bool> inFlight_;  // frame -> handed to the transport
};

}  // namespace nora
