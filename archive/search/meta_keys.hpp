// The searchable values of a JSON metadata object, as rows of the table meta_key (schema/0002_search.sql).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// One value. A list gives one row per element, all of the same name.
struct MetaKey {
  std::string name;              // folded; the parts joined by dots: "scan.tr"
  int ordinal = 0;               // 0, 1, ... among the rows of the same name
  std::optional<double> number;  // of JSON numbers and of strings that are numbers
  std::string text;              // folded; numbers in their shortest form, true, false
  bool operator==(const MetaKey&) const = default;
};

/// What is beyond is not found by search; it stays in the JSON.
struct MetaKeyLimits {
  static constexpr std::size_t rows = 1000;  // of one object
  static constexpr int depth = 16;
  static constexpr std::size_t name = 190;  // characters; MySQL's keys are short
  static constexpr std::size_t text = 190;  // characters; longer texts are cut
};

/// A key or text as it stands in the rows: folded and cut.
[[nodiscard]] std::string metaKeyName(std::string_view key);
[[nodiscard]] std::string metaText(std::string_view text);

/// Rows in a stable order. null and empty lists and objects give none; text that is not a JSON object gives none.
/// Cost: the whole text is parsed once; 1 MB takes some 10 ms. Thread: any.
[[nodiscard]] std::vector<MetaKey> metaKeys(std::string_view json);

}  // namespace nora
