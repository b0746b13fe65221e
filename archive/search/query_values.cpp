#include "archive/search/query_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace nora {
namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

/// The digits at text[at], moved over.
std::string_view digits(std::string_view text, std::size_t& at) {
  const std::size_t from = at;
  while (at < text.size() && isDigit(text[at])) ++at;
  return text.substr(from, at - from);
}

std::optional<int> fixedDigits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!isDigit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

std::chrono::sys_days dayOf(const SearchDate& date) {
  return std::chrono::year(date.year) / std::max(date.month, 1) / std::max(date.day, 1);
}

std::chrono::sys_days nextBegin(const SearchDate& date) {
  using namespace std::chrono;
  if (date.month == 0) return year(date.year + 1) / 1 / 1;
  if (date.day != 0) return dayOf(date) + days(1);
  return sys_days((year(date.year) / date.month + months(1)) / 1);
}

std::string isoDay(std::chrono::sys_days day) {
  const std::chrono::year_month_day parts(day);
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(parts.year()),
                                 static_cast<unsigned>(parts.month()), static_cast<unsigned>(parts.day()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::int64_t microseconds(std::chrono::sys_days day) {
  return std::chrono::duration_cast<std::chrono::microseconds>(day.time_since_epoch()).count();
}

}  // namespace

std::optional<double> parseNumber(std::string_view text) {
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const std::size_t unsignedAt = at;
  std::size_t found = digits(text, at).size();
  if (at < text.size() && text[at] == '.') found += digits(text, ++at).size();
  if (found == 0) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits(text, at).empty()) return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  if (text.front() == '+') text.remove_prefix(unsignedAt);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value == 0 ? 0.0 : value;  // minus nought is nought
}

std::optional<double> parseSize(std::string_view text) {
  if (text.ends_with('B') || text.ends_with('b')) text.remove_suffix(1);
  const bool binary = text.ends_with('i');
  if (binary) text.remove_suffix(1);
  constexpr std::string_view units = "kmgt";
  double factor = 1;
  if (!text.empty()) {
    const char lower = text.back() >= 'A' && text.back() <= 'Z' ? static_cast<char>(text.back() + 32) : text.back();
    const auto unit = units.find(lower);
    if (unit != std::string_view::npos) {
      factor = std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(unit + 1));
      text.remove_suffix(1);
    } else if (binary) {
      return std::nullopt;
    }
  }
  const auto number = parseNumber(text);
  constexpr double maxSize = 9e15;  // a double counts single bytes up to here
  if (!number || *number < 0 || *number * factor > maxSize) return std::nullopt;
  return std::round(*number * factor);
}

std::optional<SearchDate> parseDate(std::string_view text) {
  const auto year = fixedDigits(text, 0, 4);
  if (!year || *year == 0) return std::nullopt;
  SearchDate date{*year, 0, 0};
  if (text.size() == 4) return date;
  const auto month = fixedDigits(text, 5, 2);
  if (text[4] != '-' || !month || *month < 1 || *month > 12) return std::nullopt;
  date.month = *month;
  if (text.size() == 7) return date;
  const auto day = fixedDigits(text, 8, 2);
  if (text.size() != 10 || text[7] != '-' || !day || *day == 0) return std::nullopt;
  date.day = *day;
  const std::chrono::year_month_day whole = std::chrono::year(date.year) / date.month / date.day;
  return whole.ok() ? std::optional(date) : std::nullopt;
}

std::optional<AxisPattern> parseAxes(std::string_view text) {
  constexpr std::size_t maxAxes = 4;
  AxisPattern pattern;
  while (true) {
    const auto cross = text.find_first_of("xX");
    const std::string_view part = text.substr(0, cross);
    const auto number = parseNumber(part);
    if (part != "*" && (!number || *number < 0)) return std::nullopt;
    pattern.axes.push_back(number);
    if (cross == std::string_view::npos) break;
    text.remove_prefix(cross + 1);
  }
  if (pattern.axes.size() < 2 || pattern.axes.size() > maxAxes) return std::nullopt;
  return pattern;
}

std::string numberText(double number) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::string(text.data(), end) : std::string("0");
}

std::string dateText(const SearchDate& date) {
  const std::string whole = firstDay(date);
  return whole.substr(0, date.month == 0 ? 4 : date.day == 0 ? 7 : 10);
}

std::string firstDay(const SearchDate& date) {
  return isoDay(dayOf(date));
}

std::string lastDay(const SearchDate& date) {
  return isoDay(nextBegin(date) - std::chrono::days(1));
}

std::string dayAfter(const SearchDate& date) {
  const auto next = std::chrono::year_month_day(nextBegin(date));
  constexpr std::chrono::year last(9999);  // a fifth digit would sort in front
  return next.year() > last ? "9999-12-32" : isoDay(next);
}

std::int64_t firstMicrosecond(const SearchDate& date) {
  return microseconds(dayOf(date));
}

std::int64_t microsecondAfter(const SearchDate& date) {
  return microseconds(nextBegin(date));
}

}  // namespace nora
