// Pacer: how coarse one view is drawn, from how long its pictures took: while it moves each shall be there in time, and
// afterwards they get better step by step.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace nora {

/// Learns the cost of one view from its pictures: time = preparing + a * work^b + encoding * pixels, where the work of
/// drawing is pixels / step^0.75 and b < 1 (voxels that neighbouring rays and steps share are in the cache already).
/// Other work on the machine is seen as longer times. Thread: one at a time.
class Pacer {
 public:
  struct Level {
    double scale = 1;      // of the viewport's sides
    double stepScale = 1;  // ray step; see RenderRequest
    friend bool operator==(const Level&, const Level&) = default;
  };
  using Time = std::chrono::microseconds;
  struct Options {
    Time budget{33'000};             // of a moving picture: drawing and encoding
    double smallestScale = 1 / 6.0;  // pictures get no smaller than that, whatever they take
    bool rays = true;                // a volume view, whose steps may be longer, too
  };

  explicit Pacer(const Options& options);

  /// The level of the next moving picture: the finest that is expected to meet the budget; a finer one than before only
  /// if it should do so with ease, and did not fail lately. `pixels`: of the viewport; `share`: so many
  /// viewers have things moving, and each gets that part of the time; `largestScale`: more of the viewport's sides the
  /// way to the client does not carry in time.
  [[nodiscard]] Level next(std::int64_t pixels, int share = 1, double largestScale = 1);

  /// A moving picture of that level took so long.
  void drawn(Level level, std::int64_t pixels, Time prepare, Time draw);
  void encoded(Level level, std::int64_t pixels, Time encode);
  /// A moving picture was given up after so long.
  void interrupted(Level level, std::int64_t pixels, Time elapsed);
  /// The still is there: what was too slow before may be tried again.
  void settled(std::int64_t pixels, Time prepare, Time draw);

  /// Of the still without its encoding; zero before anything was drawn.
  [[nodiscard]] Time expectedStill(std::int64_t pixels) const;

  /// The picture to come between the one that is shown and the still: a finer one than is shown, if the still takes so
  /// long that somebody would wait for it; else none.
  [[nodiscard]] std::optional<Level> refinement(Level shown, std::int64_t pixels) const;

  /// True if nothing coarser is to be had.
  [[nodiscard]] bool isCoarsest(Level level) const { return level == levels_.back(); }

 private:
  /// The last three: of their middle one odd measurement changes nothing, two in a row do.
  class Recent {
   public:
    void add(double value);
    void restart(double value);
    [[nodiscard]] bool empty() const { return count_ == 0; }
    /// Zero if there are none; of two, the newer.
    [[nodiscard]] double middle() const;
    [[nodiscard]] double least() const;
    [[nodiscard]] double most() const;

   private:
    std::array<double, 3> values_{};
    std::size_t count_ = 0;
  };
  /// A level that was gone to from a coarser one and did not hold. It is gone to again where it is expected to take
  /// clearly less of the budget than then. That is forgotten with time, each time more slowly.
  struct Refusal {
    double load = std::numeric_limits<double>::infinity();
    double forgetting = 0.01;  // a picture
  };

  void makeFit(double largestScale);
  [[nodiscard]] double expectedUs(Level level, std::int64_t pixels) const;
  [[nodiscard]] double expectedUs(Level level, std::int64_t pixels, double drawUs) const;

  Options options_;
  std::vector<Level> levels_;  // from fine to coarse
  std::size_t level_ = 0;
  int share_ = 1;
  std::optional<double>
      enteredAt_;  // part of the budget that this level was expected to take, if a coarser one was before
  std::vector<Refusal> refusals_;  // of each level
  Recent prepareUs_;
  Recent drawUs_;    // of one unit of work
  Recent encodeUs_;  // of one pixel
  double exponent_;
  double movingWork_ = 0;  // of the newest moving picture
  double stillRatio_ = 1;  // of the still's time to what moving pictures make one expect
};

}  // namespace nora
