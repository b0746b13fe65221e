// suvFactor: standardised uptake value by body weight.
#include "image/io/dicom_values.hpp"

#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_stack.hpp"
#include "image/io/dicom_tags.hpp"

#include <cmath>

namespace nora {
namespace {

constexpr double secondsADay = 86400;
constexpr double leastDoseBq = 1e5;  // less is megabecquerel, or a mistake
constexpr double gramsAKilogram = 1000;

/// Days from an arbitrary one; empty if it is no date (YYYYMMDD).
std::optional<double> dayOf(const std::string& date) {
  if (date.size() < 8) return std::nullopt;
  int parts[3] = {0, 0, 0};
  for (std::size_t i = 0; i < 8; ++i) {
    if (date[i] < '0' || date[i] > '9') return std::nullopt;
    int& part = parts[i < 4 ? 0 : i < 6 ? 1 : 2];
    part = part * 10 + (date[i] - '0');
  }
  // Civil days, years beginning in March.
  const int year = parts[0] - (parts[1] < 3 ? 1 : 0), month = (parts[1] + 9) % 12;
  return 365.0 * year + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + parts[2];
}

/// Seconds from the injection to the start of the scan.
std::optional<double> delayOf(const DicomItem& dataset, const DicomItem& drug, const std::string& earliestTime) {
  auto scan = secondsOf(dataset.text(tag::seriesTime));
  const auto earliest = secondsOf(earliestTime);
  // A series time behind the acquisition is that of a processing.
  if (earliest && (!scan || *earliest < *scan)) scan = earliest;
  if (!scan) return std::nullopt;
  const std::string dateTime = drug.text(tag::radiopharmaceuticalStartDateTime);
  std::optional<double> injection = secondsOf(timeOfDay(dateTime));
  const auto injectionDay = dayOf(dateTime), scanDay = dayOf(dataset.text(tag::seriesDate));
  if (injection && injectionDay && scanDay) return *scan - *injection + (*scanDay - *injectionDay) * secondsADay;
  if (!injection) injection = secondsOf(drug.text(tag::radiopharmaceuticalStartTime));
  if (!injection) return std::nullopt;
  const double delay = *scan - *injection;
  return delay < 0 ? delay + secondsADay : delay;  // over midnight
}

}  // namespace

std::optional<double> suvFactor(const DicomItem& dataset, const std::string& earliestTime, std::string& why) {
  const auto without = [&](const char* reason) {
    why = reason;
    return std::nullopt;
  };
  const auto weight = dataset.number(tag::patientWeight);
  if (!weight || !(*weight > 0 && *weight < 1000)) return without("the patient's weight is missing");
  const DicomItem drug = dataset.first(tag::radiopharmaceuticalSequence);
  const auto dose = drug.number(tag::radionuclideTotalDose);
  if (!dose || !(*dose > 0)) return without("the injected dose is missing");
  if (*dose < leastDoseBq) return without("the injected dose is not in becquerel");
  const std::string correction = dataset.text(tag::decayCorrection);
  if (correction == "ADMIN") return *weight * gramsAKilogram / *dose;
  if (correction != "START") return without("the values are not corrected for decay");
  const auto halfLife = drug.number(tag::radionuclideHalfLife);
  if (!halfLife || !(*halfLife > 0)) return without("the half-life is missing");
  const auto delay = delayOf(dataset, drug, earliestTime);
  if (!delay) return without("the times of injection and scan are missing");
  if (*delay < 0 || *delay > 2 * secondsADay) return without("the scan does not follow the injection");
  return *weight * gramsAKilogram / (*dose * std::exp2(-*delay / *halfLife));
}

}  // namespace nora
