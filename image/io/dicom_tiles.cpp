#include "image/io/dicom_tiles.hpp"

#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_stored.hpp"
#include "image/io/dicom_tags.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

namespace nora {
namespace {

/// Column and row of each tile's first pixel, from 0.
std::vector<std::array<std::int64_t, 2>> placesOf(const DicomItem& dataset, const DicomPixelFormat& format,
                                                  std::size_t frames, std::int64_t columns) {
  std::vector<std::array<std::int64_t, 2>> places;
  if (dataset.text(tag::dimensionOrganizationType) == "TILED_FULL") {  // rows of tiles, from left to right
    const std::int64_t across = (columns + format.columns - 1) / format.columns;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(frames); ++i) {
      places.push_back({i % across * format.columns, i / across * format.rows});
    }
    return places;
  }
  for (const DicomFrame& frame : framesOf(dataset, frames).frames) {
    if (frame.tilePosition) places.push_back({(*frame.tilePosition)[0] - 1, (*frame.tilePosition)[1] - 1});
  }
  return places;
}

}  // namespace

Result<void> readTiles(const DicomLayout& layout, const DicomPixelFormat& format, const std::string& name,
                       const ReadOptions& options, std::span<std::byte> target) {
  const DicomItem dataset(layout);
  const std::int64_t columns = dataset.integer(tag::totalMatrixColumns, 0, 0, 65535);
  const std::int64_t rows = dataset.integer(tag::totalMatrixRows, 0, 0, 65535);
  constexpr std::int64_t int32Max = std::numeric_limits<std::int32_t>::max();
  const auto frames = static_cast<std::size_t>(dataset.integer(tag::numberOfFrames, 1, 0, int32Max));
  const std::size_t voxelBytes = bytesPerVoxel(voxelTypeOf(format));
  if (target.size() != static_cast<std::size_t>(columns * rows) * voxelBytes) {
    return fail(ErrorCode::internal, "the slide has another size than was thought", name);
  }
  auto stored = DicomStoredFrames::open(layout, format, frames, name);
  if (!stored) return tl::make_unexpected(stored.error());
  const auto places = placesOf(dataset, format, frames, columns);
  if (places.size() != frames) return fail(ErrorCode::invalidInput, "a tile does not say where it lies", name);
  std::vector<std::byte> tile(format.pixelCount() * voxelBytes);
  for (std::size_t i = 0; i < frames; ++i) {
    const auto [left, top] = places[i];
    if (left < 0 || top < 0 || left >= columns || top >= rows) {
      return fail(ErrorCode::invalidInput, "a tile lies outside the slide", name);
    }
    const auto frame = stored->frame(i);
    if (!frame) return tl::make_unexpected(frame.error());
    const DicomPixelFormat& f = frame->format;  // smaller at the edges, in some files
    if (f.rows > format.rows || f.columns > format.columns || voxelTypeOf(f) != voxelTypeOf(format)) {
      return fail(ErrorCode::invalidInput, "a tile has another size or kind than the others", name);
    }
    convertPixels(f, frame->bytes, std::span(tile).first(f.pixelCount() * voxelBytes));
    const auto width = static_cast<std::size_t>(std::min(f.columns, columns - left)) * voxelBytes;
    for (std::int64_t y = 0; y < std::min(f.rows, rows - top); ++y) {
      const auto to = static_cast<std::size_t>((top + y) * columns + left) * voxelBytes;
      const auto from = static_cast<std::size_t>(y * f.columns) * voxelBytes;
      std::memcpy(target.data() + to, tile.data() + from, width);
    }
    options.progress(static_cast<double>(i + 1) / static_cast<double>(frames));
  }
  return {};
}

}  // namespace nora
