#include "render/scene/colour_map.hpp"

#include "image/label_palette.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace nora {
namespace {

/// Evenly spaced control points, 0xRRGGBB; linear between them.
struct NamedMap {
  std::string_view name;
  std::vector<std::uint32_t> points;
};

/// "jet" is made of clipped slopes, not of even points.
constexpr std::string_view jetName = "jet";
constexpr std::string_view labelsName = "labels";

// The perceptual maps are sampled at every 16th of their published tables; at most 11 of 255 levels off between.
const std::vector<NamedMap>& namedMaps() {
  static const std::vector<NamedMap> maps{
      {"gray", {0x000000, 0xffffff}},
      {"inverse", {0xffffff, 0x000000}},
      {"hot", {0x000000, 0xff0000, 0xffff00, 0xffffff}},
      {"cold", {0x000000, 0x0000ff, 0x00ffff, 0xffffff}},
      {jetName, {}},
      {"viridis",
       {0x440154, 0x48186a, 0x472d7b, 0x424086, 0x3b528b, 0x33638d, 0x2c728e, 0x26818e, 0x21908c, 0x1f9f88, 0x28ae80,
        0x3ebc74, 0x5dc963, 0x82d34c, 0xabdc32, 0xd5e21a, 0xfde725}},
      {"plasma",
       {0x0d0887, 0x310596, 0x4c02a1, 0x6600a7, 0x7e03a8, 0x9511a2, 0xa92396, 0xbb3587, 0xcb4778, 0xd9596a, 0xe66c5c,
        0xf07f4f, 0xf89441, 0xfdab33, 0xfdc328, 0xf9dd25, 0xf0f921}},
      {"inferno",
       {0x000004, 0x0b0724, 0x210c4a, 0x3c0965, 0x57106d, 0x70196e, 0x89226a, 0xa32b61, 0xbb3755, 0xd14644, 0xe35932,
        0xf1711e, 0xf98d0a, 0xfcab0f, 0xf9ca32, 0xf2e865, 0xfcffa4}},
      {"magma",
       {0x000004, 0x0a0822, 0x1d1146, 0x36106a, 0x50127c, 0x691c81, 0x822681, 0x9c2e7f, 0xb63779, 0xcf4170, 0xe65163,
        0xf5695c, 0xfb8761, 0xfea571, 0xfec387, 0xfde0a2, 0xfcfdbf}},
      {"cividis",
       {0x00224e, 0x002e6a, 0x1a386f, 0x32436d, 0x434e6c, 0x52596d, 0x61656f, 0x6f7073, 0x7c7b78, 0x8b8778, 0x9b9376,
        0xaba072, 0xbbad6c, 0xccba64, 0xddc958, 0xefd748, 0xfee838}},
      {"redblue", {0x08306b, 0x3a87c0, 0xf7f7f7, 0xd6604d, 0x67001f}},
      {"red", {0x000000, 0xff0000}},
      {"green", {0x000000, 0x00ff00}},
      {"blue", {0x000000, 0x0000ff}},
      {"yellow", {0x000000, 0xffff00}},
      {"cyan", {0x000000, 0x00ffff}},
      {"magenta", {0x000000, 0xff00ff}},
  };
  return maps;
}

std::uint8_t toByte(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

std::uint8_t channelOf(std::uint32_t colour, unsigned channel) {
  return static_cast<std::uint8_t>(colour >> (16 - 8 * channel));
}

ColourMap interpolated(const std::vector<std::uint32_t>& points) {
  ColourMap map{};
  for (std::size_t i = 0; i < map.size(); ++i) {
    const double position = static_cast<double>(i) * static_cast<double>(points.size() - 1) / 255.0;
    const auto low = std::min(static_cast<std::size_t>(position), points.size() - 2);
    const double w = position - static_cast<double>(low);
    for (unsigned c = 0; c < 3; ++c) {
      map[i][c] = toByte(channelOf(points[low], c) * (1 - w) + channelOf(points[low + 1], c) * w);
    }
  }
  return map;
}

ColourMap jet() {
  ColourMap map{};
  for (std::size_t i = 0; i < map.size(); ++i) {
    const double x = 4 * static_cast<double>(i) / 255.0;
    for (std::size_t c = 0; c < 3; ++c) {
      map[i][c] = toByte(255 * (1.5 - std::abs(x - (3 - static_cast<double>(c)))));
    }
  }
  return map;
}

struct BuiltMap {
  std::string_view name;
  ColourMap colours;
};

const std::vector<BuiltMap>& builtMaps() {
  static const std::vector<BuiltMap> maps = [] {
    std::vector<BuiltMap> out;
    for (const auto& map : namedMaps())
      out.push_back({map.name, map.name == jetName ? jet() : interpolated(map.points)});
    return out;
  }();
  return maps;
}

}  // namespace

std::span<const std::string_view> colourMapNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    for (const auto& map : namedMaps()) out.push_back(map.name);
    out.push_back(labelsName);
    return out;
  }();
  return names;
}

const ColourMap* findColourMap(std::string_view name) {
  for (const auto& map : builtMaps()) {
    if (map.name == name) return &map.colours;
  }
  return nullptr;
}

Colour labelColour(std::int64_t label) {
  if (label == 0) return {0, 0, 0};
  return labelPalette()[labelPaletteIndex(label)];
}

}  // namespace nora
