#include "image/io/dicom_times.hpp"

#include "image/io/dicom_stack.hpp"
#include "image/io/dicom_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace nora {
namespace {

/// Something that orders time points.
struct Clock {
  const char* name;
  std::optional<double> (*of)(const DicomHeader&);
  double tolerance;  // of a step, relative; 0: whole numbers
};

constexpr std::array clocks{
    Clock{"TemporalPositionIdentifier",
          [](const DicomHeader& h) {
            return h.temporalPosition ? std::optional(static_cast<double>(*h.temporalPosition)) : std::nullopt;
          },
          0},
    Clock{"AcquisitionNumber",
          [](const DicomHeader& h) { return std::optional(static_cast<double>(h.acquisitionNumber)); }, 0},
    Clock{"InstanceNumber", [](const DicomHeader& h) { return std::optional(static_cast<double>(h.instanceNumber)); },
          0},
    Clock{"TriggerTime", [](const DicomHeader& h) { return h.triggerTime; }, 0.1},
    Clock{"AcquisitionTime", [](const DicomHeader& h) { return secondsOf(h.acquisitionTime); }, 0.1}};

/// The values at the time points; empty unless they ascend.
std::vector<double> valuesOf(const Clock& clock, const std::vector<DicomHeader>& headers,
                             std::span<const std::size_t> timePoints) {
  std::vector<double> values;
  for (const auto i : timePoints) {
    const auto value = clock.of(headers[i]);
    if (!value || (!values.empty() && *value <= values.back())) return {};
    values.push_back(*value);
  }
  return values;
}

/// True if another slice of the series has one of the numbers, which ascend.
bool anyElsewhere(const Clock& clock, const std::vector<DicomHeader>& headers, const std::vector<double>& numbers) {
  return std::any_of(headers.begin(), headers.end(), [&](const DicomHeader& h) {
    const auto value = clock.of(h);
    return value && std::binary_search(numbers.begin(), numbers.end(), *value);
  });
}

struct Loss {
  std::size_t after = 0;  // the first: behind this time point
  std::uint64_t count = 0;
};

/// What is lost by one clock. Series that change their pace (dynamic PET) have long steps side by side or at the end.
std::optional<Loss> lossBy(const Clock& clock, const std::vector<DicomHeader>& headers,
                           const std::vector<double>& values) {
  constexpr double longest = 3;
  std::vector<double> steps;
  for (std::size_t t = 1; t < values.size(); ++t) steps.push_back(values[t] - values[t - 1]);
  auto sorted = steps;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
  const double usual = sorted[sorted.size() / 2];
  const auto timesUsual = [&](std::size_t s) { return std::round(steps[s] / usual); };
  Loss loss;
  std::vector<double> missing;  // numbers
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const double times = timesUsual(s);
    if (times < 1 || times > longest || std::abs(steps[s] / usual - times) > clock.tolerance) return std::nullopt;
    if (times == 1) continue;
    const bool single = s > 0 && s + 1 < steps.size() && timesUsual(s - 1) == 1 && timesUsual(s + 1) == 1;
    if (!single) return std::nullopt;
    for (double k = 1; clock.tolerance == 0 && k < times; ++k) missing.push_back(values[s] + k * usual);
    if (loss.count == 0) loss.after = s;
    loss.count += static_cast<std::uint64_t>(times) - 1;
  }
  if (loss.count == 0 || anyElsewhere(clock, headers, missing)) return std::nullopt;
  return loss;
}

}  // namespace

std::string lostTimePoints(const std::vector<DicomHeader>& headers, std::span<const std::size_t> timePoints) {
  constexpr std::size_t fewest = 4;  // with fewer nothing tells which step is the usual one
  if (timePoints.size() < fewest) return {};
  for (const Clock& clock : clocks) {
    const auto values = valuesOf(clock, headers, timePoints);
    if (values.empty()) continue;
    const auto loss = lossBy(clock, headers, values);
    if (!loss) continue;
    return counted(loss->count, "time point") + (loss->count == 1 ? " seems" : " seem") + " to be lost: " + clock.name +
           " goes from " + shortNumber(values[loss->after]) + " to " + shortNumber(values[loss->after + 1]) +
           " behind time point " + std::to_string(loss->after + 1) + "; the times of later ones are too early";
  }
  return {};
}

}  // namespace nora
