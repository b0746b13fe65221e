#include "image/io/minc_layout.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace nora {
namespace {

constexpr std::array<std::string_view, 3> spaces{"xspace", "yspace", "zspace"};

/// Which axis of nora each dimension of the file becomes; nothing for one of length 1 that is not known.
using AxisOf = std::vector<std::optional<std::size_t>>;

constexpr std::size_t timeAxis = 3;
constexpr std::size_t componentAxis = 4;

Result<AxisOf> mapAxes(const MincVariable& image, const std::string& name) {
  AxisOf axes(image.dimensions.size());
  std::size_t space = 0;
  std::array<bool, 5> taken{};
  for (std::size_t d = axes.size(); d-- > 0;) {  // fastest first
    const std::string& dimension = image.dimensions[d];
    std::optional<std::size_t> axis;
    if (std::find(spaces.begin(), spaces.end(), dimension) != spaces.end() && space < 3) axis = space++;
    if (dimension == "time") axis = timeAxis;
    if (dimension == "vector_dimension") axis = componentAxis;
    if (!axis && image.shape[d] > 1) {
      return fail(ErrorCode::unsupported, "it has a dimension " + printable(dimension) + ", which nora does not show",
                  name);
    }
    if (axis && std::exchange(taken[*axis], true)) {
      return fail(ErrorCode::invalidInput, "the dimension " + printable(dimension) + " is there twice", name);
    }
    axes[d] = axis;
  }
  for (const std::string_view s : spaces) {
    if (std::count(image.dimensions.begin(), image.dimensions.end(), s) > 1) {
      return fail(ErrorCode::invalidInput, "the dimension " + std::string(s) + " is there twice", name);
    }
  }
  if (space == 0) return fail(ErrorCode::unsupported, "it has no spatial dimensions", name);
  return axes;
}

double firstOf(const MincVariable* variable, std::string_view attribute, double otherwise) {
  if (variable == nullptr) return otherwise;
  const auto& numbers = variable->number(attribute);
  return numbers.empty() || !std::isfinite(numbers[0]) ? otherwise : numbers[0];
}

struct Space {
  Vec3 cosines{};
  double start = 0, step = 1;
};

Space spaceOf(const MincFile& file, std::size_t which, ImageInfo& info) {
  const MincVariable* variable = file.variable(spaces[which]);
  Space out;
  out.cosines[which] = 1;
  out.start = firstOf(variable, "start", 0);
  out.step = firstOf(variable, "step", 1);
  if (variable == nullptr || variable->number("step").empty()) {
    info.warnings.push_back("no step along " + std::string(spaces[which]) + "; taken as 1 mm");
  } else if (out.step == 0) {
    out.step = 1;
    info.warnings.push_back("the step along " + std::string(spaces[which]) + " is 0; taken as 1 mm");
  }
  if (variable == nullptr) return out;
  const auto& cosines = variable->number("direction_cosines");
  const auto finite = [](double v) { return std::isfinite(v); };
  if (cosines.size() != 3 || !std::all_of(cosines.begin(), cosines.end(), finite)) return out;
  const Vec3 direction{cosines[0], cosines[1], cosines[2]};
  if (length(direction) > 0) out.cosines = direction;
  return out;
}

Result<void> checkRegular(const MincFile& file, const std::string& name) {
  for (const std::string_view s : spaces) {
    const MincVariable* variable = file.variable(s);
    if (variable == nullptr || !variable->text("spacing").starts_with("irregular")) continue;
    return fail(ErrorCode::unsupported, "its slices are spaced irregularly along " + std::string(s), name);
  }
  return {};
}

Result<void> place(const MincFile& file, const MincVariable& image, const AxisOf& axes, const std::string& name,
                   ImageInfo& info) {
  const auto regular = checkRegular(file, name);
  if (!regular) return regular;
  // A dimension that the image lacks has one voxel; its variable may still tell where.
  std::array<bool, 3> used{};
  std::array<std::size_t, 3> which{};
  std::size_t next = 0;
  for (std::size_t d = 0; d < axes.size(); ++d) {
    if (!axes[d] || *axes[d] > 2) continue;
    const auto s =
        static_cast<std::size_t>(std::find(spaces.begin(), spaces.end(), image.dimensions[d]) - spaces.begin());
    which[*axes[d]] = s;
    used[s] = true;
    ++next;
  }
  for (std::size_t s = 0; s < 3; ++s) {
    if (!used[s]) which[next++] = s;
  }
  Vec3 origin{};
  for (std::size_t a = 0; a < 3; ++a) {
    const Space space = spaceOf(file, which[a], info);
    info.worldFromVoxel.setColumn(static_cast<int>(a), space.cosines * space.step);
    origin = origin + space.cosines * space.start;
  }
  info.worldFromVoxel.setColumn(3, origin);
  info.affineSource = "start, step and direction cosines";
  if (inverse(info.worldFromVoxel)) return {};
  return fail(ErrorCode::invalidInput, "its direction cosines lie in a plane: the image has no place", name);
}

std::pair<double, double> rangeOfType(VoxelType type) {
  return visitScalar(type, [](auto zero) {
    using T = decltype(zero);
    return std::pair{static_cast<double>(std::numeric_limits<T>::lowest()),
                     static_cast<double>(std::numeric_limits<T>::max())};
  });
}

/// valid_range, or valid_min and valid_max, or all that the type can hold.
std::pair<double, double> validRange(const MincVariable& image, ImageInfo& info) {
  const auto whole = rangeOfType(image.stored.number);
  std::pair<double, double> range = whole;
  const auto& both = image.number("valid_range");
  if (both.size() >= 2) {
    range = std::minmax(both[0], both[1]);
  } else {
    range = {firstOf(&image, "valid_min", whole.first), firstOf(&image, "valid_max", whole.second)};
  }
  if (range.first >= whole.first && range.second <= whole.second && range.first < range.second) return range;
  info.warnings.emplace_back("valid_range makes no sense for the voxel type; the range of the type is used");
  return whole;
}

VoxelScale scaleFor(double low, double high, const std::pair<double, double>& valid) {
  const double slope = (high - low) / (valid.second - valid.first);
  return {slope, low - valid.first * slope};
}

/// The dimensions of image-min and image-max as strides of their values; empty if they do not fit the image.
std::optional<Axes> scaleStrides(const MincVariable& image, const MincVariable& scale, const AxisOf& axes) {
  Axes strides{};
  std::int64_t step = 1;
  for (std::size_t d = scale.dimensions.size(); d-- > 0;) {
    const auto at = std::find(image.dimensions.begin(), image.dimensions.end(), scale.dimensions[d]);
    if (at == image.dimensions.end()) return std::nullopt;
    const auto in = static_cast<std::size_t>(at - image.dimensions.begin());
    if (image.shape[in] != scale.shape[d]) return std::nullopt;
    if (axes[in]) strides[*axes[in]] = step;
    step *= scale.shape[d];
    if (step > maxMincScales) return std::nullopt;
  }
  if (static_cast<std::int64_t>(scale.values.size()) != step) return std::nullopt;
  return strides;
}

Result<void> setScales(const MincFile& file, const MincVariable& image, const AxisOf& axes, const std::string& name,
                       StridedImage& out) {
  const auto valid = validRange(image, out.info);
  if (valid != rangeOfType(image.stored.number)) out.scales.clamp = valid;
  const MincVariable* low = file.variable("image-min");
  const MincVariable* high = file.variable("image-max");
  if (low == nullptr || high == nullptr || low->values.empty() || high->values.empty()) {
    out.info.warnings.emplace_back("no image-min and image-max: the stored values are shown");
    return {};
  }
  const auto strides = scaleStrides(image, *low, axes);
  const auto others = scaleStrides(image, *high, axes);
  if (!strides || !others || *strides != *others || (*strides)[0] != 0) {
    return fail(ErrorCode::invalidInput, "image-min and image-max do not have dimensions of the image's slices", name);
  }
  std::vector<VoxelScale> table;
  for (std::size_t i = 0; i < low->values.size(); ++i) {
    table.push_back(scaleFor(low->values[i], high->values[i], valid));
    if (!std::isfinite(table.back().slope) || !std::isfinite(table.back().inter)) {
      return fail(ErrorCode::invalidInput, "image-min or image-max is no number", name);
    }
  }
  const bool same = std::all_of(table.begin(), table.end(), [&](const VoxelScale& s) { return s == table[0]; });
  if (same && table[0].slope != 0) {
    out.info.slope = table[0].slope;
    out.info.inter = table[0].inter;
  } else {
    out.scales.table = std::move(table);
    out.scales.strides = *strides;
  }
  return {};
}

/// True if the voxels are colours; then the components are one voxel.
bool makeColour(StridedImage& image) {
  const bool isColour =
      image.info.components == 3 && image.stored.number == VoxelType::uint8 && image.order.strides[componentAxis] == 1;
  if (!isColour) return false;
  image.info.components = 1;
  image.order.strides[componentAxis] = 0;
  image.stored.number = VoxelType::rgb24;
  return true;
}

void setTexts(const MincFile& file, const MincVariable& image, ImageInfo& info) {
  info.format = file.version == 1 ? "MINC 1" : "MINC 2";
  const MincVariable* study = file.variable("study");
  const std::string_view modality = study == nullptr ? std::string_view{} : study->text("modality");
  if (modality.starts_with("MR")) info.modality = "MR";
  if (modality.starts_with("PET")) info.modality = "PT";
  if (modality.starts_with("CT")) info.modality = "CT";
  if (const MincVariable* acquisition = file.variable("acquisition")) {
    for (const auto& [key, value] : acquisition->texts) {
      const bool ours = key == "varid" || key == "vartype" || key == "version" || key == "parent";
      if (!ours && !value.empty()) info.fields.emplace_back(printable(key), printable(trimmed(value)));
    }
    for (const auto& [key, value] : acquisition->numbers) {
      if (value.size() == 1) info.fields.emplace_back(printable(key), std::to_string(value[0]));
    }
  }
  if (image.enumeration.empty()) return;
  std::vector<Label> labels;
  for (const auto& [value, label] : image.enumeration) labels.push_back({value, label, {}, false});
  info.labels = LabelTable(std::move(labels), "in the image");
  info.intent = "label";
}

void setTime(const MincFile& file, ImageInfo& info) {
  const MincVariable* time = file.variable("time");
  if (time == nullptr || info.timePoints < 2 || time->text("spacing").starts_with("irregular")) return;
  const double step = firstOf(time, "step", 0);
  if (step > 0) info.timeStepSeconds = time->text("units").starts_with("ms") ? step / 1000 : step;
}

}  // namespace

Result<StridedImage> describeMinc(const MincFile& file, const std::string& name) {
  const MincVariable* image = file.variable("image");
  if (image == nullptr) return fail(ErrorCode::invalidInput, "the MINC file has no variable \"image\"", name);
  const auto axes = mapAxes(*image, name);
  if (!axes) return tl::make_unexpected(axes.error());
  StridedImage out;
  out.stored = image->stored;
  out.order.first = file.voxels.first;
  Axes dims{1, 1, 1, 1, 1};
  for (std::size_t d = 0; d < axes->size(); ++d) {
    if (!(*axes)[d]) continue;
    dims[*(*axes)[d]] = image->shape[d];
    out.order.strides[*(*axes)[d]] = file.voxels.strides[d];
  }
  out.info.dims = {dims[0], dims[1], dims[2]};
  out.info.timePoints = dims[timeAxis];
  out.info.components = dims[componentAxis];
  if (const auto count = voxelCount(out.info, name); !count) return tl::make_unexpected(count.error());
  auto done = place(file, *image, *axes, name, out.info);
  setTexts(file, *image, out.info);
  setTime(file, out.info);
  const bool isLabel = file.variable("image")->text("class").starts_with("label") || out.info.labels;
  if (isLabel) out.info.intent = "label";
  if (done && !makeColour(out) && !isFloat(out.stored.number) && !isLabel) {
    done = setScales(file, *image, *axes, name, out);
  }
  if (done) done = out.finish(name);
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

}  // namespace nora
