#include "image/io/trx_members.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace nora {
namespace {

constexpr std::array<std::pair<std::string_view, TrxType>, 13> typeNames{{{"int8", TrxType::int8},
                                                                          {"uint8", TrxType::uint8},
                                                                          {"bit", TrxType::uint8},  // a byte each
                                                                          {"bool", TrxType::uint8},
                                                                          {"int16", TrxType::int16},
                                                                          {"uint16", TrxType::uint16},
                                                                          {"int32", TrxType::int32},
                                                                          {"uint32", TrxType::uint32},
                                                                          {"int64", TrxType::int64},
                                                                          {"uint64", TrxType::uint64},
                                                                          {"float16", TrxType::float16},
                                                                          {"float32", TrxType::float32},
                                                                          {"float64", TrxType::float64}}};

struct Half {
  std::uint16_t bits;
  explicit operator float() const {
    // The exponent moves by 112; done by a multiplication, so that denormals come out right too.
    constexpr float scale = 0x1p112f;
    std::uint32_t wide = static_cast<std::uint32_t>(bits & 0x7fffu) << 13;
    float value = std::bit_cast<float>(wide) * scale;
    if ((bits & 0x7c00u) == 0x7c00u) value = std::bit_cast<float>(wide | 0x7f800000u);
    return (bits & 0x8000u) != 0 ? -value : value;
  }
  explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }
};

template <class Visitor>
auto visit(TrxType type, Visitor&& visitor) {
  switch (type) {
    case TrxType::int8: return visitor(std::int8_t{});
    case TrxType::uint8: return visitor(std::uint8_t{});
    case TrxType::int16: return visitor(std::int16_t{});
    case TrxType::uint16: return visitor(std::uint16_t{});
    case TrxType::int32: return visitor(std::int32_t{});
    case TrxType::uint32: return visitor(std::uint32_t{});
    case TrxType::int64: return visitor(std::int64_t{});
    case TrxType::uint64: return visitor(std::uint64_t{});
    case TrxType::float16: return visitor(Half{});
    case TrxType::float64: return visitor(double{});
    case TrxType::float32: break;
  }
  return visitor(float{});
}

template <class From, class To>
To converted(From from) {
  if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(from);
  } else if constexpr (std::is_integral_v<From>) {
    return std::in_range<To>(from) ? static_cast<To>(from) : std::numeric_limits<To>::max();
  } else {
    return std::numeric_limits<To>::max();  // no index is a fraction
  }
}

template <class To>
void copyNumbers(TrxType type, std::span<const std::byte> bytes, std::span<To> out) {
  visit(type, [&](auto from) {
    using From = decltype(from);
    if constexpr (std::is_same_v<From, To>) {
      if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size_bytes());
    } else {
      for (std::size_t i = 0; i < out.size(); ++i) {
        std::memcpy(&from, bytes.data() + i * sizeof(From), sizeof(From));
        out[i] = converted<From, To>(from);
      }
    }
  });
}

}  // namespace

std::size_t bytesOf(TrxType type) {
  return visit(type, [](auto number) { return sizeof number; });
}

VoxelType keptAs(TrxType type) {
  return visit(type, [](auto number) {
    using T = std::conditional_t<std::is_same_v<decltype(number), Half>, float, decltype(number)>;
    return voxelTypeOf<T>();
  });
}

std::optional<TrxMember> trxMember(const ZipMember& zip) {
  TrxMember member;
  member.zip = &zip;
  std::string_view path = zip.name;
  if (path.starts_with("./")) path.remove_prefix(2);
  const auto slash = path.rfind('/');
  if (slash != std::string_view::npos) member.folder = path.substr(0, slash);
  std::string_view file = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto dot = file.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto type = std::find_if(typeNames.begin(), typeNames.end(),
                                 [&](const auto& known) { return known.first == file.substr(dot + 1); });
  if (type == typeNames.end()) return std::nullopt;
  member.type = type->second;
  file = file.substr(0, dot);
  if (const auto before = file.rfind('.'); before != std::string_view::npos) {
    if (const auto count = numberFrom<std::uint32_t>(file.substr(before + 1)); count && *count > 0) {
      member.components = *count;
      file = file.substr(0, before);
    }
  }
  if (file.empty()) return std::nullopt;
  member.name = file;
  return member;
}

Result<TrxNumbers> TrxNumbers::of(const TrxMember& member, const std::string& file) {
  TrxNumbers numbers;
  numbers.type_ = member.type;
  numbers.bytes_ = member.zip->stored;
  if (!member.zip->deflated) return numbers;
  numbers.memory_.resize(member.zip->size);
  const auto extracted = extractZipMember(*member.zip, numbers.memory_, file);
  if (!extracted) return tl::make_unexpected(extracted.error());
  numbers.bytes_ = numbers.memory_;
  return numbers;
}

void TrxNumbers::copyTo(std::span<float> out, std::size_t first) const {
  copyNumbers(type_, bytes(first, out.size()), out);
}
std::span<const std::byte> TrxNumbers::bytes(std::size_t first, std::size_t count) const {
  return bytes_.subspan(first * bytesOf(type_), count * bytesOf(type_));
}
void TrxNumbers::copyTo(std::span<std::uint64_t> out) const {
  copyNumbers(type_, bytes_, out);
}
void TrxNumbers::copyTo(std::span<std::uint32_t> out) const {
  copyNumbers(type_, bytes_, out);
}

void TrxNumbers::copyBytesTo(std::span<std::byte> out) const {
  if (type_ == TrxType::float16) {
    return copyTo(std::span(reinterpret_cast<float*>(out.data()), out.size() / sizeof(float)));
  }
  if (!out.empty()) std::memcpy(out.data(), bytes_.data(), std::min(out.size(), bytes_.size()));
}

double TrxNumbers::at(std::size_t i) const {
  return visit(type_, [&](auto number) {
    std::memcpy(&number, bytes_.data() + i * sizeof number, sizeof number);
    return static_cast<double>(number);
  });
}

}  // namespace nora
