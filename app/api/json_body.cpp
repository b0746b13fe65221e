#include "app/api/json_body.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace nora {
namespace {

constexpr std::int64_t usPerSecond = 1'000'000;

std::optional<std::int64_t> wholeNumber(std::string_view text) {
  std::int64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr std::array everyRight{Right::read,     Right::annotate,    Right::edit,      Right::process,
                                Right::download, Right::seeIdentity, Right::administer};

}  // namespace

Result<std::int64_t> idFrom(const std::string& text, std::string_view what) {
  const auto value = wholeNumber(text);
  if (value && *value >= 1) return *value;
  return fail(ErrorCode::notFound, "there is no such " + std::string(what), std::string(what));
}

JsonBody::JsonBody(const nlohmann::json& body) : body_(body) {
  if (!body_.is_object()) wrong("body", "a JSON object is expected");
}

void JsonBody::wrong(const char* name, std::string what) {
  if (!error_) error_ = Error{ErrorCode::invalidInput, std::move(what), name};
}

const nlohmann::json* JsonBody::find(const char* name) {
  known_.emplace_back(name);
  if (!body_.is_object()) return nullptr;
  const auto at = body_.find(name);
  return at == body_.end() || at->is_null() ? nullptr : &*at;
}

std::optional<std::string> JsonBody::textIfThere(const char* name, std::size_t most) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return wrong(name, "a text is expected"), std::nullopt;
  auto out = value->get<std::string>();
  if (out.size() > most) return wrong(name, "at most " + std::to_string(most) + " bytes are expected"), std::nullopt;
  return out;
}

std::string JsonBody::text(const char* name, std::size_t most) {
  auto value = textIfThere(name, most);
  if (!value) wrong(name, "the field is missing");
  return value.value_or("");
}

std::optional<bool> JsonBody::flag(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) return wrong(name, "true or false is expected"), std::nullopt;
  return value->get<bool>();
}

std::optional<std::int64_t> JsonBody::id(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer() || *value < 1) return wrong(name, "an id is expected"), std::nullopt;
  return value->get<std::int64_t>();
}

std::vector<std::int64_t> JsonBody::ids(const char* name, std::size_t most) {
  const auto* value = find(name);
  std::vector<std::int64_t> out;
  if (value == nullptr) return out;
  if (!value->is_array()) return wrong(name, "a list of ids is expected"), out;
  if (value->size() > most) return wrong(name, "at most " + std::to_string(most) + " ids are expected"), out;
  for (const auto& one : *value) {
    if (!one.is_number_integer()) return wrong(name, "a list of ids is expected"), out;
    out.push_back(one.get<std::int64_t>());
  }
  return out;
}

std::vector<std::string> JsonBody::texts(const char* name, std::size_t most) {
  const auto* value = find(name);
  std::vector<std::string> out;
  if (value == nullptr) return out;
  if (!value->is_array() || value->size() > most) return wrong(name, "a list of texts is expected"), out;
  for (const auto& one : *value) {
    if (!one.is_string()) return wrong(name, "a list of texts is expected"), out;
    out.push_back(one.get<std::string>());
  }
  return out;
}

std::optional<Rights> JsonBody::rights(const char* name) {
  if (find(name) == nullptr) return std::nullopt;
  std::string all;
  for (const auto& one : texts(name, everyRight.size())) all += one + " ";
  const auto rights = parseRights(all.empty() ? "none" : all);
  if (!rights) wrong(name, rights.error().what);
  return rights.value_or(Rights());
}

std::optional<std::int64_t> JsonBody::timeUs(const char* name) {
  const auto value = textIfThere(name);
  if (!value) return std::nullopt;
  const auto time = fromIsoTime(*value);
  if (!time) wrong(name, "a time like 2026-03-01T12:00:00Z is expected");
  return time;
}

Result<void> JsonBody::done() const {
  if (error_) return tl::make_unexpected(*error_);
  for (const auto& [key, value] : body_.items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end())
      return fail(ErrorCode::invalidInput, "there is no such field", key);
  }
  return {};
}

nlohmann::json jsonTime(std::int64_t us) {
  if (us == 0) return nullptr;
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds(us)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time) - day);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return std::string(text.data());
}

std::optional<std::int64_t> fromIsoTime(std::string_view text) {
  const auto part = [&](std::size_t at, std::size_t size) -> int {
    const auto value = at + size <= text.size() ? wholeNumber(text.substr(at, size)) : std::nullopt;
    return value ? static_cast<int>(*value) : -1;
  };
  const bool hasTime = text.size() > 10;
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  if (hasTime && (text.size() < 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text.back() != 'Z'))
    return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{year{part(0, 4)}, month{static_cast<unsigned>(part(5, 2))},
                            day{static_cast<unsigned>(part(8, 2))}};
  if (!date.ok() || part(0, 4) < 1970) return std::nullopt;
  std::int64_t second = duration_cast<seconds>(sys_days(date).time_since_epoch()).count();
  if (hasTime) {
    const int h = part(11, 2), m = part(14, 2), s = part(17, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60) return std::nullopt;
    second += h * 3600 + m * 60 + s;
  }
  return second * usPerSecond;
}

nlohmann::json toJson(Rights rights) {
  auto out = nlohmann::json::array();
  for (const Right right : everyRight) {
    if (rights.has(right)) out.push_back(std::string(toString(right)));
  }
  return out;
}

std::string queryText(const HttpRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

Result<std::int64_t> queryNumber(const HttpRequest& request, const std::string& name, std::int64_t otherwise,
                                 std::int64_t low, std::int64_t high) {
  const auto text = queryText(request, name);
  if (text.empty()) return otherwise;
  const auto value = wholeNumber(text);
  if (value && *value >= low && *value <= high) return *value;
  return fail(ErrorCode::invalidInput,
              "a whole number from " + std::to_string(low) + " to " + std::to_string(high) + " is expected", name);
}

std::string csvField(const std::string& text) {
  const bool isFormula = !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  const bool isNumber = isFormula && text.find_first_not_of("+-0123456789.eE") == std::string::npos;
  std::string plain = isFormula && !isNumber ? "'" + text : text;
  if (plain.find_first_of(",\"\r\n") == std::string::npos) return plain;
  std::string out = "\"";
  for (const char c : plain) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

nlohmann::json listJson(nlohmann::json items, nlohmann::json next) {
  return {{"items", std::move(items)}, {"next", std::move(next)}};
}

}  // namespace nora
