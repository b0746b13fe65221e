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
    {"damage", &DicomHeader::damage},
    {"unsupported", &DicomHeader::unsupported},
    {"note", &DicomHeader::note},
    {"stackId", &DicomHeader::stackId},
    {"sourceSeriesUid", &DicomHeader::sourceSeriesUid},
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
    {"volume", &DicomHeader::volume, 0, int32Max},
};

using NumberField = std::pair<const char*, double DicomHeader::*>;
constexpr NumberField numberFields[] = {
    {"sliceThickness", &DicomHeader::sliceThickness},
    {"spacingBetweenSlices", &DicomHeader::spacingBetweenSlices},
    {"repetitionTimeMs", &DicomHeader::repetitionTimeMs},
    {"frameTimeMs", &DicomHeader::frameTimeMs},
};

using FlagField = std::pair<const char*, bool DicomHeader::*>;
constexpr FlagField flagFields[] = {
    {"hasPixels", &DicomHeader::hasPixels}, {"mosaic", &DicomHeader::mosaic}, {"tiled", &DicomHeader::tiled}};

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

json toJson(const DicomFrameKind& kind) {
  json object{{"thickness", kind.sliceThickness},
              {"between", kind.spacingBetweenSlices},
              {"type", kind.imageType},
              {"stack", kind.stackId}};
  if (kind.orientationLps) object["orientation"] = *kind.orientationLps;
  if (kind.pixelSpacing) object["spacing"] = *kind.pixelSpacing;
  if (kind.echoTime) object["echo"] = *kind.echoTime;
  return object;
}

/// As a list, because there may be many: kind, temporal position, volume, time, then x, y, z if it has a place.
json toJson(const DicomFramePlace& place) {
  json list{place.kind, place.temporalPosition, place.volume, place.acquisitionTime};
  if (place.positionLps) {
    for (const double mm : *place.positionLps) list.push_back(mm);
  }
  return list;
}

Result<DicomFrameKind> kindFromJson(const json& object) {
  DicomFrameKind kind;
  if (!object.is_object()) return tl::make_unexpected(wrong("kinds").error());
  std::optional<double> thickness, between;
  if (auto r = readNumber(object, "thickness", thickness); !r) return tl::make_unexpected(r.error());
  if (auto r = readNumber(object, "between", between); !r) return tl::make_unexpected(r.error());
  if (auto r = readNumber(object, "echo", kind.echoTime); !r) return tl::make_unexpected(r.error());
  if (auto r = readArray(object, "orientation", kind.orientationLps); !r) return tl::make_unexpected(r.error());
  if (auto r = readArray(object, "spacing", kind.pixelSpacing); !r) return tl::make_unexpected(r.error());
  kind.sliceThickness = thickness.value_or(0);
  kind.spacingBetweenSlices = between.value_or(0);
  for (const auto& [name, text] : {std::pair{"type", &kind.imageType}, std::pair{"stack", &kind.stackId}}) {
    const auto found = object.find(name);
    if (found == object.end()) continue;
    if (!found->is_string() || found->get_ref<const std::string&>().size() > maxTextBytes) {
      return tl::make_unexpected(wrong("kinds").error());
    }
    *text = found->get<std::string>();
  }
  return kind;
}

Result<DicomFramePlace> placeFromJson(const json& list, std::size_t kinds) {
  const auto bad = [] { return tl::make_unexpected(wrong("places").error()); };
  if (!list.is_array() || (list.size() != 4 && list.size() != 7)) return bad();
  const auto kind = integerOf(list[0], "places", 0, int32Max);
  const auto temporal = integerOf(list[1], "places", -int32Max - 1, int32Max);
  const auto volume = integerOf(list[2], "places", 0, int32Max);
  if (!kind || static_cast<std::size_t>(*kind) >= kinds || !temporal || !volume || !list[3].is_string() ||
      list[3].get_ref<const std::string&>().size() > maxTextBytes) {
    return bad();
  }
  DicomFramePlace place{static_cast<std::size_t>(*kind), {}, *temporal, *volume, list[3].get<std::string>()};
  if (list.size() == 7) {
    place.positionLps.emplace();
    for (std::size_t i = 0; i < 3; ++i) {
      if (!isFiniteNumber(list[4 + i])) return bad();
      (*place.positionLps)[i] = list[4 + i].get<double>();
    }
  }
  return place;
}

Result<void> readFrames(const json& object, DicomHeader& header) {
  const auto kinds = object.find("kinds"), places = object.find("places");
  if (kinds == object.end() || places == object.end()) return {};
  if (!kinds->is_array() || kinds->size() > DicomHeader::maxFrames) return wrong("kinds");
  if (!places->is_array() || places->size() > DicomHeader::maxFrames) return wrong("places");
  for (const json& each : *kinds) {
    auto kind = kindFromJson(each);
    if (!kind) return tl::make_unexpected(kind.error());
    header.kinds.push_back(std::move(*kind));
  }
  for (const json& each : *places) {
    auto place = placeFromJson(each, header.kinds.size());
    if (!place) return tl::make_unexpected(place.error());
    header.places.push_back(std::move(*place));
  }
  if (!header.places.empty() && static_cast<std::int64_t>(header.places.size()) != header.frames)
    return wrong("places");
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
  if (!header.places.empty()) {
    json kinds = json::array(), places = json::array();
    for (const auto& kind : header.kinds) kinds.push_back(toJson(kind));
    for (const auto& place : header.places) places.push_back(toJson(place));
    object["kinds"] = std::move(kinds);
    object["places"] = std::move(places);
  }
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
  if (auto r = readFrames(object, header); !r) return tl::make_unexpected(r.error());
  return header;
}

}  // namespace nora
