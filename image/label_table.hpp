// Names and colours of the values of a label map: from the image itself or from a look-up table beside it.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

struct Label {
  std::int64_t value = 0;
  std::string name;                              // UTF-8; may be empty
  std::array<std::uint8_t, 4> rgba{0, 0, 0, 0};  // alpha 255: opaque
  bool hasColour = true;                         // false: the table names the value only; rgba is made by its order

  friend bool operator==(const Label&, const Label&) = default;
};

/// Labels in ascending order of their values, each value once.
class LabelTable {
 public:
  static constexpr std::size_t maxLabels = 65536;
  static constexpr std::size_t maxNameBytes = 256;

  LabelTable() = default;
  /// Sorts; of two labels with one value the later stays. Names are cut to maxNameBytes (at a character), made valid
  /// UTF-8 and printable. Labels without a colour get one that depends on their value alone. Beyond maxLabels the rest
  /// is left out.
  explicit LabelTable(std::vector<Label> labels, std::string source = {});

  [[nodiscard]] const std::vector<Label>& labels() const { return labels_; }
  [[nodiscard]] bool empty() const { return labels_.empty(); }
  /// Where it came from: a file's name, "in the image", "FreeSurfer".
  [[nodiscard]] const std::string& source() const { return source_; }
  /// nullptr if the table has no such value. O(log n).
  [[nodiscard]] const Label* find(std::int64_t value) const;

  friend bool operator==(const LabelTable&, const LabelTable&) = default;

 private:
  std::vector<Label> labels_;
  std::string source_;
};

/// A colour for a label that has none: depends on the value alone, neighbours differ.
[[nodiscard]] std::array<std::uint8_t, 4> colourOfLabel(std::int64_t value);

/// {"source", "labels": [[value, name, "#rrggbbaa"], ...]}
[[nodiscard]] nlohmann::json toJson(const LabelTable& table);
/// The input comes from another process. Errors: invalidInput.
[[nodiscard]] Result<LabelTable> labelTableFromJson(const nlohmann::json& json);

}  // namespace nora
