#include "image/io/nrrd_space.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

namespace nora {
namespace {

std::string spaceName(const NrrdHeader& header) {
  const std::string* field = header.field("space");
  std::string out = field != nullptr ? *field : "";
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view time = "-time";
  if (out.ends_with(time)) out.resize(out.size() - time.size());
  return out == "rast" || out == "last" || out == "lpst" ? out.substr(0, 3) : out;
}

/// Millimetres; 1 and a warning if the unit is no length.
double millimetresPer(std::string_view unit, ImageInfo& info) {
  static constexpr std::pair<std::string_view, double> units[] = {{"", 1},
                                                                  {"mm", 1},
                                                                  {"millimeter", 1},
                                                                  {"millimeters", 1},
                                                                  {"millimetre", 1},
                                                                  {"cm", 10},
                                                                  {"m", 1000},
                                                                  {"meter", 1000},
                                                                  {"um", 1e-3},
                                                                  {"\xc2\xb5m", 1e-3},
                                                                  {"\xce\xbcm", 1e-3},
                                                                  {"micron", 1e-3},
                                                                  {"microns", 1e-3},
                                                                  {"micrometer", 1e-3},
                                                                  {"nm", 1e-6},
                                                                  {"???", 1}};
  const auto* found = std::find_if(std::begin(units), std::end(units), [&](const auto& u) { return u.first == unit; });
  if (found == std::end(units)) {
    info.warnings.push_back("the unit of space \"" + printable(unit) + "\" is unknown; taken as millimetres");
    return 1;
  }
  if (found->second != 1) info.warnings.push_back("the space is in " + printable(unit) + "; scaled to millimetres");
  return found->second;
}

double secondsPer(std::string_view unit) {
  if (unit == "s" || unit == "sec" || unit == "second" || unit == "seconds") return 1;
  if (unit == "ms" || unit == "msec" || unit == "millisecond" || unit == "milliseconds") return 1e-3;
  return 0;
}

std::string unitOfSpace(const NrrdHeader& header, std::size_t axis) {
  const std::string* field = header.field("spaceunits");
  const auto units = field != nullptr ? nrrdPieces(*field) : std::vector<std::string>{};
  return axis < units.size() ? units[axis] : "";
}

Vec3 threeOf(const std::vector<double>& numbers) {
  Vec3 out{};
  for (std::size_t i = 0; i < std::min<std::size_t>(3, numbers.size()); ++i) out[i] = numbers[i];
  return out;
}

/// A unit vector at right angles to `a` (and to `b` if that is not zero), right-handed.
Vec3 orthogonal(const Vec3& a, const Vec3& b) {
  if (length(b) > 0) return normalised(cross(a, b));
  const Vec3 other = std::abs(a[0]) < 0.9 * length(a) ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
  return normalised(cross(a, cross(other, a)));
}

/// Axes that the file does not have get unit length, so that a slice is 1 mm thick.
void completeColumns(std::array<Vec3, 3>& columns) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (length(columns[i]) > 0) continue;
    const Vec3& next = columns[(i + 1) % 3];
    const Vec3& last = columns[(i + 2) % 3];
    if (length(next) == 0 && length(last) == 0)
      columns[i] = {i == 0 ? 1.0 : 0, i == 1 ? 1.0 : 0, i == 2 ? 1.0 : 0};
    else if (length(next) == 0)
      columns[i] = orthogonal(last, {});
    else
      columns[i] = orthogonal(next, last);
  }
}

bool isOriented(const NrrdHeader& header, const NrrdLayout& layout) {
  const auto directed = [](const NrrdAxis& axis) { return axis.direction.has_value() && axis.role <= NrrdRole::z; };
  return (header.field("space") != nullptr || header.field("spacedimension") != nullptr) &&
         std::any_of(layout.axes.begin(), layout.axes.end(), directed);
}

void warnOfSpace(const NrrdHeader& header, ImageInfo& info) {
  const std::string space = spaceName(header);
  if (space == "scanner-xyz") {
    info.warnings.emplace_back("the space is the scanner's; left and right are right for a patient head first, supine");
  } else if (!nrrdSpace(header).anatomical) {
    info.warnings.emplace_back("the header does not say where left is; taken as LPS, as ITK does");
  }
}

Vec3 originOf(const NrrdHeader& header, ImageInfo& info) {
  const std::string* field = header.field("spaceorigin");
  const auto origin = field != nullptr ? nrrdVector(*field) : std::nullopt;
  if (!origin) info.warnings.emplace_back("the header has no space origin; taken as 0");
  return origin ? threeOf(*origin) : Vec3{};
}

void placeByDirections(const NrrdHeader& header, NrrdLayout& layout) {
  ImageInfo& info = layout.image.info;
  std::array<Vec3, 3> columns{};
  for (const NrrdAxis& axis : layout.axes) {
    if (axis.role <= NrrdRole::z && axis.direction)
      columns[static_cast<std::size_t>(axis.role)] = threeOf(*axis.direction);
    if (axis.role == NrrdRole::time && axis.direction && axis.direction->size() == 4) {
      info.timeStepSeconds = std::abs((*axis.direction)[3]) * secondsPer(unitOfSpace(header, 3));
    }
  }
  completeColumns(columns);
  warnOfSpace(header, info);
  const Vec3 origin = originOf(header, info);
  const double scale = millimetresPer(unitOfSpace(header, 0), info);
  const Vec3 signs = nrrdSpace(header).signs;
  for (int row = 0; row < 3; ++row) {
    const auto r = static_cast<std::size_t>(row);
    for (int c = 0; c < 3; ++c)
      info.worldFromVoxel(row, c) = signs[r] * scale * columns[static_cast<std::size_t>(c)][r];
    info.worldFromVoxel(row, 3) = signs[r] * scale * origin[r];
  }
  info.affineSource = "space directions";
}

/// Spacing and centre of the first sample along an axis, as nrrdAxisInfoSpacing and nrrdOriginCalculate see them.
std::pair<double, double> spacingAndStart(const NrrdAxis& axis) {
  const bool node = axis.centering == "node";
  double spacing = axis.spacing.value_or(0);
  if (spacing == 0 && axis.min && axis.max) {
    const auto steps = static_cast<double>(node ? axis.size - 1 : axis.size);
    if (steps > 0) spacing = (*axis.max - *axis.min) / steps;
  }
  if (spacing == 0) spacing = 1;
  const double start = axis.min ? *axis.min + (node ? 0 : spacing / 2) : 0;
  return {spacing, start};
}

void placeBySpacings(NrrdLayout& layout) {
  ImageInfo& info = layout.image.info;
  info.worldFromVoxel(0, 0) = info.worldFromVoxel(1, 1) = -1;
  for (const NrrdAxis& axis : layout.axes) {
    if (axis.role > NrrdRole::z) continue;
    const int column = static_cast<int>(axis.role);
    const auto [spacing, start] = spacingAndStart(axis);
    const double scale = millimetresPer(axis.unit, info) * (column < 2 ? -1 : 1);
    info.worldFromVoxel(column, column) = spacing * scale;
    info.worldFromVoxel(column, 3) = start * scale;
  }
  info.affineSource = "spacings";
  info.warnings.emplace_back("no orientation in the header: left and right are a guess (LPS, as ITK does)");
}

}  // namespace

NrrdSpace nrrdSpace(const NrrdHeader& header) {
  const std::string space = spaceName(header);
  if (space == "right-anterior-superior" || space == "ras") return {{1, 1, 1}, true};
  if (space == "left-anterior-superior" || space == "las") return {{-1, 1, 1}, true};
  if (space == "left-posterior-superior" || space == "lps" || space == "scanner-xyz") return {};
  return {{-1, -1, 1}, false};
}

Result<void> placeNrrd(const NrrdHeader& header, const std::string& name, NrrdLayout& layout) {
  ImageInfo& info = layout.image.info;
  for (const NrrdAxis& axis : layout.axes) {
    if (axis.role > NrrdRole::z || axis.wrongDirection.empty()) continue;
    return fail(ErrorCode::invalidInput,
                "\"space directions\" of the header has \"" + printable(axis.wrongDirection) +
                    "\" for an axis of space, which is no direction: the image has no place",
                name);
  }
  if (isOriented(header, layout)) {
    placeByDirections(header, layout);
  } else {
    placeBySpacings(layout);
  }
  for (const NrrdAxis& axis : layout.axes) {
    if (axis.role == NrrdRole::time && axis.spacing && info.timeStepSeconds == 0 && axis.kind != "list") {
      info.timeStepSeconds = std::abs(*axis.spacing) * secondsPer(axis.unit);
    }
  }
  if (info.timePoints == 1) info.timeStepSeconds = 0;
  if (!inverse(info.worldFromVoxel)) {
    return fail(ErrorCode::invalidInput, "the space directions of the header span no volume: the image has no place",
                name);
  }
  return {};
}

}  // namespace nora
