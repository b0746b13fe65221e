// What goes into SQL and what comes back, whichever database it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nora {

enum class SqlDialect : std::uint8_t { sqlite, mysql };

/// NULL, whole number, double, or UTF-8 text.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

/// One row of an answer, its columns in the order in which they were asked for.
class SqlRow {
 public:
  explicit SqlRow(std::vector<SqlValue> values) : values_(std::move(values)) {}

  [[nodiscard]] const SqlValue& operator[](std::size_t column) const { return values_.at(column); }
  [[nodiscard]] bool isNull(std::size_t column) const { return values_.at(column).index() == 0; }
  /// 0 of NULL; what is of another kind is converted if that loses nothing, else it is 0 or empty.
  [[nodiscard]] std::int64_t integer(std::size_t column) const;
  [[nodiscard]] double real(std::size_t column) const;
  [[nodiscard]] std::string text(std::size_t column) const;

 private:
  std::vector<SqlValue> values_;
};

using SqlRows = std::vector<SqlRow>;

}  // namespace nora
