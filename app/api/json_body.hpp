// Reads what requests say: fields of a JSON body, parts of a path, values of a query. Each error names its field.
#pragma once

#include "app/api/route.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// A whole number from 1. Errors: notFound (no id has another form).
[[nodiscard]] Result<std::int64_t> idFrom(const std::string& text, std::string_view what);

/// Fields of a JSON object; the first thing that is wrong is kept, later calls give empty values.
class JsonBody {
 public:
  explicit JsonBody(const nlohmann::json& body);

  [[nodiscard]] std::string text(const char* name, std::size_t most = 1000);  // must be there
  [[nodiscard]] std::optional<std::string> textIfThere(const char* name, std::size_t most = 1000);
  [[nodiscard]] std::optional<bool> flag(const char* name);
  [[nodiscard]] std::optional<std::int64_t> id(const char* name);  // null is none
  [[nodiscard]] std::vector<std::int64_t> ids(const char* name, std::size_t most);
  [[nodiscard]] std::vector<std::string> texts(const char* name, std::size_t most = 1000);
  [[nodiscard]] std::optional<Rights> rights(const char* name);
  [[nodiscard]] std::optional<std::int64_t> timeUs(const char* name);  // ISO 8601, UTC
  [[nodiscard]] bool has(const char* name) const { return body_.contains(name); }
  void wrong(const char* name, std::string what);

  /// All fields were asked for and right. Errors: invalidInput (names the field).
  [[nodiscard]] Result<void> done() const;

 private:
  [[nodiscard]] const nlohmann::json* find(const char* name);

  nlohmann::json body_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

/// "2026-03-01T12:00:00Z" of microseconds since 1970; null of 0.
[[nodiscard]] nlohmann::json jsonTime(std::int64_t us);
/// The other way; a day alone is its first moment. Errors: nothing.
[[nodiscard]] std::optional<std::int64_t> fromIsoTime(std::string_view text);

/// ["read", "annotate"].
[[nodiscard]] nlohmann::json toJson(Rights rights);

/// The value of the query, empty if it is not there.
[[nodiscard]] std::string queryText(const HttpRequest& request, const std::string& name);
/// A whole number of the query. Errors: invalidInput (names it and the range).
[[nodiscard]] Result<std::int64_t> queryNumber(const HttpRequest& request, const std::string& name,
                                               std::int64_t otherwise, std::int64_t low, std::int64_t high);

/// A field of CSV (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it.
[[nodiscard]] std::string csvField(const std::string& text);

/// {"items": [...], "next": KEY or null}
[[nodiscard]] nlohmann::json listJson(nlohmann::json items, nlohmann::json next = nullptr);

}  // namespace nora
