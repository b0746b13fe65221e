// Strict reading of one JSON object: every field is checked, unknown keys are errors, and the first thing that is wrong
// is reported with its JSON pointer. Places are spelled out only then, since every mouse move is read this way.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nora {

/// A field's place in the document: a chain on the stack.
struct JsonPlace {
  static constexpr std::size_t isKey = static_cast<std::size_t>(-1);

  const JsonPlace* parent = nullptr;
  std::string_view key = {};
  std::size_t index = isKey;  // of an array element

  /// RFC 6901.
  [[nodiscard]] std::string pointer() const {
    if (!parent) return {};
    if (index != isKey) return parent->pointer() + '/' + std::to_string(index);
    std::string out = parent->pointer() + '/';
    for (const char c : key) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out += c;
      }
    }
    return out;
  }
};

/// One spelling of an enumeration's value.
template <class Enum>
struct JsonChoice {
  const char* name;
  Enum value;
};

/// Takes the fields of one object. The first mistake is kept in `error` and ends the reading; call `end` last.
class JsonFields {
 public:
  using json = nlohmann::json;
  static constexpr double noLimit = std::numeric_limits<double>::max();

  JsonFields(const json& object, const JsonPlace& place, std::optional<Error>& error)
      : object_(object), place_(place), error_(error) {
    if (!object_.is_object()) complain(place_, "an object is expected");
  }

  void flag(std::string_view key, bool& out) {
    const json* value = find(key);
    if (!value) return;
    if (!value->is_boolean()) return complain(at(key), "true or false is expected");
    out = value->get<bool>();
  }

  void number(std::string_view key, double& out, double low = -noLimit, double high = noLimit) {
    if (const json* value = find(key)) finite(*value, at(key), out, low, high);
  }

  void requiredNumber(std::string_view key, double& out) {
    if (const json* value = find(key, true)) finite(*value, at(key), out, -noLimit, noLimit);
  }

  void optionalFlag(std::string_view key, std::optional<bool>& out) {
    const json* value = find(key);
    if (!value || value->is_null()) return;
    if (!value->is_boolean()) return complain(at(key), "true, false or null is expected");
    out = value->get<bool>();
  }

  void optionalNumber(std::string_view key, std::optional<double>& out) {
    const json* value = find(key);
    if (!value || value->is_null()) return;
    double number = 0;
    if (finite(*value, at(key), number, -noLimit, noLimit)) out = number;
  }

  void whole(std::string_view key, std::int64_t& out, bool required = false) {
    constexpr double most = 9007199254740992.0;  // 2^53: what a page can count to
    const json* value = find(key, required);
    double number = 0;
    if (!value || !finite(*value, at(key), number, 0, most)) return;
    if (number != std::floor(number)) return complain(at(key), "a whole number is expected");
    out = static_cast<std::int64_t>(number);
  }

  void text(std::string_view key, std::string& out, std::size_t maxBytes, bool required = false) {
    const json* value = find(key, required);
    if (!value) return;
    if (!value->is_string()) return complain(at(key), "a string is expected");
    const auto& string = value->get_ref<const std::string&>();
    if (string.size() > maxBytes) return complain(at(key), "the string is too long");
    out = string;
  }

  void optionalText(std::string_view key, std::string& out, std::size_t maxBytes) {
    const auto found = object_.find(key);
    if (found != object_.end() && found->is_null()) {
      ++taken_;
      return;
    }
    text(key, out, maxBytes);
  }

  template <class Enum, std::size_t n>
  void choice(std::string_view key, Enum& out, const std::array<JsonChoice<Enum>, n>& choices, bool required = false) {
    const json* value = find(key, required);
    if (!value) return;
    const std::string* name = value->get_ptr<const std::string*>();
    std::string what = "expected is one of";
    for (const auto& candidate : choices) {
      if (name && *name == candidate.name) {
        out = candidate.value;
        return;
      }
    }
    for (const auto& candidate : choices) what += std::string(" ") + candidate.name;
    complain(at(key), what);
  }

  void vector(std::string_view key, Vec3& out) {
    if (const json* value = find(key)) threeNumbers(*value, at(key), out);
  }

  void optionalVector(std::string_view key, std::optional<Vec3>& out) {
    const json* value = find(key);
    if (!value || value->is_null()) return;
    threeNumbers(*value, at(key), out.emplace());
  }

  /// Calls `item(element, its place)` for every element of an array that may be absent.
  template <class Item>
  void array(std::string_view key, std::size_t most, Item item) {
    const json* value = find(key);
    if (!value) return;
    const JsonPlace here = at(key);
    if (!value->is_array()) return complain(here, "an array is expected");
    if (value->size() > most) return complain(here, "at most " + std::to_string(most) + " are allowed");
    for (std::size_t i = 0; i < value->size() && !error_; ++i) item((*value)[i], JsonPlace{&here, {}, i});
  }

  /// Calls `read(value, its place)` for a required object.
  template <class Read>
  void object(std::string_view key, Read read) {
    if (const json* value = find(key, true)) read(*value, at(key));
  }

  /// The same for one that may be absent or null.
  template <class Read>
  void optionalObject(std::string_view key, Read read) {
    const json* value = find(key);
    if (value && !value->is_null()) read(*value, at(key));
  }

  /// Fails if a key was never asked for.
  template <std::size_t n>
  void end(const std::array<std::string_view, n>& keys) {
    if (error_ || taken_ == object_.size()) return;
    for (auto item = object_.begin(); item != object_.end(); ++item) {
      bool known = false;
      for (const auto& key : keys) known = known || item.key() == key;
      if (!known) return complain(at(item.key()), "unknown key");
    }
  }

  void complain(const JsonPlace& place, std::string what) {
    if (!error_) error_ = Error{ErrorCode::invalidInput, std::move(what), place.pointer()};
  }
  [[nodiscard]] JsonPlace at(std::string_view key) const { return {&place_, key}; }
  [[nodiscard]] bool failed() const { return error_.has_value(); }

 private:
  const json* find(std::string_view key, bool required = false) {
    if (error_) return nullptr;
    const auto found = object_.find(key);
    if (found != object_.end()) {
      ++taken_;
      return &*found;
    }
    if (required) complain(at(key), "this key is required");
    return nullptr;
  }

  bool finite(const json& value, const JsonPlace& place, double& out, double low, double high) {
    const char* what = nullptr;
    double number = 0;
    if (!value.is_number()) {
      what = "a number is expected";
    } else {
      number = value.get<double>();
      if (!std::isfinite(number)) {
        what = "the number is not finite";
      } else if (number < low || number > high) {
        what = "the number is out of range";
      }
    }
    if (what) complain(place, what);
    if (!what) out = number;
    return !what;
  }

  void threeNumbers(const json& value, const JsonPlace& place, Vec3& out) {
    if (!value.is_array() || value.size() != 3) return complain(place, "three numbers are expected");
    for (std::size_t i = 0; i < 3; ++i) {
      if (!finite(value[i], JsonPlace{&place, {}, i}, out[i], -noLimit, noLimit)) return;
    }
  }

  const json& object_;
  const JsonPlace& place_;
  std::optional<Error>& error_;
  std::size_t taken_ = 0;
};

}  // namespace nora
