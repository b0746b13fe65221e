#include "image/io/gifti_data.hpp"

#include "image/io/base64.hpp"
#include "image/io/gzip.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"
#include "image/io/mesh_text.hpp"
#include "image/io/voxel_parts.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace nora {
namespace {

tl::unexpected<Error> wrong(const GiftiArray& array, const GiftiSource& source, const std::string& what) {
  return fail(ErrorCode::invalidInput,
              "the array with intent " + (array.intent.empty() ? "NONE" : array.intent) + " " + what, source.name);
}

std::string_view textOf(const GiftiArray& array, const GiftiSource& source) {
  std::string_view text = source.xml.substr(array.dataBegin, array.dataEnd - array.dataBegin);
  constexpr std::string_view open = "<![CDATA[", close = "]]>";
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && text.substr(start).starts_with(open)) {
    text.remove_prefix(start + open.size());
    text = text.substr(0, text.find(close));
  }
  return text;
}

Result<const InputFile*> externalFile(const GiftiArray& array, const GiftiSource& source) {
  const auto baseName = [](const std::string& path) { return path.substr(path.find_last_of("/\\") + 1); };
  for (const InputFile& part : source.parts) {
    if (baseName(part.name) == baseName(array.externalName)) return &part;
  }
  return tl::make_unexpected(missingPart(array.externalName, source.name));
}

/// The most bytes that the encoded text can hold.
Result<std::size_t> mostBytes(const GiftiArray& array, const GiftiSource& source) {
  const std::size_t text = textOf(array, source).size();
  switch (array.encoding) {
    case GiftiEncoding::ascii: return (text + 1) / 2 * bytesPerVoxel(array.type);  // a digit and a space
    case GiftiEncoding::base64: return mostBase64Bytes(text);
    case GiftiEncoding::gzipBase64: return mostBase64Bytes(text) * maxDeflateRatio;
    case GiftiEncoding::external: break;
  }
  const auto file = externalFile(array, source);
  if (!file) return tl::make_unexpected(file.error());
  const std::size_t size = (*file)->bytes.size();
  return size - std::min(size, array.externalOffset);
}

template <class T>
bool parseNumbers(std::string_view text, std::span<std::byte> out) {
  TextCursor cursor(text);
  for (std::size_t at = 0; at < out.size(); at += sizeof(T)) {
    T value{};
    if constexpr (std::is_floating_point_v<T>) {
      const auto number = cursor.real();
      if (!number) return false;
      value = static_cast<T>(*number);
    } else {
      const auto number = cursor.number<std::int64_t>();
      if (!number || !std::in_range<T>(*number)) return false;
      value = static_cast<T>(*number);
    }
    std::memcpy(out.data() + at, &value, sizeof(T));
  }
  return cursor.atEnd();
}

Result<void> decodeText(const GiftiArray& array, const GiftiSource& source, std::span<std::byte> out) {
  const std::string_view text = textOf(array, source);
  const bool good = visitScalar(array.type, [&](auto zero) { return parseNumbers<decltype(zero)>(text, out); });
  if (good) return {};
  return wrong(array, source, "has more or fewer numbers than it says, or a word that is no such number");
}

Result<void> decodeBinary(const GiftiArray& array, const GiftiSource& source, std::span<std::byte> out) {
  const std::string_view text = textOf(array, source);
  if (array.encoding == GiftiEncoding::gzipBase64) {
    std::vector<std::byte> compressed(mostBase64Bytes(text.size()));
    const auto size = decodeBase64(text, compressed, source.name);
    if (!size) return tl::make_unexpected(size.error());
    return inflateExactly(std::span(compressed).first(*size), out, source.name);
  }
  if (array.encoding == GiftiEncoding::external) {
    const auto file = externalFile(array, source);
    if (!file) return tl::make_unexpected(file.error());
    std::memcpy(out.data(), (*file)->bytes.data() + array.externalOffset, out.size());
    return {};
  }
  const auto size = decodeBase64(text, out, source.name);
  if (!size) return tl::make_unexpected(size.error());
  if (*size == out.size()) return {};
  return wrong(array, source, "holds " + std::to_string(*size) + " of " + std::to_string(out.size()) + " bytes");
}

void reverseNumbers(std::span<std::byte> bytes, std::size_t size) {
  for (std::size_t at = 0; size > 1 && at < bytes.size(); at += size) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
}

/// Column-major: the first dimension runs fastest, and the last slowest.
void makeRowMajor(const GiftiArray& array, std::span<std::byte> bytes) {
  const std::vector<std::byte> from(bytes.begin(), bytes.end());
  const std::size_t unit = bytesPerVoxel(array.type);
  std::vector<std::size_t> index(array.dims.size(), 0);  // of the number to write, in row-major order
  for (std::size_t at = 0; at < bytes.size(); at += unit) {
    std::size_t place = 0;
    for (std::size_t d = index.size(); d-- > 0;) place = place * static_cast<std::size_t>(array.dims[d]) + index[d];
    std::memcpy(bytes.data() + at, from.data() + place * unit, unit);
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < static_cast<std::size_t>(array.dims[d])) break;
      index[d] = 0;
    }
  }
}

}  // namespace

Result<std::size_t> giftiBytes(const GiftiArray& array, const GiftiSource& source) {
  const auto components = array.components(source.name);
  if (!components) return tl::make_unexpected(components.error());
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::size_t>(array.count()), static_cast<std::size_t>(*components), &bytes) ||
      __builtin_mul_overflow(bytes, bytesPerVoxel(array.type), &bytes)) {
    return wrong(array, source, "claims more numbers than can be counted");
  }
  const auto most = mostBytes(array, source);
  if (!most) return tl::make_unexpected(most.error());
  if (bytes > *most) {
    return wrong(
        array, source,
        "claims " + std::to_string(bytes) + " bytes of data, the file holds " + std::to_string(*most) + " at most");
  }
  return bytes;
}

Result<void> decodeGifti(const GiftiArray& array, const GiftiSource& source, std::span<std::byte> out) {
  const bool text = array.encoding == GiftiEncoding::ascii;
  const auto decoded = text ? decodeText(array, source, out) : decodeBinary(array, source, out);
  if (!decoded) return decoded;
  constexpr bool bigMachine = std::endian::native == std::endian::big;
  if (!text && array.bigEndian != bigMachine) reverseNumbers(out, bytesPerVoxel(array.type));
  const bool vectors = std::count_if(array.dims.begin(), array.dims.end(), [](auto d) { return d > 1; }) > 1;
  if (array.columnMajor && vectors) makeRowMajor(array, out);
  return {};
}

}  // namespace nora
