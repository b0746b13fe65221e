// Metrics: counters, gauges and histograms by name, and their text for Prometheus (exposition format 0.0.4).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

/// What only grows. Thread: any; an increment is one relaxed atomic addition.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// What goes up and down. Thread: any.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// How often a value lay at or below each of some bounds. Thread: any; no lock, no memory per observation.
class MetricHistogram {
 public:
  /// `bounds` ascending, finite; one bucket more takes what is above.
  explicit MetricHistogram(std::span<const double> bounds);

  void observe(double value);
  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  /// Observations of bucket `index`, 0..bounds().size(), not summed up.
  [[nodiscard]] std::uint64_t count(std::size_t index) const;
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

/// Bounds for times of a frame's stages, seconds: 0.5 ms to 10 s.
[[nodiscard]] std::span<const double> stageSeconds();

/// The registry. One a process, handed to those who count; tests have their own.
///
/// Owner:  it owns what it gives out; references are good as long as it lives.
/// Thread: any. Asking for a series takes a lock: do it once, at the start, and keep the reference.
/// Names:  nora_..., with the unit (`_seconds`, `_bytes`), counters end in `_total`. The same name and labels give the
///         same series again. A malformed name, or one that is of another kind already, is a broken invariant: aborts.
class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;  // of a small, fixed set of values

  Counter& counter(const std::string& name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, std::string_view help, const Labels& labels = {});
  MetricHistogram& histogram(const std::string& name, std::string_view help, std::span<const double> bounds,
                             const Labels& labels = {});
  /// A gauge whose value is asked for when text() is made; `value` may be called on any thread.
  void computed(const std::string& name, std::string_view help, std::function<double()> value,
                const Labels& labels = {});

  static constexpr std::string_view contentType = "text/plain; version=0.0.4; charset=utf-8";
  [[nodiscard]] std::string text() const;

 private:
  enum class Kind { counter, gauge, histogram };
  struct Series {
    Labels labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<MetricHistogram> histogram;
    std::function<double()> computed;
  };
  struct Family {
    Kind kind = Kind::counter;
    std::string help;
    std::vector<std::unique_ptr<Series>> series;
  };

  Series& seriesOf(const std::string& name, std::string_view help, Kind kind, const Labels& labels);
  static void write(std::string& out, const std::string& name, const Series& series);
  static void writeHistogram(std::string& out, const std::string& name, const Series& series);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
};

}  // namespace nora
