#include "image/io/vtk_numbers.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace nora {
namespace {

bool isSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// One number of type T; the text may write a whole number as "3.0".
template <class T>
const char* parseOne(const char* first, const char* last, T& value) {
  if (first < last && *first == '+') ++first;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error == std::errc{} && (end == last || isSpace(*end))) return end;
  double real = 0;
  const auto wide = std::from_chars(first, last, real);
  const bool sound =
      (wide.ec == std::errc{} || wide.ec == std::errc::result_out_of_range) && (wide.ptr == last || isSpace(*wide.ptr));
  if (!sound) return nullptr;
  if constexpr (std::is_floating_point_v<T>) {
    // Beyond the range of T: towards zero or infinity.
    value = wide.ec == std::errc{} ? static_cast<T>(real) : T{0};
  } else {
    constexpr double most = 9e15;
    if (!(std::abs(real) < most) || real != std::floor(real)) return nullptr;
    if (!std::in_range<T>(static_cast<std::int64_t>(real))) return nullptr;
    value = static_cast<T>(static_cast<std::int64_t>(real));
  }
  return wide.ptr;
}

template <class T>
bool parseInto(std::string_view text, std::size_t& at, std::uint64_t count, std::vector<std::byte>& memory) {
  const char* next = text.data() + at;
  const char* const last = text.data() + text.size();
  memory.resize(static_cast<std::size_t>(count) * sizeof(T));
  std::byte* out = memory.data();
  for (std::uint64_t i = 0; i < count; ++i, out += sizeof(T)) {
    while (next < last && isSpace(*next)) ++next;
    T value{};
    next = parseOne(next, last, value);
    if (next == nullptr) return false;
    std::memcpy(out, &value, sizeof(T));
  }
  at = static_cast<std::size_t>(next - text.data());
  return true;
}

}  // namespace

bool parseVtkNumbers(std::string_view text, std::size_t& at, std::uint64_t count, VtkArray& out) {
  if (count > (text.size() - at + 1) / 2) return false;  // a digit and a space each
  const bool done =
      visitScalar(out.type, [&](auto number) { return parseInto<decltype(number)>(text, at, count, out.memory); });
  out.order = std::endian::native;
  out.bytes = out.memory;
  return done;
}

bool parseAllVtkNumbers(std::string_view text, VtkArray& out) {
  std::uint64_t count = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = isSpace(c);
    count += !space && !inside ? 1 : 0;
    inside = !space;
  }
  std::size_t at = 0;
  if (out.components == 0 || count % out.components != 0 || !parseVtkNumbers(text, at, count, out)) return false;
  out.tuples = count / out.components;
  return true;
}

}  // namespace nora
