#include "image/io/tract_content.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/gzip.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include <libdeflate.h>

namespace nora {
namespace {

/// What the end of the file says of the size of its last member, modulo 2^32; most files have one member.
std::size_t sizeHint(std::span<const std::byte> compressed) {
  constexpr std::size_t trailer = 4;
  if (compressed.size() < trailer) return 0;
  return ByteReader(compressed.last(trailer)).number<std::uint32_t>();
}

}  // namespace

Result<TractContent> TractContent::of(const InputFile& file) {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  TractContent content;
  content.bytes_ = file.bytes;
  if (!isGzip(file.bytes)) return content;
  const auto inflated = content.inflate(file);
  if (!inflated) return tl::make_unexpected(inflated.error());
  return content;
}

bool TractContent::grow(std::size_t size) {
  auto* memory = static_cast<std::byte*>(std::realloc(memory_.get(), size));  // large blocks move without a copy
  if (memory == nullptr) return false;
  static_cast<void>(memory_.release());
  memory_.reset(memory);
  capacity_ = size;
  return true;
}

Result<void> TractContent::inflate(const InputFile& file) {
  constexpr std::size_t smallest = 4096;
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  std::size_t most = 0;
  if (__builtin_mul_overflow(file.bytes.size(), mostRatio, &most)) most = SIZE_MAX / 2;
  most = std::max(most, freeBytes);
  if (!inflater || !grow(std::clamp(sizeHint(file.bytes), smallest, most))) {
    return fail(ErrorCode::limitExceeded, "out of memory while inflating", file.name);
  }
  std::size_t made = 0;
  for (auto rest = file.bytes; isGzip(rest);) {
    std::size_t consumed = 0, produced = 0;
    const auto status = libdeflate_gzip_decompress_ex(inflater.get(), rest.data(), rest.size(), memory_.get() + made,
                                                      capacity_ - made, &consumed, &produced);
    if (status == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (capacity_ >= most) {
        return fail(ErrorCode::limitExceeded,
                    "the file inflates to more than " + std::to_string(mostRatio) +
                        " times its size; no streamlines do, so it was not read",
                    file.name);
      }
      if (!grow(std::min(most, capacity_ * 2))) {
        return fail(ErrorCode::limitExceeded, "out of memory while inflating", file.name);
      }
      continue;
    }
    if (status != LIBDEFLATE_SUCCESS) {
      return fail(ErrorCode::invalidInput,
                  "the compressed data are damaged or cut short; copy the file again from its source", file.name);
    }
    made += produced;
    rest = rest.subspan(consumed);
  }
  bytes_ = {memory_.get(), made};
  return {};
}

std::vector<std::byte> beginningOf(const InputFile& file, std::size_t size) {
  if (isGzip(file.bytes)) return inflatePrefix(file.bytes, size);
  const auto first = file.bytes.first(std::min(file.bytes.size(), size));
  return {first.begin(), first.end()};
}

bool nameEndsWith(std::string_view name, std::string_view suffix) {
  if (name.size() < suffix.size()) return false;
  return std::equal(suffix.begin(), suffix.end(), name.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

void movePoints(std::span<float> positions, const Affine& affine) {
  const auto& m = affine.m;
  float* p = positions.data();
  for (std::size_t i = 0, n = positions.size() / 3; i < n; ++i, p += 3) {
    const double x = p[0], y = p[1], z = p[2];
    p[0] = static_cast<float>(m[0] * x + m[1] * y + m[2] * z + m[3]);
    p[1] = static_cast<float>(m[4] * x + m[5] * y + m[6] * z + m[7]);
    p[2] = static_cast<float>(m[8] * x + m[9] * y + m[10] * z + m[11]);
  }
}

}  // namespace nora
