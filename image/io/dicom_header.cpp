// DicomHeader as JSON: what a reader process says of one instance, and the check of it on the server's side.
#include "image/io/dicom_header.hpp"

#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::size_t maxTextBytes = 4096;  // no value of a patient, study or series element comes near it

using TextField = std::pair<const char*, std::string DicomHeader::*>;
constexpr TextField textFields[] = {
    {"patientId", &DicomHeader::patientId},
    {"patientName", &DicomHeader::patientName},
    {"studyUid", &DicomHeader::studyUid},
    {"studyDate", &DicomHeader::studyDate},
    {"studyDescription", &DicomHeader::studyDescription},
    {"seriesUid", &DicomHeader::seriesUid},
    {"seriesDescription", &DicomHeader::seriesDescription},
    {"modality", &DicomHeader::modality},
    {"sopClassUid", &DicomHeader::sopClassUid},
    {"sopInstanceUid", &DicomHeader::sopInstanceUid},
    {"transferSyntaxUid", &DicomHeader::transferSyntaxUid},
    {"imageType", &DicomHeader::imageType},
    {"photometric", &DicomHeader::photometric},
    {"acquisitionTime", &DicomHeader::acquisitionTime},
    {"contentTime", &DicomHeader::contentTime},
};

struct IntegerField {
  const char* name;
  std::int64_t DicomHeader::*member;
  std::int64_t low, high;
};
constexpr std::int64_t int32Max = 2147483647;
constexpr IntegerField integerFields[] = {
    {"seriesNumber", &DicomHeader::seriesNumber, -int32Max - 1, int32Max},
    {"instanceNumber", &DicomHeader::instanceNumber, -int32Max - 1, int32Max},
    {"acquisitionNumber", &DicomHeader::acquisitionNumber, -int32Max - 1, int32Max},
    {"rows", &DicomHeader::rows, 0, 65535},
    {"columns", &DicomHeader::columns, 0, 65535},
    {"frames", &DicomHeader::frames, 0, int32Max},
    {"samplesPerPixel", &DicomHeader::samplesPerPixel, 0, 65535},
    {"bitsAllocated", &DicomHeader::bitsAllocated, 0, 65535},
};

using NumberField = std::pair<const char*, double DicomHeader::*>;
constexpr NumberField numberFields[] = {
    {"sliceThickness", &DicomHeader::sliceThickness},
    {"spacingBetweenSlices", &DicomHeader::spacingBetweenSlices},
    {"repetitionTimeMs", &DicomHeader::repetitionTimeMs},
};

using FlagField = std::pair<const char*, bool DicomHeader::*>;
constexpr FlagField flagFields[] = {{"hasPixels", &DicomHeader::hasPixels}, {"mosaic", &DicomHeader::mosaic}};

Result<void> wrong(const char* name) {
  return fail(ErrorCode::invalidInput, std::string("the DICOM header has a wrong \"") + name + "\"");
}

Result<void> readText(const json& object, const TextField& field, DicomHeader& header) {
  const auto found = object.find(field.first);
  if (found == object.end()) return {};
  if (!found->is_string() || found->get_ref<const std::string&>().size() > maxTextBytes) return wrong(field.first);
  header.*field.second = found->get<std::string>();
  return {};
}

Result<std::int64_t> integerOf(const json& value, const char* name, std::int64_t low, std::int64_t high) {
  if (!value.is_number_integer()) return tl::make_unexpected(wrong(name).error());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(int32Max)) {
    return tl::make_unexpected(wrong(name).error());
  }
  const auto number = value.get<std::int64_t>();
  if (number < low || number > high) return tl::make_unexpected(wrong(name).error());
  return number;
}

bool isFiniteNumber(const json& value) {
  return value.is_number() && std::isfinite(value.get<double>());
}

template <std::size_t N>
Result<void> readArray(const json& object, const char* name, std::optional<std::array<double, N>>& target) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  if (!found->is_array() || found->size() != N) return wrong(name);
  std::array<double, N> values{};
  for (std::size_t i = 0; i < N; ++i) {
    if (!isFiniteNumber((*found)[i])) return wrong(name);
    values[i] = (*found)[i].template get<double>();
  }
  target = values;
  return {};
}

Result<void> readNumber(const json& object, const char* name, std::optional<double>& target) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  if (!isFiniteNumber(*found)) return wrong(name);
  target = found->get<double>();
  return {};
}

Result<void> readOptional(const json& object, DicomHeader& header) {
  if (auto r = readArray(object, "positionLps", header.positionLps); !r) return r;
  if (auto r = readArray(object, "orientationLps", header.orientationLps); !r) return r;
  if (auto r = readArray(object, "pixelSpacing", header.pixelSpacing); !r) return r;
  if (auto r = readNumber(object, "echoTime", header.echoTime); !r) return r;
  if (auto r = readNumber(object, "triggerTime", header.triggerTime); !r) return r;
  if (const auto found = object.find("temporalPosition"); found != object.end()) {
    const auto number = integerOf(*found, "temporalPosition", -int32Max - 1, int32Max);
    if (!number) return tl::make_unexpected(number.error());
    header.temporalPosition = *number;
  }
  return {};
}

}  // namespace

json toJson(const DicomHeader& header) {
  json object = json::object();
  for (const auto& [name, member] : textFields) object[name] = header.*member;
  for (const auto& field : integerFields) object[field.name] = header.*field.member;
  for (const auto& [name, member] : numberFields) object[name] = header.*member;
  for (const auto& [name, member] : flagFields) object[name] = header.*member;
  if (header.positionLps) object["positionLps"] = *header.positionLps;
  if (header.orientationLps) object["orientationLps"] = *header.orientationLps;
  if (header.pixelSpacing) object["pixelSpacing"] = *header.pixelSpacing;
  if (header.echoTime) object["echoTime"] = *header.echoTime;
  if (header.triggerTime) object["triggerTime"] = *header.triggerTime;
  if (header.temporalPosition) object["temporalPosition"] = *header.temporalPosition;
  return object;
}

Result<DicomHeader> dicomHeaderFromJson(const json& object) {
  if (!object.is_object()) return fail(ErrorCode::invalidInput, "the DICOM header is not an object");
  DicomHeader header;
  for (const auto& field : textFields) {
    if (auto r = readText(object, field, header); !r) return tl::make_unexpected(r.error());
  }
  for (const auto& field : integerFields) {
    const auto found = object.find(field.name);
    if (found == object.end()) continue;
    const auto number = integerOf(*found, field.name, field.low, field.high);
    if (!number) return tl::make_unexpected(number.error());
    header.*field.member = *number;
  }
  for (const auto& [name, member] : numberFields) {
    const auto found = object.find(name);
    if (found == object.end()) continue;
    if (!isFiniteNumber(*found)) return tl::make_unexpected(wrong(name).error());
    header.*member = found->get<double>();
  }
  for (const auto& [name, member] : flagFields) {
    const auto found = object.find(name);
    if (found == object.end()) continue;
    if (!found->is_boolean()) return tl::make_unexpected(wrong(name).error());
    header.*member = found->get<bool>();
  }
  if (auto r = readOptional(object, header); !r) return tl::make_unexpected(r.error());
  return header;
}

}  // namespace nora
