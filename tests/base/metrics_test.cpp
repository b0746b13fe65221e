// The registry, and its text read back by the rules of the exposition format.
#include "base/metrics.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

namespace nora {
namespace {

struct Exposition {
  std::map<std::string, std::string> types, helps;  // by family
  std::map<std::string, double> samples;            // by name and labels as they stand
  std::string problem;                              // empty: the text keeps the rules
};

double valueOf(const std::string& text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::nan("");
  return std::stod(text);
}

/// https://prometheus.io/docs/instrumenting/exposition_formats: HELP and TYPE once and before the samples of a family,
/// all samples of a family together, each series once, a line feed after the last line.
Exposition parse(const std::string& text) {
  static const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? ([^ ]+))re");
  static const std::regex comment(R"re(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))re");
  Exposition out;
  if (!text.empty() && text.back() != '\n') out.problem = "the last line does not end";
  std::istringstream lines(text);
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_match(line, found, comment)) {
      auto& store = found[1] == "HELP" ? out.helps : out.types;
      if (!store.emplace(found[2], found[3]).second) out.problem = "said twice: " + line;
      if (found[1] == "TYPE") family = found[2];
      continue;
    }
    if (!std::regex_match(line, found, sample)) {
      out.problem = "not a sample: " + line;
      continue;
    }
    std::string name = found[1];
    if (out.types[family] == "histogram") name = std::regex_replace(name, std::regex("_(bucket|sum|count)$"), "");
    if (name != family) out.problem = "outside of its family: " + line;
    if (!out.samples.emplace(found[1].str() + found[2].str(), valueOf(found[5])).second) {
      out.problem = "a series twice: " + line;
    }
  }
  return out;
}

TEST(Metrics, TheTextKeepsTheRulesOfTheFormat) {
  Metrics metrics;
  metrics.counter("nora_http_answers_total", "Answers.", {{"status", "404"}}).add(3);
  metrics.counter("nora_http_answers_total", "Answers.", {{"status", "200"}}).add();
  metrics.gauge("nora_connections", "Open now.").set(-2);
  metrics.computed("nora_uptime_seconds", "Since the start.", [] { return 1.5; });
  metrics.counter("nora_odd_total", "Line\nfeed and \\.", {{"what", "quote \" slash \\ line\nfeed"}}).add(7);
  const std::array<double, 3> bounds{0.001, 0.5, 2};
  auto& times = metrics.histogram("nora_stage_seconds", "Times.", bounds, {{"stage", "render"}});
  for (const double time : {0.0001, 0.001, 0.2, 2.5}) times.observe(time);

  const auto read = parse(metrics.text());
  EXPECT_EQ(read.problem, "") << metrics.text();
  EXPECT_EQ(read.types.at("nora_http_answers_total"), "counter");
  EXPECT_EQ(read.types.at("nora_connections"), "gauge");
  EXPECT_EQ(read.types.at("nora_stage_seconds"), "histogram");
  EXPECT_EQ(read.helps.at("nora_odd_total"), R"(Line\nfeed and \\.)");
  const std::map<std::string, double> expected{
      {R"(nora_http_answers_total{status="404"})", 3},
      {R"(nora_http_answers_total{status="200"})", 1},
      {"nora_connections", -2},
      {"nora_uptime_seconds", 1.5},
      {R"re(nora_odd_total{what="quote \" slash \\ line\nfeed"})re", 7},
      {R"(nora_stage_seconds_bucket{stage="render",le="0.001"})", 2},
      {R"(nora_stage_seconds_bucket{stage="render",le="0.5"})", 3},
      {R"(nora_stage_seconds_bucket{stage="render",le="2"})", 3},
      {R"(nora_stage_seconds_bucket{stage="render",le="+Inf"})", 4},
      {R"(nora_stage_seconds_count{stage="render"})", 4},
      {R"(nora_stage_seconds_sum{stage="render"})", 2.7011},
  };
  EXPECT_EQ(read.samples, expected);
}

TEST(Metrics, TheReaderOfTheTestSeesBrokenText) {
  EXPECT_NE(parse("nora_x 1").problem, "");
  EXPECT_NE(parse("# TYPE nora_x counter\nnora_y 1\n").problem, "");
  EXPECT_NE(parse("# TYPE nora_x counter\nnora_x{a=\"\"\"} 1\n").problem, "");
  EXPECT_NE(parse("# TYPE nora_x counter\nnora_x 1\nnora_x 1\n").problem, "");
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameSeries) {
  Metrics metrics;
  auto& first = metrics.counter("nora_x_total", "X.", {{"a", "1"}});
  EXPECT_EQ(&metrics.counter("nora_x_total", "X.", {{"a", "1"}}), &first);
  EXPECT_NE(&metrics.counter("nora_x_total", "X.", {{"a", "2"}}), &first);
}

TEST(Metrics, ManyThreadsCountTogetherWhileTheTextIsMade) {
  Metrics metrics;
  auto& counter = metrics.counter("nora_x_total", "X.");
  auto& times = metrics.histogram("nora_x_seconds", "X.", stageSeconds());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) counter.add(), times.observe(0.25);
      });
    }
    for (int i = 0; i < 50; ++i) EXPECT_EQ(parse(metrics.text()).problem, "");
  }
  const auto read = parse(metrics.text());
  EXPECT_EQ(read.samples.at("nora_x_total"), 80'000);
  EXPECT_EQ(read.samples.at("nora_x_seconds_count"), 80'000);
  EXPECT_EQ(read.samples.at("nora_x_seconds_sum"), 20'000);
  EXPECT_EQ(read.samples.at("nora_x_seconds_bucket{le=\"0.2\"}"), 0);
  EXPECT_EQ(read.samples.at("nora_x_seconds_bucket{le=\"0.5\"}"), 80'000);
}

TEST(MetricsDeathTest, ABrokenNameIsABrokenProgram) {
  Metrics metrics;
  (void)metrics.counter("nora_x_total", "X.");
  EXPECT_DEATH((void)metrics.gauge("nora_x_total", "X."), "another kind");
  EXPECT_DEATH((void)metrics.counter("nora x", "X."), "not a name");
  EXPECT_DEATH((void)metrics.counter("nora_y_total", "Y.", {{"a-b", "1"}}), "label");
}

}  // namespace
}  // namespace nora
