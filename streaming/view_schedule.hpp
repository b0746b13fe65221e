// ViewSchedule: which view of one session is drawn next, and how. Decides from what changed, what is in flight and what
// time it is; draws nothing itself.
#pragma once

#include "streaming/coding.hpp"
#include "streaming/link_model.hpp"
#include "streaming/pacer.hpp"
#include "streaming/view_look.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nora {

using Clock = std::chrono::steady_clock;

/// Pictures of a view that moves are in time; those of one that has stopped get better: `refinement` where the still
/// takes long, `still` is as it shall be but for its coding, `exact` is the still once more, losslessly.
/// `ahead`: of what may be wanted soon.
enum class PictureKind { moving, refinement, still, exact, ahead };

/// Sent in parts, between which those that move pass.
[[nodiscard]] constexpr bool isPatient(PictureKind kind) {
  return kind == PictureKind::still || kind == PictureKind::exact || kind == PictureKind::ahead;
}

/// One picture to be made.
struct ViewPick {
  std::string view;
  std::uint32_t frame = 0;
  PictureKind kind = PictureKind::moving;
  ViewportSize viewport;
  int width = 0, height = 0;  // to be rendered
  Pacer::Level level;
  bool coarsest = false;  // a quicker picture is not to be had
  Coding coding;
  std::uint32_t still = 0;  // of an exact one: the frame that it is the same as
  std::uint32_t ahead = 0;  // what the client calls it

  [[nodiscard]] std::int64_t pixels() const { return std::int64_t{width} * height; }
  [[nodiscard]] std::int64_t viewportPixels() const { return std::int64_t{viewport.width} * viewport.height; }
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
    std::chrono::milliseconds settle{150};           // from the last change to the lossless picture
    std::chrono::milliseconds pause{50};             // to the drawing of the still
    std::chrono::milliseconds pauseAfterAhead{110};  // the same, where a picture in full size came ahead
    std::chrono::milliseconds frameBudget{33};       // for drawing and encoding a moving picture
    std::chrono::milliseconds wireBudget{33};        // for its way to the client
    double smallestScale = 1 / 6.0;                  // of a moving picture's sides
  };

  explicit ViewSchedule(Options options) : options_(options) {}

  /// Another connection, which has no pictures yet.
  void restart(CodecChoice choice);
  [[nodiscard]] CodecChoice& choice() { return choice_; }

  void setViewports(const std::map<std::string, ViewportSize>& views, const std::string& focus);

  [[nodiscard]] bool isShown() const { return !entries_.empty(); }
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

  /// True if no view waits to be drawn, and the way has room for a picture that may be wanted soon: no more is under
  /// way than goes within a round trip.
  [[nodiscard]] bool mayGoAhead() const;
  /// The picture that the client may want soon; empty if mayGoAhead says no, or an equal one is on its way.
  [[nodiscard]] std::optional<ViewPick> pickAhead(std::uint32_t id, const std::string& view, ViewLook look);
  /// The client shows that picture in the view. True if it is the one that is wanted.
  bool have(const std::string& view, std::uint32_t ahead);
  /// The client needs a picture of that view that stands by itself.
  void wantKey(const std::string& view);

  /// By when something that moves should be drawn; empty if nothing waits, or two frames are in flight.
  [[nodiscard]] std::optional<Clock::time_point> movingDeadline() const;

  /// When a finer picture or a still will be due; empty if none is waiting or two frames are in flight.
  [[nodiscard]] std::optional<Clock::time_point> settledDueAt() const;

  [[nodiscard]] WaitingViews waiting() const;

  void rendered(const ViewPick& pick, std::chrono::microseconds prepare, std::chrono::microseconds draw);
  /// How it was coded in the end.
  void encoded(const ViewPick& pick, const Coding& coding, std::size_t bytes, std::chrono::microseconds time);
  /// It was given up after that time; the view still waits for it, or for a newer one.
  void interrupted(const ViewPick& pick, std::chrono::microseconds elapsed);
  /// It cannot be drawn; is not tried again before something changes.
  void failed(const ViewPick& pick);
  /// The picture was handed to the transport.
  void sent(std::uint32_t frame, std::size_t bytes = 0, Clock::time_point now = Clock::now());
  /// It will never be sent, or not as a whole.
  void dropped(const ViewPick& pick);
  /// The client has drawn it, after it had it for a while. A number that was not sent is ignored.
  void acknowledged(std::uint64_t frame, Clock::time_point now = Clock::now(), Clock::duration held = {},
                    std::optional<std::chrono::microseconds> decode = std::nullopt);
  /// See LinkModel.
  void pinged(std::chrono::microseconds roundTrip, Clock::time_point now = Clock::now()) {
    link_.pinged(roundTrip, now);
  }
  /// Stills on their way that show what is no longer wanted.
  [[nodiscard]] std::vector<ViewPick> outdated() const;

  [[nodiscard]] bool isInFlight(std::uint32_t frame) const { return inFlight_.contains(frame); }
  [[nodiscard]] std::size_t inFlight() const { return inFlight_.size(); }
  [[nodiscard]] const LinkModel& link() const { return link_; }

 private:
  enum class Stage : std::uint8_t { rough, still, exact };
  struct Entry {
    ViewportSize size;
    std::optional<ViewLook> wanted;  // empty: the scene has no such view
    std::optional<ViewLook> drawn;   // sent or being made
    Stage stage = Stage::rough;      // of what was drawn
    std::uint32_t still = 0;         // its frame
    Pacer::Level shown;              // of what was drawn last
    std::uint64_t changedBy = 0;
    Clock::time_point dirtySince;
    std::optional<ViewKind> kind;  // that the pacer has learnt
    Pacer pacer{Pacer::Options{}};
    CodingModel coding;
    bool needsKey = true;    // video's next picture must stand by itself
    bool cameAhead = false;  // what the client shows
    double stillBytes = 0;   // of its last sharp picture

    [[nodiscard]] std::int64_t pixels() const { return std::int64_t{size.width} * size.height; }
    [[nodiscard]] bool dirty() const { return wanted && wanted != drawn; }
    [[nodiscard]] bool awaits(Stage done) const { return wanted && wanted == drawn && stage == done; }
  };

  struct Flight {
    ViewPick pick;
    bool handed = false;  // to the transport
    double bytes = 0;     // then
  };
  struct Ahead {
    std::string view;
    ViewLook look;
  };

  /// Pictures that come ahead do not count: they let others pass.
  [[nodiscard]] bool isFull() const;
  void learnAnew(Entry& entry, ViewKind kind) const;
  void chooseCoding(Entry& entry, ViewPick& pick);
  [[nodiscard]] std::optional<Pacer::Level> refinement(const Entry& entry) const;
  [[nodiscard]] Clock::duration pauseOf(const Entry& entry) const;
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
  std::map<std::uint32_t, Flight> inFlight_;
  std::map<std::uint32_t, Ahead> ahead_;  // what was sent
  double aheadBytes_ = 0;                 // of the last one
  CodecChoice choice_;
  LinkModel link_;
};

}  // namespace nora
