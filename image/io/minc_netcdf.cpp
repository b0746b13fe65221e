#include "image/io/minc_netcdf.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

namespace nora {
namespace {

constexpr std::uint32_t dimensionTag = 10;
constexpr std::uint32_t variableTag = 11;
constexpr std::uint32_t attributeTag = 12;
constexpr std::size_t maxRank = 64;

enum Type : std::uint32_t { byteType = 1, charType, shortType, intType, floatType, doubleType };

std::size_t bytesOf(std::uint32_t type) {
  static constexpr std::size_t sizes[] = {0, 1, 1, 2, 4, 4, 8};
  return type < std::size(sizes) ? sizes[type] : 0;
}

struct Dimension {
  std::string name;
  std::int64_t length = 0;
  bool isRecord = false;
};

/// A variable with what is needed to find its bytes.
struct Placed {
  std::string name;
  MincVariable variable;
  std::uint32_t type = 0;
  bool isRecord = false;
  std::int64_t bytes = 0;  // of the whole variable or of one record, without padding
  std::int64_t begin = 0;
};

double numberOf(ByteReader& in, std::uint32_t type) {
  switch (type) {
    case shortType: return in.number<std::int16_t>();
    case intType: return in.number<std::int32_t>();
    case floatType: return static_cast<double>(in.number<float>());
    case doubleType: return in.number<double>();
    default: return in.number<std::int8_t>();
  }
}

class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(bytes), name_(name), in_(bytes, std::endian::big) {}

  Result<NetcdfParse> run() {
    in_.skip(3);
    const auto version = in_.number<std::uint8_t>();
    wide_ = version == 2;
    if (version != 1 && version != 2)
      return fail(ErrorCode::unsupported, "only netCDF CDF-1 and CDF-2 are known", name_);
    records_ = in_.number<std::uint32_t>();
    const bool parsed = readDimensions() && readAttributes(nullptr) && readVariables();
    if (!in_.good()) return NetcdfParse{{}, bytes_.size() * 2 + 1};  // the header itself goes on
    if (!parsed || !place()) return fail(ErrorCode::invalidInput, "the netCDF header is damaged", name_);
    for (const char* scale : {"image-min", "image-max"}) readScale(scale);
    if (needed_ > bytes_.size()) return NetcdfParse{{}, needed_};
    for (Placed& p : placed_) out_.variables.insert_or_assign(p.name, std::move(p.variable));
    return NetcdfParse{std::move(out_), 0};
  }

 private:
  /// A list's length, or nothing if its tag is another.
  std::optional<std::uint32_t> list(std::uint32_t tag) {
    const auto found = in_.number<std::uint32_t>();
    const auto count = in_.number<std::uint32_t>();
    if (found == 0 && count == 0) return 0;
    constexpr std::uint32_t most = 1 << 20;
    if (found != tag || count > most) return std::nullopt;
    return count;
  }

  std::string text(std::size_t size) {
    const auto taken = in_.take(size);
    in_.skip((4 - size % 4) % 4);
    return std::string(asText(taken));
  }

  bool readDimensions() {
    const auto count = list(dimensionTag);
    for (std::uint32_t i = 0; count && i < *count && in_.good(); ++i) {
      Dimension d;
      d.name = text(in_.number<std::uint32_t>());
      d.length = in_.number<std::uint32_t>();
      d.isRecord = d.length == 0;
      if (d.isRecord) d.length = records_;
      dimensions_.push_back(std::move(d));
    }
    return count.has_value();
  }

  /// Of a variable, or of the file where they are left out.
  bool readAttributes(MincVariable* variable) {
    const auto count = list(attributeTag);
    for (std::uint32_t i = 0; count && i < *count && in_.good(); ++i) {
      const std::string key = text(in_.number<std::uint32_t>());
      const auto type = in_.number<std::uint32_t>();
      const std::size_t size = in_.number<std::uint32_t>();
      if (bytesOf(type) == 0) return false;
      if (type == charType) {
        std::string value = text(size);
        value = value.substr(0, value.find('\0'));
        if (variable != nullptr) variable->texts[key] = std::move(value);
        continue;
      }
      const auto taken = in_.take(size * bytesOf(type));
      in_.skip((4 - size * bytesOf(type) % 4) % 4);
      constexpr std::size_t most = 4096;  // MINC's own have up to three
      if (variable == nullptr || size > most || taken.empty()) continue;
      ByteReader values(taken, std::endian::big);
      auto& numbers = variable->numbers[key];
      for (std::size_t n = 0; n < size; ++n) numbers.push_back(numberOf(values, type));
    }
    return count.has_value();
  }

  bool readVariables() {
    const auto count = list(variableTag);
    for (std::uint32_t i = 0; count && i < *count && in_.good(); ++i) {
      Placed p;
      p.name = text(in_.number<std::uint32_t>());
      const auto rank = in_.number<std::uint32_t>();
      if (rank > maxRank) return false;
      for (std::uint32_t d = 0; d < rank; ++d) {
        const auto id = in_.number<std::uint32_t>();
        if (id >= dimensions_.size()) return !in_.good();
        const Dimension& dimension = dimensions_[id];
        if (dimension.isRecord && d > 0) return false;
        p.isRecord |= dimension.isRecord;
        p.variable.dimensions.push_back(dimension.name);
        p.variable.shape.push_back(dimension.length);
      }
      if (!readAttributes(&p.variable)) return false;
      p.type = in_.number<std::uint32_t>();
      in_.skip(4);  // the size, which is too small for large variables
      p.begin = wide_ ? in_.number<std::int64_t>() : in_.number<std::uint32_t>();
      placed_.push_back(std::move(p));
    }
    return count.has_value();
  }

  /// Sizes, the length of a record, and where the image lies.
  bool place() {
    std::int64_t record = 0;
    std::size_t recordVariables = 0;
    for (Placed& p : placed_) {
      p.bytes = static_cast<std::int64_t>(bytesOf(p.type));
      if (p.bytes == 0 || p.begin < 0) return false;
      for (std::size_t d = p.isRecord ? 1 : 0; d < p.variable.shape.size(); ++d) {
        if (__builtin_mul_overflow(p.bytes, p.variable.shape[d], &p.bytes)) return false;
      }
      if (!p.isRecord) continue;
      ++recordVariables;
      if (__builtin_add_overflow(record, p.bytes / 4 * 4 + (p.bytes % 4 != 0 ? 4 : 0), &record)) return false;
    }
    for (Placed& p : placed_) {
      if (p.isRecord) recordBytes_ = recordVariables == 1 ? p.bytes : record;  // a single one is not padded
    }
    for (Placed& p : placed_) {
      setType(p);
      if (p.name == "image") out_.voxels = {p.begin, stridesOf(p)};
    }
    return true;
  }

  [[nodiscard]] std::vector<std::int64_t> stridesOf(const Placed& p) const {
    std::vector<std::int64_t> strides(p.variable.shape.size());
    auto step = static_cast<std::int64_t>(bytesOf(p.type));
    for (std::size_t d = strides.size(); d-- > 0;) {
      strides[d] = step;
      if (d > 0) step *= p.variable.shape[d];  // checked by place()
    }
    if (p.isRecord) strides[0] = recordBytes_;
    return strides;
  }

  static void setType(Placed& p) {
    const std::string_view sign = p.variable.text("signtype");
    const bool isSigned = sign.empty() ? p.type != byteType : !sign.starts_with("unsigned");
    VoxelType& type = p.variable.stored.number;
    switch (p.type) {
      case shortType: type = isSigned ? VoxelType::int16 : VoxelType::uint16; break;
      case intType: type = isSigned ? VoxelType::int32 : VoxelType::uint32; break;
      case floatType: type = VoxelType::float32; break;
      case doubleType: type = VoxelType::float64; break;
      default: type = isSigned ? VoxelType::int8 : VoxelType::uint8;
    }
    p.variable.stored.swapped = std::endian::native == std::endian::little;
  }

  /// The values of image-min or image-max, or how many bytes of the file they need.
  void readScale(const char* wanted) {
    for (Placed& p : placed_) {
      if (p.name != wanted) continue;
      std::int64_t count = 1;
      for (const std::int64_t n : p.variable.shape) {
        if (__builtin_mul_overflow(count, n, &count) || count > maxMincScales) return;
      }
      const auto unit = static_cast<std::int64_t>(bytesOf(p.type));
      const std::int64_t perRecord = p.bytes / unit;
      for (std::int64_t done = 0; done < count && perRecord > 0; done += perRecord) {
        std::int64_t at = 0;
        bool overflow = __builtin_mul_overflow(done / perRecord, recordBytes_, &at);
        overflow |= __builtin_add_overflow(at, p.begin, &at);
        const std::int64_t here = std::min(perRecord, count - done);
        overflow |= at > (std::int64_t{1} << 60);
        if (overflow) return;
        needed_ = std::max(needed_, static_cast<std::uint64_t>(at + here * unit));
        if (needed_ > bytes_.size()) continue;
        ByteReader values(bytes_.subspan(static_cast<std::size_t>(at)), std::endian::big);
        for (std::int64_t i = 0; i < here; ++i) p.variable.values.push_back(numberOf(values, p.type));
      }
      return;
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  ByteReader in_;
  bool wide_ = false;
  std::int64_t records_ = 0;
  std::vector<Dimension> dimensions_;
  std::vector<Placed> placed_;
  std::int64_t recordBytes_ = 0;
  std::uint64_t needed_ = 0;
  MincFile out_;
};

}  // namespace

bool hasNetcdfMagic(std::span<const std::byte> bytes) {
  return asText(bytes).starts_with("CDF") && bytes.size() > 3 && bytes[3] <= std::byte{5};
}

Result<NetcdfParse> parseNetcdf(std::span<const std::byte> bytes, const std::string& name) {
  return Parser(bytes, name).run();
}

}  // namespace nora
