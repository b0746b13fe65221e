#include "image/io/tt_matrices.hpp"

#include "image/io/byte_reader.hpp"

#include <array>

namespace nora {
namespace {

constexpr std::size_t headerBytes = 20;
constexpr std::uint32_t mostNameBytes = 256;

struct Header {
  std::uint32_t type = 0, rows = 0, columns = 0, imaginary = 0, nameBytes = 0;
  std::endian order = std::endian::little;
};

/// The type is a decimal number MOPT: M byte order, O zero, P precision, T kind of matrix.
std::optional<Header> readHeader(std::span<const std::byte> bytes) {
  constexpr std::uint32_t largestType = 1052, bigEndian = 1000;
  for (const auto order : {std::endian::little, std::endian::big}) {
    ByteReader reader(bytes, order);
    Header header;
    for (auto* field : {&header.type, &header.rows, &header.columns, &header.imaginary, &header.nameBytes}) {
      *field = reader.number<std::uint32_t>();
    }
    header.order = header.type >= bigEndian ? std::endian::big : std::endian::little;
    const bool sound = reader.good() && header.type <= largestType && header.order == order && header.type % 10 <= 2 &&
                       header.type / 10 % 10 <= 5 && header.type / 100 % 10 == 0 && header.imaginary <= 1 &&
                       header.nameBytes > 0 && header.nameBytes <= mostNameBytes;
    if (sound) return header;
  }
  return std::nullopt;
}

std::size_t bytesOf(MatType type) {
  constexpr std::array<std::size_t, 6> sizes{8, 4, 4, 2, 2, 1};
  return sizes[static_cast<std::size_t>(type)];
}

}  // namespace

std::optional<double> MatMatrix::number(std::size_t i) const {
  if (i >= numbers) return std::nullopt;
  ByteReader reader(bytes, order);
  reader.seek(i * bytesOf(type));
  switch (type) {
    case MatType::float64: return reader.number<double>();
    case MatType::float32: return static_cast<double>(reader.number<float>());
    case MatType::int32: return reader.number<std::int32_t>();
    case MatType::int16: return reader.number<std::int16_t>();
    case MatType::uint16: return reader.number<std::uint16_t>();
    case MatType::uint8: break;
  }
  return reader.number<std::uint8_t>();
}

std::string MatMatrix::text() const {
  std::string out;
  constexpr std::size_t mostBytes = 4000;
  for (std::size_t i = 0; i < numbers && i < mostBytes; ++i) {
    const double code = *number(i);
    if (!(code >= 1 && code < 256)) break;
    out.push_back(static_cast<char>(static_cast<unsigned char>(code)));
  }
  return out;
}

bool looksLikeMat4(std::span<const std::byte> bytes) {
  return readHeader(bytes).has_value();
}

Result<std::vector<MatMatrix>> readMat4(std::span<const std::byte> bytes, const std::string& name) {
  constexpr std::size_t mostMatrices = 100000;
  std::vector<MatMatrix> out;
  const auto damaged = [&] {
    return fail(ErrorCode::invalidInput,
                "the file is cut short or damaged after " + std::to_string(out.size()) + " matrices", name);
  };
  for (std::size_t at = 0; at < bytes.size() && out.size() < mostMatrices;) {
    const auto header = readHeader(bytes.subspan(at));
    if (!header) return damaged();
    ByteReader reader(bytes.subspan(at), header->order);
    reader.skip(headerBytes);
    MatMatrix matrix;
    matrix.name = reader.text(header->nameBytes);
    matrix.type = static_cast<MatType>(header->type / 10 % 10);
    matrix.order = header->order;
    matrix.numbers = std::uint64_t{header->rows} * header->columns;  // below 2^64
    const std::uint64_t parts = header->imaginary + 1;
    if (matrix.numbers > reader.left() / bytesOf(matrix.type) / parts) return damaged();
    matrix.bytes = reader.take(matrix.numbers * bytesOf(matrix.type));
    reader.skip(matrix.bytes.size() * (parts - 1));
    if (!reader.good()) return damaged();
    at += reader.position();
    out.push_back(std::move(matrix));
  }
  return out;
}

}  // namespace nora
