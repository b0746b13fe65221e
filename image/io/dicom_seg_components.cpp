#include "image/io/dicom_seg_components.hpp"

#include <algorithm>
#include <bit>

namespace nora {
namespace {

constexpr std::size_t bitsAWord = 64;

bool overlap(const SegmentMask::Words& a, const SegmentMask::Words& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] & b[i]) != 0) return true;
  }
  return false;
}

bool overlaps(const SegmentMask& mask, const std::map<std::int64_t, SegmentMask::Words>& taken) {
  return std::any_of(mask.planes().begin(), mask.planes().end(), [&](const auto& plane) {
    const auto other = taken.find(plane.first);
    return other != taken.end() && overlap(plane.second, other->second);
  });
}

template <class T>
void writePlane(const SegmentMask::Words& words, T value, T* target) {
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (std::uint64_t left = words[w]; left != 0; left &= left - 1) {
      target[w * bitsAWord + static_cast<std::size_t>(std::countr_zero(left))] = value;
    }
  }
}

}  // namespace

SegmentMask::Words& SegmentMask::plane(std::int64_t z) {
  Words& words = planes_[z];
  if (words.empty()) words.resize((pixels_ + bitsAWord - 1) / bitsAWord);
  return words;
}

void SegmentMask::setRun(Words& words, std::size_t begin, std::size_t end) {
  while (begin < end) {
    const std::size_t bit = begin % bitsAWord;
    const std::size_t count = std::min(end - begin, bitsAWord - bit);
    const std::uint64_t ones = count == bitsAWord ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    words[begin / bitsAWord] |= ones << bit;
    begin += count;
  }
}

std::uint64_t SegmentMask::count() const {
  std::uint64_t sum = 0;
  for (const auto& [z, words] : planes_) {
    for (const std::uint64_t word : words) sum += static_cast<std::uint64_t>(std::popcount(word));
  }
  return sum;
}

Result<std::size_t> SegmentPacking::add(const SegmentMask& mask, const std::string& name) {
  std::size_t component = 0;
  while (component < taken_.size() && overlaps(mask, taken_[component])) ++component;
  if (component == maxComponents) {
    return fail(ErrorCode::limitExceeded, "more than " + std::to_string(maxComponents) + " segments lie on one another",
                name);
  }
  if (component == taken_.size()) taken_.emplace_back();
  for (const auto& [z, words] : mask.planes()) {
    SegmentMask::Words& target = taken_[component][z];
    if (target.empty()) {
      target = words;
    } else {
      for (std::size_t i = 0; i < words.size(); ++i) target[i] |= words[i];
    }
  }
  return component;
}

void writeMask(const SegmentMask& mask, std::int64_t value, VoxelType type, std::span<std::byte> volume) {
  for (const auto& [z, words] : mask.planes()) {
    const std::size_t first = static_cast<std::size_t>(z) * mask.pixelsAPlane();
    if (type == VoxelType::uint16) {
      writePlane(words, static_cast<std::uint16_t>(value), reinterpret_cast<std::uint16_t*>(volume.data()) + first);
    } else {
      writePlane(words, static_cast<std::uint8_t>(value), reinterpret_cast<std::uint8_t*>(volume.data()) + first);
    }
  }
}

}  // namespace nora
