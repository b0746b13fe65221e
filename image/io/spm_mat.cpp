#include "image/io/spm_mat.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/plain_text.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include <libdeflate.h>

namespace nora {
namespace {

constexpr std::size_t mostFileBytes = std::size_t{16} << 20;  // a matrix a volume; others of SPM's files are larger
constexpr std::size_t mostUnpacked = std::size_t{1} << 20;    // of one compressed variable
constexpr std::size_t matrixNumbers = 16;

/// A numeric matrix as MATLAB has it: column by column.
struct Matrix {
  std::string name;
  std::vector<std::int64_t> dims;
  std::vector<double> numbers;  // at most those of two 4 x 4 matrices
};

double numberOf(ByteReader& in, int type) {
  switch (type) {  // level 5's "mi" types
    case 1: return in.number<std::int8_t>();
    case 2: return in.number<std::uint8_t>();
    case 3: return in.number<std::int16_t>();
    case 4: return in.number<std::uint16_t>();
    case 5: return in.number<std::int32_t>();
    case 6: return in.number<std::uint32_t>();
    case 7: return in.number<float>();
    default: return in.number<double>();
  }
}

bool isNumber(int type) {
  return (type >= 1 && type <= 7) || type == 9;
}

std::vector<double> numbersOf(ByteReader& in, int type) {
  std::vector<double> out;
  while (in.good() && in.left() > 0 && out.size() < 2 * matrixNumbers) out.push_back(numberOf(in, type));
  return out;
}

// ---- level 4

/// The type of a matrix in decimal digits M O P T; empty if it is none in this byte order.
std::optional<int> precisionOf(std::int32_t type, std::endian order) {
  const int machine = type / 1000, reserved = type / 100 % 10, precision = type / 10 % 10, kind = type % 10;
  const bool sound =
      type >= 0 && machine == (order == std::endian::big ? 1 : 0) && reserved == 0 && precision <= 5 && kind <= 2;
  return sound ? std::optional(precision) : std::nullopt;
}

std::optional<std::endian> levelFourOrder(std::span<const std::byte> bytes) {
  for (const std::endian order : {std::endian::little, std::endian::big}) {
    ByteReader in(bytes, order);
    const auto type = in.number<std::int32_t>();
    const auto rows = in.number<std::int32_t>(), columns = in.number<std::int32_t>();
    const auto imaginary = in.number<std::int32_t>(), nameBytes = in.number<std::int32_t>();
    if (in.good() && precisionOf(type, order) && rows >= 0 && columns >= 0 && (imaginary == 0 || imaginary == 1) &&
        nameBytes > 0 && nameBytes < 64) {
      return order;
    }
  }
  return std::nullopt;
}

std::vector<Matrix> levelFour(std::span<const std::byte> bytes, std::endian order) {
  static constexpr std::array<std::pair<int, std::size_t>, 6> types{{{9, 8}, {7, 4}, {5, 4}, {3, 2}, {4, 2}, {2, 1}}};
  std::vector<Matrix> out;
  ByteReader in(bytes, order);
  while (in.left() > 0) {
    const auto precision = precisionOf(in.number<std::int32_t>(), order);
    const auto rows = in.number<std::int32_t>(), columns = in.number<std::int32_t>();
    const auto imaginary = in.number<std::int32_t>(), nameBytes = in.number<std::int32_t>();
    if (!in.good() || !precision || rows < 0 || columns < 0 || nameBytes <= 0) break;
    Matrix matrix{std::string(in.text(static_cast<std::size_t>(nameBytes))), {rows, columns}, {}};
    const auto [type, each] = types[static_cast<std::size_t>(*precision)];
    const std::uint64_t numbers = static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns);
    if (numbers > in.left() / each) break;
    ByteReader data(in.take(numbers * each), order);
    if (imaginary != 0) in.skip(numbers * each);
    if (!in.good()) break;
    matrix.numbers = numbersOf(data, type);
    out.push_back(std::move(matrix));
  }
  return out;
}

// ---- level 5

struct Element {
  std::uint32_t type = 0;
  std::span<const std::byte> data;
};

/// The next element; `in` stands behind it and what fills it up to eight bytes. Empty: there is none.
std::optional<Element> nextElement(ByteReader& in) {
  constexpr std::uint32_t compressed = 15;
  constexpr std::size_t most = 4;
  const auto first = in.number<std::uint32_t>();
  if (!in.good()) return std::nullopt;
  if (const std::size_t size = first >> 16; size != 0) {  // type, size and data within eight bytes
    const auto data = in.take(most);
    if (data.empty() || size > most) return std::nullopt;
    return Element{first & 0xffff, data.first(size)};
  }
  const auto size = in.number<std::uint32_t>();
  const Element element{first, in.take(size)};
  if (!in.good()) return std::nullopt;
  if (first != compressed) in.skip(std::min<std::size_t>((8 - size % 8) % 8, in.left()));
  return element;
}

/// The element that a compressed one holds.
std::vector<std::byte> unpacked(std::span<const std::byte> packed) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  std::vector<std::byte> out(mostUnpacked);
  std::size_t size = 0;
  const bool done = inflater && libdeflate_zlib_decompress(inflater.get(), packed.data(), packed.size(), out.data(),
                                                           out.size(), &size) == LIBDEFLATE_SUCCESS;
  out.resize(done ? size : 0);
  return out;
}

std::optional<Matrix> matrixIn(std::span<const std::byte> bytes, std::endian order) {
  constexpr std::uint32_t matrixType = 14, firstNumeric = 6, lastNumeric = 13;  // double to uint32
  constexpr std::size_t mostDims = 8;
  ByteReader outer(bytes, order);
  const auto whole = nextElement(outer);
  if (!whole || whole->type != matrixType) return std::nullopt;
  ByteReader in(whole->data, order);
  const auto flags = nextElement(in), dims = nextElement(in), name = nextElement(in), real = nextElement(in);
  if (!flags || !dims || !name || !real || flags->data.size() < 8 || dims->data.size() > mostDims * 4) {
    return std::nullopt;
  }
  const std::uint32_t kind = ByteReader(flags->data, order).number<std::uint32_t>() & 0xff;
  const auto type = static_cast<int>(std::min<std::uint32_t>(real->type, 255));
  if (kind < firstNumeric || kind > lastNumeric || !isNumber(type)) return std::nullopt;
  Matrix matrix{std::string(asText(name->data)), {}, {}};
  for (ByteReader sizes(dims->data, order); sizes.left() >= 4;) matrix.dims.push_back(sizes.number<std::int32_t>());
  ByteReader numbers(real->data, order);
  matrix.numbers = numbersOf(numbers, type);
  return matrix;
}

std::vector<Matrix> levelFive(std::span<const std::byte> bytes, std::endian order) {
  constexpr std::size_t headerBytes = 128;
  constexpr std::uint32_t compressed = 15;
  std::vector<Matrix> out;
  ByteReader in(bytes, order);
  in.seek(headerBytes);
  while (in.left() > 0) {
    const std::size_t start = in.position();
    const auto element = nextElement(in);
    if (!element) break;
    const auto inner = element->type == compressed ? unpacked(element->data) : std::vector<std::byte>{};
    auto matrix =
        matrixIn(element->type == compressed ? std::span<const std::byte>(inner) : bytes.subspan(start), order);
    if (matrix) out.push_back(std::move(*matrix));
  }
  return out;
}

// ---- both

Result<std::vector<Matrix>> matricesOf(const InputFile& file) {
  constexpr std::size_t orderAt = 126;
  const auto text = asText(file.bytes.first(std::min(file.bytes.size(), std::size_t{1024})));
  if (file.bytes.size() > mostFileBytes) return fail(ErrorCode::invalidInput, "it is too large for one", file.name);
  if (text.starts_with("MATLAB 7.3") || text.find("\x89HDF\r\n") != std::string_view::npos) {
    return fail(ErrorCode::unsupported, "it is of MATLAB 7.3; save it with -v6", file.name);
  }
  const auto mark = text.size() > orderAt + 1 ? text.substr(orderAt, 2) : std::string_view{};
  if (mark == "IM" || mark == "MI") {
    return levelFive(file.bytes, mark == "IM" ? std::endian::little : std::endian::big);
  }
  if (const auto order = levelFourOrder(file.bytes)) return levelFour(file.bytes, *order);
  return fail(ErrorCode::invalidInput, "it is no MATLAB file", file.name);
}

/// The first 4 x 4 matrix; empty if it is none or no transform.
std::optional<Affine> affineOf(const Matrix& matrix) {
  const auto& dims = matrix.dims;
  if (dims.size() < 2 || dims[0] != 4 || dims[1] != 4 || matrix.numbers.size() < matrixNumbers) return std::nullopt;
  Affine out;
  for (std::size_t i = 0; i < matrixNumbers; ++i) out.m[i % 4 * 4 + i / 4] = matrix.numbers[i];
  const bool lastRow = out.m[12] == 0 && out.m[13] == 0 && out.m[14] == 0 && out.m[15] == 1;
  return lastRow && inverse(out) ? std::optional(out) : std::nullopt;
}

}  // namespace

bool isSpmMatName(const std::string& name) {
  return lowerFileName(name).ends_with(".mat");
}

Result<SpmPlace> readSpmMat(const InputFile& file) {
  const auto matrices = matricesOf(file);
  if (!matrices) return tl::make_unexpected(matrices.error());
  for (const char* variable : {"mat", "M"}) {
    const auto found =
        std::find_if(matrices->begin(), matrices->end(), [&](const Matrix& matrix) { return matrix.name == variable; });
    if (found == matrices->end()) continue;
    const auto stored = affineOf(*found);
    if (!stored) {
      return fail(ErrorCode::invalidInput, "its matrix " + std::string(variable) + " is no 4 x 4 transform", file.name);
    }
    SpmPlace place;
    place.variable = variable;
    Affine fromOne;  // voxel 0 of ours is their voxel 1
    fromOne.setColumn(3, {1, 1, 1});
    Affine mirrored;
    if (place.variable == "M") mirrored(0, 0) = -1;
    place.worldFromVoxel = mirrored * *stored * fromOne;
    const auto& dims = found->dims;
    if (std::any_of(dims.begin() + 2, dims.end(), [](std::int64_t n) { return n > 1; })) {
      place.warnings.emplace_back("it has a place for each volume; that of the first is taken for all");
    }
    return place;
  }
  return fail(ErrorCode::invalidInput, "it has no matrix named mat or M", file.name);
}

}  // namespace nora
