// Takes fields out of a JSON object that comes from a reader process, and writes the ones that go back: every field has
// its type and range checked; text is valid UTF-8 of a bounded length.
#pragma once

#include "image/affine.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {

/// Remembers the first field that is wrong; the values read after that mean nothing.
class CheckedFields {
 public:
  static constexpr std::size_t maxTextBytes = 16384;
  static constexpr std::size_t maxEntries = 1000;  // warnings, fields, arrays of data

  static constexpr std::uint64_t maxCount = std::uint64_t{1} << 56;  // of anything that lies in memory

  explicit CheckedFields(const nlohmann::json& object) : object_(object) { check(object.is_object(), "kind"); }

  [[nodiscard]] bool good() const { return wrong_.empty(); }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  void check(bool good, const char* key) {
    if (!good && wrong_.empty()) wrong_ = key;
  }

  /// null if it is absent.
  const nlohmann::json& at(const char* key);
  double finite(const nlohmann::json& value, const char* key);
  double finite(const char* key) { return finite(at(key), key); }
  std::optional<double> optionalFinite(const char* key);
  std::int64_t positive(const nlohmann::json& value, const char* key);
  /// A whole number from 0 to `most`.
  std::uint64_t count(const char* key, std::uint64_t most = std::numeric_limits<std::uint64_t>::max());
  std::optional<std::uint64_t> optionalCount(const char* key);
  std::string text(const nlohmann::json& value, const char* key);
  std::string text(const char* key) { return text(at(key), key); }
  /// Absent: empty.
  std::string optionalText(const char* key);
  /// An array of at most `most` entries; empty if absent.
  const nlohmann::json& list(const char* key, std::size_t most = maxEntries);
  std::vector<std::string> texts(const char* key);
  std::vector<std::pair<std::string, std::string>> pairs(const char* key);
  Vec3 vector(const nlohmann::json& value, const char* key);
  /// Four rows of four numbers, last row 0 0 0 1, invertible.
  Affine affine(const char* key);

 private:
  const nlohmann::json& object_;
  std::string wrong_;
};

/// JSON has no NaN and no infinity: null.
[[nodiscard]] nlohmann::json jsonNumber(double value);
[[nodiscard]] nlohmann::json jsonNumber(const std::optional<double>& value);
/// Valid UTF-8 as it is; bytes that are not become U+FFFD. Longer text is cut to what CheckedFields takes.
[[nodiscard]] std::string jsonText(const std::string& text);
/// At most CheckedFields::maxEntries; the last says how many were left out.
[[nodiscard]] nlohmann::json jsonTexts(const std::vector<std::string>& texts);
[[nodiscard]] nlohmann::json jsonPairs(const std::vector<std::pair<std::string, std::string>>& pairs);
[[nodiscard]] nlohmann::json jsonAffine(const Affine& affine);

}  // namespace nora
