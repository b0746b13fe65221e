#include "base/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace nora {
namespace {

constexpr std::array<double, 14> stageBounds{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.033,
                                             0.05,   0.1,   0.2,   0.5,   1,    2,    10};

[[noreturn]] void broken(const std::string& name, const char* why) {
  std::fprintf(stderr, "metric %s: %s\n", name.c_str(), why);
  std::abort();
}

bool isName(std::string_view name, bool colonAllowed) {
  const auto fits = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colonAllowed && c == ':');
  };
  if (name.empty() || !fits(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return fits(c) || (c >= '0' && c <= '9'); });
}

/// Help texts escape backslash and line feed, label values the double quote as well.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> memory{};
  const auto [end, error] = std::to_chars(memory.data(), memory.data() + memory.size(), value);
  return error == std::errc{} ? std::string(memory.data(), end) : "NaN";
}

std::string labelText(const Metrics::Labels& labels, const std::string& bound = {}) {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += (out.empty() ? "" : ",") + name + "=\"" + escaped(value, true) + "\"";
  }
  if (!bound.empty()) out += (out.empty() ? "" : ",") + ("le=\"" + bound + "\"");
  return out.empty() ? out : "{" + out + "}";
}

}  // namespace

std::span<const double> stageSeconds() {
  return stageBounds;
}

MetricHistogram::MetricHistogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(new std::atomic<std::uint64_t>[bounds.size() + 1]) {
  for (std::size_t i = 0; i <= bounds_.size(); ++i) counts_[i].store(0);
}

void MetricHistogram::observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t MetricHistogram::count(std::size_t index) const {
  return counts_[index].load(std::memory_order_relaxed);
}

Metrics::Series& Metrics::seriesOf(const std::string& name, std::string_view help, Kind kind, const Labels& labels) {
  if (!isName(name, true)) broken(name, "not a name");
  for (const auto& [label, value] : labels) {
    if (!isName(label, false) || label.starts_with("__") || label == "le") broken(name, "not a name of a label");
  }
  Family& family = families_.try_emplace(name, Family{kind, std::string(help), {}}).first->second;
  if (family.kind != kind) broken(name, "is of another kind already");
  for (const auto& series : family.series) {
    if (series->labels == labels) return *series;
  }
  auto& made = *family.series.emplace_back(std::make_unique<Series>());
  made.labels = labels;
  return made;
}

Counter& Metrics::counter(const std::string& name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& series = seriesOf(name, help, Kind::counter, labels);
  if (!series.counter) series.counter = std::make_unique<Counter>();
  return *series.counter;
}

Gauge& Metrics::gauge(const std::string& name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& series = seriesOf(name, help, Kind::gauge, labels);
  if (series.computed) broken(name, "is computed");
  if (!series.gauge) series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

MetricHistogram& Metrics::histogram(const std::string& name, std::string_view help, std::span<const double> bounds,
                                    const Labels& labels) {
  const std::lock_guard lock(mutex_);
  if (!std::is_sorted(bounds.begin(), bounds.end())) broken(name, "bounds must ascend");
  auto& series = seriesOf(name, help, Kind::histogram, labels);
  if (!series.histogram) series.histogram = std::make_unique<MetricHistogram>(bounds);
  return *series.histogram;
}

void Metrics::computed(const std::string& name, std::string_view help, std::function<double()> value,
                       const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& series = seriesOf(name, help, Kind::gauge, labels);
  if (series.gauge) broken(name, "is set, not computed");
  series.computed = std::move(value);
}

void Metrics::writeHistogram(std::string& out, const std::string& name, const Series& series) {
  const auto& histogram = *series.histogram;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    total += histogram.count(i);
    const std::string bound = i < histogram.bounds().size() ? number(histogram.bounds()[i]) : "+Inf";
    out += name + "_bucket" + labelText(series.labels, bound) + " " + std::to_string(total) + "\n";
  }
  out += name + "_sum" + labelText(series.labels) + " " + number(histogram.sum()) + "\n";
  out += name + "_count" + labelText(series.labels) + " " + std::to_string(total) + "\n";
}

void Metrics::write(std::string& out, const std::string& name, const Series& series) {
  if (series.histogram) {
    writeHistogram(out, name, series);
    return;
  }
  std::string value;
  if (series.counter) value = std::to_string(series.counter->value());
  if (series.gauge) value = std::to_string(series.gauge->value());
  if (series.computed) value = number(series.computed());
  out += name + labelText(series.labels) + " " + value + "\n";
}

std::string Metrics::text() const {
  static constexpr std::array<std::string_view, 3> kinds{"counter", "gauge", "histogram"};
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += "# HELP " + name + " " + escaped(family.help, false) + "\n";
    out += "# TYPE " + name + " " + std::string(kinds[static_cast<std::size_t>(family.kind)]) + "\n";
    for (const auto& series : family.series) write(out, name, *series);
  }
  return out;
}

}  // namespace nora
