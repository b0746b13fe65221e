#include "image/io/json_check.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

/// Counts; stops when it gets too deep.
class Counter final : public nlohmann::json_sax<json> {
 public:
  explicit Counter(JsonCheck& check) : check_(check) {}

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t&) override { return true; }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    position_ = position;
    return false;
  }

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] bool tooDeep() const { return depth_ > JsonCheck::maxDepth; }

 private:
  bool value() {
    ++check_.values;
    return true;
  }
  bool open() {
    ++depth_;
    return value() && !tooDeep();
  }
  bool close() {
    --depth_;
    return true;
  }

  JsonCheck& check_;
  std::size_t depth_ = 0;
  std::size_t position_ = 0;
};

}  // namespace

JsonCheck checkJson(std::string_view text) {
  JsonCheck check;
  Counter counter(check);
  check.good = json::sax_parse(text.begin(), text.end(), &counter);
  if (check.good) return check;
  check.wrong =
      counter.tooDeep() ? "nested more than " + std::to_string(JsonCheck::maxDepth) + " deep" : "not valid JSON";
  const std::string_view before = text.substr(0, counter.tooDeep() ? 0 : counter.position());
  check.line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  return check;
}

}  // namespace nora
