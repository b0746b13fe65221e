#include "image/io/dicom_seg_segments.hpp"

#include "image/io/dicom_tags.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace nora {
namespace {

constexpr std::uint32_t codeValue = 0x00080100, codeMeaning = 0x00080104, longCodeValue = 0x00080119;
constexpr std::uint32_t referencedSeries = 0x00081115, referencedInstances = 0x0008114A, otherStudies = 0x00081200;
constexpr std::uint32_t anatomicRegion = 0x00082218;
constexpr std::uint32_t segmentSequence = 0x00620002, propertyCategory = 0x00620003, segmentNumber = 0x00620004;
constexpr std::uint32_t segmentLabel = 0x00620005, segmentDescription = 0x00620006, algorithmType = 0x00620008;
constexpr std::uint32_t algorithmName = 0x00620009, displayCieLab = 0x0062000D, propertyType = 0x0062000F;

constexpr std::size_t maxSegments = 65536;

std::string meaningOf(const DicomItem& item, std::uint32_t sequence, const DicomCharacters& characters) {
  const DicomItem code = item.first(sequence);
  std::string meaning = characters.utf8(code.raw(codeMeaning));
  if (meaning.empty()) meaning = code.text(codeValue);
  return meaning.empty() ? code.text(longCodeValue) : meaning;
}

std::optional<std::array<std::uint8_t, 3>> colourOf(const DicomItem& item) {
  const auto lab = item.array<3>(displayCieLab);
  if (!lab) return std::nullopt;
  std::array<std::uint16_t, 3> stored{};
  for (std::size_t i = 0; i < 3; ++i) stored[i] = static_cast<std::uint16_t>(std::clamp((*lab)[i], 0.0, 65535.0));
  return srgbFromDicomLab(stored);
}

/// Takes the series with the most images so far.
void takeSource(const DicomItem& holder, std::string& uid, std::size_t& most) {
  for (const DicomItem& series : holder.items(referencedSeries)) {
    const std::size_t images = series.items(referencedInstances).size();
    if (!uid.empty() && images <= most) continue;
    uid = series.text(tag::seriesUid);
    most = images;
  }
}

double linear(double t) {
  constexpr double edge = 6.0 / 29;
  return t > edge ? t * t * t : 3 * edge * edge * (t - 4.0 / 29);
}

std::uint8_t gammaByte(double value) {
  value = std::clamp(value, 0.0, 1.0);
  const double encoded = value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(encoded * 255));
}

}  // namespace

std::array<std::uint8_t, 3> srgbFromDicomLab(const std::array<std::uint16_t, 3>& lab) {
  const double l = lab[0] * 100.0 / 65535, a = lab[1] * 255.0 / 65535 - 128, b = lab[2] * 255.0 / 65535 - 128;
  const double fy = (l + 16) / 116;
  const double x = 0.9642 * linear(fy + a / 500), y = linear(fy), z = 0.8249 * linear(fy - b / 200);
  // XYZ (D50) to linear sRGB, with the Bradford adaptation to D65.
  return {gammaByte(3.1338561 * x - 1.6168667 * y - 0.4906146 * z),
          gammaByte(-0.9787684 * x + 1.9161415 * y + 0.0334540 * z),
          gammaByte(0.0719453 * x - 0.2289914 * y + 1.4052427 * z)};
}

std::vector<Segment> segmentsOf(const DicomItem& dataset, const DicomCharacters& characters) {
  std::vector<Segment> segments;
  std::set<std::int64_t> seen;
  for (const DicomItem& item : dataset.items(segmentSequence, maxSegments)) {
    Segment segment;
    segment.number = item.integer(segmentNumber, -1, 0, 65535);
    if (segment.number < 0 || !seen.insert(segment.number).second) continue;
    segment.label = characters.utf8(item.raw(segmentLabel));
    segment.description = characters.utf8(item.raw(segmentDescription));
    segment.category = meaningOf(item, propertyCategory, characters);
    segment.type = meaningOf(item, propertyType, characters);
    segment.region = meaningOf(item, anatomicRegion, characters);
    segment.algorithm = item.text(algorithmType);
    if (const std::string name = characters.utf8(item.raw(algorithmName)); !name.empty()) {
      segment.algorithm += (segment.algorithm.empty() ? "" : " ") + name;
    }
    segment.colour = colourOf(item);
    if (segment.label.empty()) segment.label = segment.type;
    segments.push_back(std::move(segment));
  }
  return segments;
}

std::string textOf(const Segment& segment) {
  std::string text = segment.label;
  std::set<std::string> said{segment.label};
  for (const std::string& part :
       {segment.description, segment.category, segment.type, segment.region, segment.algorithm}) {
    if (part.empty() || !said.insert(part).second) continue;
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

std::string segSourceSeriesUid(const DicomItem& dataset) {
  std::string uid;
  std::size_t most = 0;
  takeSource(dataset, uid, most);
  if (!uid.empty()) return uid;
  for (const DicomItem& study : dataset.items(otherStudies)) takeSource(study, uid, most);
  return uid;
}

}  // namespace nora
