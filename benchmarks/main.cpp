// Runs the stages named on the command line and prints their rows as a JSON array.
#include "benchmarks/bench.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <nlohmann/json.hpp>

namespace nora::bench {
namespace {

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

nlohmann::json toJson(const Row& row) {
  nlohmann::json json{{"id", row.id}, {"name", row.name}, {"value", row.value}, {"unit", row.unit}};
  json["target"] = row.target ? nlohmann::json(*row.target) : nlohmann::json();
  json["met"] = nlohmann::json();
  if (row.target) json["met"] = row.smallerIsBetter ? row.value <= *row.target : row.value >= *row.target;
  json["peer"] = row.peer;
  json["peerValue"] = row.peerValue ? nlohmann::json(*row.peerValue) : nlohmann::json();
  json["ratio"] = nlohmann::json();
  if (row.peerValue && row.value > 0) {
    json["ratio"] = row.smallerIsBetter ? *row.peerValue / row.value : row.value / *row.peerValue;
  }
  return json;
}

}  // namespace

Paired timePaired(const std::function<void()>& ours, const std::function<void()>& peer, int rounds) {
  ours();
  peer();
  std::vector<double> oursTimes;
  std::vector<double> peerTimes;
  for (int i = 0; i < rounds; ++i) {
    oursTimes.push_back(milliseconds(ours));
    peerTimes.push_back(milliseconds(peer));
  }
  return {median(oursTimes), median(peerTimes)};
}

double timeMedian(const std::function<void()>& ours, int rounds) {
  ours();
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(milliseconds(ours));
  return median(times);
}

void require(bool right, const std::string& what) {
  if (right) return;
  std::fprintf(stderr, "nora_bench: wrong answer: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace nora::bench

int main(int argc, char** argv) {
  using namespace nora::bench;
  nlohmann::json rows = nlohmann::json::array();
  const std::vector<std::string> stages(argv + 1, argv + argc);
  const auto wanted = [&](const char* stage) {
    return stages.empty() || std::find(stages.begin(), stages.end(), stage) != stages.end();
  };
  const auto run = [&](const char* stage, std::vector<Row> (*rowsOf)()) {
    if (!wanted(stage)) return;
    for (const auto& row : rowsOf()) rows.push_back(toJson(row));
  };
  run("render", sliceRows);
  run("render", volumeRows);
  run("scaling", scalingRows);
  run("geometry", geometryRows);
  run("stream", encodeRows);
  run("formats", openRows);
  run("formats", formatRows);
  std::printf("%s\n", rows.dump().c_str());
  return 0;
}
