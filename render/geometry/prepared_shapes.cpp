#include "render/geometry/prepared_shapes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

namespace nora {

PreparedShape::PreparedShape(const std::shared_ptr<const Content>& shape) : shape_(shape) {
  if (const auto* surface = std::get_if<Surface>(shape.get())) makeNormals(*surface);
  if (const auto* tracts = std::get_if<Tractogram>(shape.get())) measureLines(*tracts);
}

void PreparedShape::makeNormals(const Surface& surface) {
  const auto points = surface.points();
  const auto triangles = surface.triangles();
  normals_.assign(points.size(), 0);
  for (std::size_t t = 0; t + 2 < triangles.size(); t += 3) {
    const float* a = &points[std::size_t{triangles[t]} * 3];
    const float* b = &points[std::size_t{triangles[t + 1]} * 3];
    const float* c = &points[std::size_t{triangles[t + 2]} * 3];
    const std::array<float, 3> u{b[0] - a[0], b[1] - a[1], b[2] - a[2]};
    const std::array<float, 3> v{c[0] - a[0], c[1] - a[1], c[2] - a[2]};
    const std::array<float, 3> n{u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
    if (!std::isfinite(n[0] + n[1] + n[2])) continue;
    for (std::size_t corner = 0; corner < 3; ++corner) {
      for (std::size_t axis = 0; axis < 3; ++axis) normals_[std::size_t{triangles[t + corner]} * 3 + axis] += n[axis];
    }
  }
}

void PreparedShape::measureLines(const Tractogram& tracts) {
  constexpr std::uint32_t seed = 20091;  // any: the same picture every time
  const auto points = tracts.positions();
  const auto offsets = tracts.offsets();
  const std::size_t lines = offsets.empty() ? 0 : offsets.size() - 1;
  lengths_.assign(lines, 0);
  constexpr float far = std::numeric_limits<float>::max();
  boxes_.assign(lines, {far, far, far, -far, -far, -far});
  constexpr std::size_t together = 256;
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, lines, together), [&](const auto& range) {
    for (std::size_t l = range.begin(); l < range.end(); ++l) {
      double sum = 0;
      for (std::uint64_t p = offsets[l]; p < offsets[l + 1]; ++p) {
        const float* at = &points[p * 3];
        for (std::size_t a = 0; a < 3; ++a) {
          boxes_[l][a] = std::min(boxes_[l][a], at[a]);
          boxes_[l][a + 3] = std::max(boxes_[l][a + 3], at[a]);
        }
        if (p == offsets[l]) continue;
        const float x = at[0] - at[-3], y = at[1] - at[-2], z = at[2] - at[-1];
        sum += std::sqrt(static_cast<double>(x * x + y * y + z * z));
      }
      lengths_[l] = static_cast<float>(sum);
    }
  });
  shuffled_.resize(lines);
  std::iota(shuffled_.begin(), shuffled_.end(), 0U);
  std::mt19937 random(seed);
  for (std::size_t i = lines; i > 1; --i) {
    std::swap(shuffled_[i - 1], shuffled_[static_cast<std::size_t>(random()) % i]);
  }
}

const std::vector<std::uint32_t>& PreparedShape::chosen(const StreamlineChoice& choice) {
  if (choice_ == choice) return chosen_;
  choice_ = choice;
  chosen_.clear();
  const auto shape = shape_.lock();
  const auto* tracts = shape ? std::get_if<Tractogram>(shape.get()) : nullptr;
  if (!tracts) return chosen_;
  std::vector<bool> inGroup;
  if (!choice.groups.empty()) {
    inGroup.assign(lengths_.size(), false);
    for (const auto& group : tracts->info().groups) {
      if (std::find(choice.groups.begin(), choice.groups.end(), group.name) == choice.groups.end()) continue;
      for (const std::uint32_t line : tracts->arrays().as<std::uint32_t>(group.array)) inGroup[line] = true;
    }
  }
  std::int64_t passed = 0;
  for (const std::uint32_t line : shuffled_) {
    if (!inGroup.empty() && !inGroup[line]) continue;
    const double length = lengths_[line];
    if (length < choice.minLengthMm || (choice.maxLengthMm > 0 && length > choice.maxLengthMm)) continue;
    if (passed++ % choice.every == 0) chosen_.push_back(line);
  }
  return chosen_;
}

void PreparedShape::makeGroups() {
  if (groupColours_) return;
  std::vector<Label> labels;
  groupOfLine_.assign(lengths_.size(), 0);
  const auto shape = shape_.lock();
  if (const auto* tracts = shape ? std::get_if<Tractogram>(shape.get()) : nullptr) {
    std::int32_t number = 0;
    for (const auto& group : tracts->info().groups) {
      ++number;
      for (const std::uint32_t line : tracts->arrays().as<std::uint32_t>(group.array)) groupOfLine_[line] = number;
      Label label{number, group.name, colourOfLabel(number), true};
      if (group.rgb) label.rgba = {(*group.rgb)[0], (*group.rgb)[1], (*group.rgb)[2], 255};
      labels.push_back(std::move(label));
    }
  }
  groupColours_ = std::make_unique<LabelColours>(LabelTable(std::move(labels)));
}

const std::vector<std::int32_t>& PreparedShape::groupOfLine() {
  makeGroups();
  return groupOfLine_;
}

const LabelColours& PreparedShape::groupColours() {
  makeGroups();
  return *groupColours_;
}

const PreparedValues& PreparedShape::values(const Layer& layer, const AttachedData& data, const ArrayBlock& arrays,
                                            std::size_t count) {
  constexpr std::size_t mostKept = 16;
  const std::int64_t component = shownComponent(layer, data);
  for (const PreparedValues& known : values_) {
    if (known.array == data.array && known.component == component && known.count == count &&
        known.symmetric == layer.symmetric)
      return known;
  }
  PreparedValues out;
  out.array = data.array;
  out.component = component;
  out.count = count;
  out.symmetric = layer.symmetric;
  Layer plain = layer;
  plain.windowLow.reset();
  plain.windowHigh.reset();
  if (data.role == DataRole::scalar) out.automatic = effectiveWindow(plain, data, arrays);
  if (data.role == DataRole::label && data.labels) out.colours = std::make_unique<LabelColours>(*data.labels);
  const auto held = static_cast<std::size_t>(arrays.arrays()[data.array].count);
  if (held < count) {
    const float none = data.role == DataRole::label ? 0 : std::numeric_limits<float>::quiet_NaN();
    out.padded.assign(count, none);
    for (std::size_t i = 0; i < held; ++i) {
      out.padded[i] = static_cast<float>(arrays.value(data.array, static_cast<std::int64_t>(i), component));
    }
  }
  if (values_.size() >= mostKept) values_.pop_back();
  values_.push_front(std::move(out));
  return values_.front();
}

PreparedShape& PreparedShapes::get(const std::shared_ptr<const Content>& shape) {
  std::erase_if(shapes_, [](const PreparedShape& known) { return known.expired(); });
  for (PreparedShape& known : shapes_) {
    if (known.isFor(shape)) return known;
  }
  return shapes_.emplace_front(shape);
}

}  // namespace nora
