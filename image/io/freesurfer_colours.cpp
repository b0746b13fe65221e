#include "image/io/freesurfer_colours.hpp"

#include <algorithm>
#include <string>

namespace nora {
namespace {

constexpr std::size_t smallestEntry = 20;  // bytes: length of the name and four numbers

std::optional<std::string_view> textOf(ByteReader& in) {
  const auto size = in.number<std::int32_t>();
  if (size < 0 || static_cast<std::size_t>(size) > in.left()) return std::nullopt;
  return in.text(static_cast<std::size_t>(size));
}

bool readEntry(ByteReader& in, std::int32_t value, std::vector<Label>& labels) {
  const auto name = textOf(in);
  if (!name) return false;
  Label label{value, std::string(*name)};
  for (std::uint8_t& channel : label.rgba) {
    channel = static_cast<std::uint8_t>(std::clamp(in.number<std::int32_t>(), 0, 255));
  }
  label.rgba[3] = static_cast<std::uint8_t>(255 - label.rgba[3]);
  labels.push_back(std::move(label));
  return in.good();
}

}  // namespace

std::optional<std::vector<Label>> readFreeSurferColours(ByteReader& in) {
  const auto version = in.number<std::int32_t>();
  std::int32_t count = version;
  constexpr std::int32_t secondVersion = -2;
  const bool numbered = version == secondVersion;
  if (!numbered && version <= 0) return std::nullopt;
  if (numbered) in.skip(sizeof(std::int32_t));  // the largest value
  if (!textOf(in)) return std::nullopt;         // the file it was read from
  if (numbered) count = in.number<std::int32_t>();
  if (!in.good() || count < 0 || static_cast<std::size_t>(count) > in.left() / smallestEntry) return std::nullopt;
  std::vector<Label> labels;
  for (std::int32_t i = 0; i < count; ++i) {
    const std::int32_t value = numbered ? in.number<std::int32_t>() : i;
    if (!readEntry(in, value, labels)) return std::nullopt;
  }
  return labels;
}

}  // namespace nora
