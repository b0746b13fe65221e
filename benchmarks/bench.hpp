// The small harness of the benchmarks: checks an answer, warms up, times ours and the peer in turn, prints rows as
// JSON.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nora::bench {

/// One line of the result table; docs/PERFORMANCE.md explains the targets.
struct Row {
  std::string id;  // Q-number, or empty
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> target = std::nullopt;
  bool smallerIsBetter = true;
  std::string peer = {};  // what it is compared with in the same run; may be empty
  std::optional<double> peerValue = std::nullopt;
};

struct Paired {
  double ours = 0;  // median milliseconds
  double peer = 0;
};

/// Runs both functions in turn, `rounds` times after one warm-up each; medians in milliseconds.
[[nodiscard]] Paired timePaired(const std::function<void()>& ours, const std::function<void()>& peer, int rounds);
[[nodiscard]] double timeMedian(const std::function<void()>& ours, int rounds);

/// Ends the program with a message if the answer is wrong: a fast wrong answer is no result.
void require(bool right, const std::string& what);

std::vector<Row> sliceRows();
std::vector<Row> volumeRows();
std::vector<Row> scalingRows();
std::vector<Row> geometryRows();
std::vector<Row> encodeRows();
std::vector<Row> openRows();
std::vector<Row> formatRows();

}  // namespace nora::bench
