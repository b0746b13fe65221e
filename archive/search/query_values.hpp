// The values of the search language: numbers, sizes, dates, axes. Text in, checked value out; used by the parser alone.
#pragma once

#include "archive/search/query.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace nora {

/// A decimal number as JSON and people write it: sign, digits, point, exponent. Nothing for "inf", "0x10", "1e999", "".
[[nodiscard]] std::optional<double> parseNumber(std::string_view text);

/// Bytes: "12345", "10k", "1.5M", "2Gi", with or without a B behind; k, M, G, T are powers of 1000, Ki ... of 1024.
[[nodiscard]] std::optional<double> parseSize(std::string_view text);

/// "2024", "2024-03", "2024-03-01"; only days that the calendar has, years 1 to 9999.
[[nodiscard]] std::optional<SearchDate> parseDate(std::string_view text);

/// "256x256x*", two to four axes.
[[nodiscard]] std::optional<AxisPattern> parseAxes(std::string_view text);

/// The shortest text that parses back to the same number.
[[nodiscard]] std::string numberText(double number);
[[nodiscard]] std::string dateText(const SearchDate& date);

/// First and last day meant, as yyyy-mm-dd: 2024-02 is 2024-02-01 to 2024-02-29.
[[nodiscard]] std::string firstDay(const SearchDate& date);
[[nodiscard]] std::string lastDay(const SearchDate& date);
/// The first day that is no more meant; after 9999-12-31 comes a text that sorts behind it.
[[nodiscard]] std::string dayAfter(const SearchDate& date);

/// Microseconds since 1970 UTC at which the date begins, and at which the next day, month or year begins.
[[nodiscard]] std::int64_t firstMicrosecond(const SearchDate& date);
[[nodiscard]] std::int64_t microsecondAfter(const SearchDate& date);

}  // namespace nora
