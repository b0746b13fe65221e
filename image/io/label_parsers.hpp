// The parsers behind parseLabelFile, one a kind of syntax. `text` is the file's, already UTF-8; an empty answer means
// that it is something else.
#pragma once

#include "image/io/label_files.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

struct LabelRows {
  std::string format;
  std::vector<Label> labels;
  bool certain = false;
};

using ParsedLabels = std::optional<Result<LabelRows>>;

[[nodiscard]] ParsedLabels parseBinaryLut(const InputFile& file);
/// Lines of words: FreeSurfer, Slicer, MRtrix, ITK-SNAP, FSLeyes, MRIcron, "value name".
[[nodiscard]] ParsedLabels parseLabelLines(std::string_view text, const std::string& name);
[[nodiscard]] ParsedLabels parseLabelColumns(std::string_view text, const std::string& name);
[[nodiscard]] ParsedLabels parseLabelJson(std::string_view text, const std::string& name);

/// "#rgb", "#rrggbb", "#rrggbbaa", "0xrrggbb" (also without a mark: six or eight hexadecimal digits).
[[nodiscard]] std::optional<std::array<std::uint8_t, 4>> colourFromHexText(std::string_view text);

}  // namespace nora
