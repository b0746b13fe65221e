#include "app/api/nifti_texts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace nora {
namespace {

constexpr std::int64_t end = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t headerOf1 = 348, headerOf2 = 540;  // bytes; nifti1.h, nifti2.h

/// Numbers of a header in either order of bytes.
class Header {
 public:
  Header(std::string_view bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}
  template <class T>
  [[nodiscard]] T at(std::size_t place) const {
    std::array<char, sizeof(T)> raw{};
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(place), raw.size(), raw.begin());
    if (swapped_) std::reverse(raw.begin(), raw.end());
    T out;
    std::memcpy(&out, raw.data(), raw.size());
    return out;
  }

 private:
  std::string_view bytes_;
  bool swapped_;
};

std::optional<Header> headerOfSize(std::string_view head, std::size_t size) {
  if (head.size() < size) return std::nullopt;
  for (const bool swapped : {false, true}) {
    const Header header(head, swapped);
    if (header.at<std::int32_t>(0) == static_cast<std::int32_t>(size)) return header;
  }
  return std::nullopt;
}

/// Where the voxels end. Nothing: the numbers make no sense.
template <class Number>
std::optional<std::int64_t> endOfVoxels(const Header& header, std::size_t dims, std::int64_t bits, std::int64_t begin) {
  const auto count = static_cast<std::int64_t>(header.at<Number>(dims));
  if (count < 1 || count > 7 || bits < 1) return std::nullopt;
  std::int64_t all = bits;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(count); ++i) {
    const auto length = std::max<std::int64_t>(header.at<Number>(dims + i * sizeof(Number)), 1);
    if (__builtin_mul_overflow(all, length, &all)) return std::nullopt;
  }
  std::int64_t until = 0;
  if (__builtin_add_overflow(begin, all / 8 + (all % 8 != 0 ? 1 : 0), &until)) return std::nullopt;
  return until;
}

tl::unexpected<Error> notNifti() {
  return fail(ErrorCode::forbidden,
              "the file may tell whose it is in a way that is not known, and names are hidden from you in this project",
              "file");
}

}  // namespace

Result<NiftiTexts> NiftiTexts::in(std::string_view head) {
  using namespace std::string_view_literals;
  if (const auto header = headerOfSize(head, headerOf1)) {
    const auto magic = head.substr(344, 4);
    Places out{{4, 38}, {148, 252}, {328, 344}, {headerOf1, end}};
    if (magic == "ni1\0"sv) return NiftiTexts(out);
    const float begin = header->at<float>(108);
    if (magic != "n+1\0"sv || !(begin >= headerOf1) || !(begin < 1e15F)) return notNifti();
    const auto from = static_cast<std::int64_t>(begin);
    const auto until = endOfVoxels<std::int16_t>(*header, 40, header->at<std::int16_t>(72), from);
    if (!until) return notNifti();
    out.back().second = from;
    out.emplace_back(*until, end);
    return NiftiTexts(out);
  }
  if (const auto header = headerOfSize(head, headerOf2)) {
    const auto magic = head.substr(4, 4);
    Places out{{240, 344}, {508, 524}, {525, headerOf2}, {headerOf2, end}};
    if (magic == "ni2\0"sv) return NiftiTexts(out);
    const auto from = header->at<std::int64_t>(168);
    if (magic != "n+2\0"sv || from < static_cast<std::int64_t>(headerOf2)) return notNifti();
    const auto until = endOfVoxels<std::int64_t>(*header, 16, header->at<std::int16_t>(14), from);
    if (!until) return notNifti();
    out.back().second = from;
    out.emplace_back(*until, end);
    return NiftiTexts(out);
  }
  return notNifti();
}

void NiftiTexts::blank(std::span<std::byte> bytes, std::int64_t at) const {
  const std::int64_t until = at + static_cast<std::int64_t>(bytes.size());
  for (const auto& [from, to] : places_) {
    const auto first = std::max(from, at), last = std::min(to, until);
    if (first < last) std::fill(bytes.begin() + (first - at), bytes.begin() + (last - at), std::byte{0});
  }
}

}  // namespace nora
