#include "image/io/dicom_encapsulated.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/dicom_item.hpp"
#include "image/io/dicom_tags.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::uint16_t itemGroup = 0xFFFE;
constexpr std::uint16_t itemElement = 0xE000;
constexpr std::size_t itemHeadBytes = 8;

struct Pieces {
  std::vector<std::span<const std::byte>> fragments;
  std::vector<std::uint64_t> offsets;  // of each fragment's item, counted from the first one's
  std::span<const std::byte> basicTable;
};

/// dicomLayout has followed the items: their lengths are true.
Pieces piecesOf(std::span<const std::byte> value) {
  Pieces pieces;
  ByteReader reader(value);
  std::size_t firstItem = 0;
  for (bool table = true; reader.left() >= itemHeadBytes; table = false) {
    const std::size_t at = reader.position();
    if (!table && pieces.fragments.empty()) firstItem = at;
    if (reader.number<std::uint16_t>() != itemGroup || reader.number<std::uint16_t>() != itemElement) break;
    const auto bytes = reader.take(reader.number<std::uint32_t>());
    if (!reader.good()) break;
    if (table) {
      pieces.basicTable = bytes;
    } else {
      pieces.fragments.push_back(bytes);
      pieces.offsets.push_back(at - firstItem);
    }
  }
  return pieces;
}

template <class Offset>
std::vector<std::uint64_t> numbersOf(std::span<const std::byte> table) {
  std::vector<std::uint64_t> numbers;
  ByteReader reader(table);
  while (reader.left() >= sizeof(Offset)) numbers.push_back(reader.number<Offset>());
  return numbers;
}

/// The first fragment of each frame by a table of offsets; empty if it does not fit the fragments.
std::vector<std::size_t> startsByTable(const std::vector<std::uint64_t>& table, const Pieces& pieces,
                                       std::size_t frames) {
  if (table.size() != frames) return {};
  std::vector<std::size_t> starts;
  for (const std::uint64_t offset : table) {
    const auto found = std::lower_bound(pieces.offsets.begin(), pieces.offsets.end(), offset);
    if (found == pieces.offsets.end() || *found != offset) return {};
    starts.push_back(static_cast<std::size_t>(found - pieces.offsets.begin()));
    if (starts.size() > 1 && starts.back() <= starts[starts.size() - 2]) return {};
  }
  return starts;
}

/// A JPEG, JPEG-LS or JPEG 2000 code stream (SOI or SOC), or a JP2 file.
bool startsCodeStream(std::span<const std::byte> fragment) {
  if (fragment.size() < 4) return false;
  const auto byte = [&](std::size_t i) { return std::to_integer<int>(fragment[i]); };
  if (byte(0) == 0xFF && ((byte(1) == 0xD8 && byte(2) == 0xFF) || (byte(1) == 0x4F && byte(2) == 0xFF))) return true;
  return byte(0) == 0 && byte(1) == 0 && byte(2) == 0 && byte(3) == 0x0C;
}

std::vector<std::size_t> startsByContent(const Pieces& pieces, std::size_t frames) {
  std::vector<std::size_t> starts;
  if (frames == 1) return {0};
  if (pieces.fragments.size() == frames) {
    for (std::size_t i = 0; i < frames; ++i) starts.push_back(i);
    return starts;
  }
  for (std::size_t i = 0; i < pieces.fragments.size(); ++i) {
    if (startsCodeStream(pieces.fragments[i])) starts.push_back(i);
  }
  return starts.size() == frames && starts.front() == 0 ? starts : std::vector<std::size_t>{};
}

}  // namespace

Result<DicomFragments> DicomFragments::of(const DicomLayout& layout, std::size_t frames, const std::string& name) {
  Pieces pieces = piecesOf(layout.dataset.subspan(layout.pixels->value, layout.pixels->size));
  if (pieces.fragments.size() < frames || frames == 0) {
    return fail(ErrorCode::invalidInput,
                "the compressed pixel data is cut off: " + std::to_string(pieces.fragments.size()) +
                    " fragments are there for " + std::to_string(frames) + " frames",
                name);
  }
  const DicomItem item(layout);
  auto starts = startsByTable(numbersOf<std::uint64_t>(item.bytes(tag::extendedOffsetTable)), pieces, frames);
  if (starts.empty()) starts = startsByTable(numbersOf<std::uint32_t>(pieces.basicTable), pieces, frames);
  if (starts.empty() || starts.front() != 0) starts = startsByContent(pieces, frames);
  if (starts.empty()) {
    return fail(ErrorCode::invalidInput, "nothing tells where the frames of the compressed pixel data begin", name);
  }
  DicomFragments result;
  starts.push_back(pieces.fragments.size());
  result.starts_ = std::move(starts);
  result.fragments_ = std::move(pieces.fragments);
  return result;
}

std::span<const std::byte> DicomFragments::joinedFrame(std::size_t number, std::vector<std::byte>& joined) const {
  const auto pieces = frame(number);
  if (pieces.size() == 1) return pieces.front();
  joined.clear();
  for (const auto& piece : pieces) joined.insert(joined.end(), piece.begin(), piece.end());
  return joined;
}

}  // namespace nora
