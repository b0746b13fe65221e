#include "image/checked_fields.hpp"

#include <cmath>

namespace nora {
namespace {

using nlohmann::json;

const json nothing;
const json noEntries = json::array();

}  // namespace

const json& CheckedFields::at(const char* key) {
  if (!object_.is_object()) return nothing;
  const auto found = object_.find(key);
  return found == object_.end() ? nothing : *found;
}

double CheckedFields::finite(const json& value, const char* key) {
  const double read = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
  check(std::isfinite(read), key);
  return std::isfinite(read) ? read : 0;
}

std::optional<double> CheckedFields::optionalFinite(const char* key) {
  return at(key).is_null() ? std::nullopt : std::optional(finite(key));
}

std::int64_t CheckedFields::positive(const json& value, const char* key) {
  // Numbers above the range of int64 become negative and are refused as well.
  const std::int64_t read = value.is_number_integer() ? value.get<std::int64_t>() : 0;
  check(read >= 1, key);
  return read;
}

std::uint64_t CheckedFields::count(const char* key, std::uint64_t most) {
  const json& value = at(key);
  const std::uint64_t read = value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
  check(value.is_number_unsigned() && read <= most, key);
  return read;
}

std::optional<std::uint64_t> CheckedFields::optionalCount(const char* key) {
  return at(key).is_null() ? std::nullopt : std::optional(count(key));
}

std::string CheckedFields::text(const json& value, const char* key) {
  const bool good = value.is_string() && value.get_ref<const std::string&>().size() <= maxTextBytes;
  check(good, key);
  return good ? value.get<std::string>() : std::string{};
}

std::string CheckedFields::optionalText(const char* key) {
  return at(key).is_null() ? std::string{} : text(key);
}

const json& CheckedFields::list(const char* key, std::size_t most) {
  const json& value = at(key);
  if (value.is_null()) return noEntries;
  const bool good = value.is_array() && value.size() <= most;
  check(good, key);
  return good ? value : noEntries;
}

std::vector<std::string> CheckedFields::texts(const char* key) {
  std::vector<std::string> out;
  for (const json& entry : list(key)) out.push_back(text(entry, key));
  return out;
}

std::vector<std::pair<std::string, std::string>> CheckedFields::pairs(const char* key) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const json& entry : list(key)) {
    check(entry.is_array() && entry.size() == 2, key);
    if (!good()) return out;
    out.emplace_back(text(entry[0], key), text(entry[1], key));
  }
  return out;
}

Vec3 CheckedFields::vector(const json& value, const char* key) {
  Vec3 out{};
  check(value.is_array() && value.size() == 3, key);
  for (std::size_t i = 0; good() && i < 3; ++i) out[i] = finite(value[i], key);
  return out;
}

Affine CheckedFields::affine(const char* key) {
  const json& rows = at(key);
  Affine affine;
  check(rows.is_array() && rows.size() == 4, key);
  for (std::size_t r = 0; good() && r < 4; ++r) {
    check(rows[r].is_array() && rows[r].size() == 4, key);
    for (std::size_t c = 0; good() && c < 4; ++c) {
      affine(static_cast<int>(r), static_cast<int>(c)) = finite(rows[r][c], key);
    }
  }
  const bool lastRow = affine(3, 0) == 0 && affine(3, 1) == 0 && affine(3, 2) == 0 && affine(3, 3) == 1;
  check(lastRow && inverse(affine).has_value(), key);
  return affine;
}

json jsonNumber(double value) {
  return std::isfinite(value) ? json(value) : json(nullptr);
}

json jsonNumber(const std::optional<double>& value) {
  return value ? jsonNumber(*value) : json(nullptr);
}

std::string jsonText(const std::string& text) {
  // A third: each byte may become the three bytes of U+FFFD.
  const std::string quoted =
      json(text.substr(0, CheckedFields::maxTextBytes / 3)).dump(-1, ' ', false, json::error_handler_t::replace);
  return json::parse(quoted).get<std::string>();
}

json jsonTexts(const std::vector<std::string>& texts) {
  json out = json::array();
  for (const std::string& text : texts) {
    if (out.size() + 1 == CheckedFields::maxEntries && texts.size() > CheckedFields::maxEntries) {
      out.push_back("and " + std::to_string(texts.size() - out.size()) + " more");
      break;
    }
    out.push_back(jsonText(text));
  }
  return out;
}

json jsonPairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  json out = json::array();
  for (const auto& [name, value] : pairs) {
    if (out.size() == CheckedFields::maxEntries) break;
    out.push_back({jsonText(name), jsonText(value)});
  }
  return out;
}

json jsonAffine(const Affine& affine) {
  json rows = json::array();
  for (int r = 0; r < 4; ++r) {
    json row = json::array();
    for (int c = 0; c < 4; ++c) row.push_back(jsonNumber(affine(r, c)));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace nora
