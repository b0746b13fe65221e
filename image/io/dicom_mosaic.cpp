#include "image/io/dicom_mosaic.hpp"

#include "image/io/dicom_csa.hpp"
#include "image/io/dicom_stack.hpp"
#include "image/io/dicom_tags.hpp"

#include <cmath>
#include <cstring>
#include <string>

namespace nora {
namespace {

constexpr char csaCreator[] = "SIEMENS CSA HEADER";
constexpr std::uint16_t csaGroup = 0x0029;
constexpr std::uint8_t imageHeader = 0x10, seriesHeader = 0x20;

/// The distance of the first two slices in the protocol.
std::optional<double> protocolSpacing(std::span<const std::byte> series) {
  Vec3 places[2]{};
  for (int slice = 0; slice < 2; ++slice) {
    std::size_t axis = 0;
    for (const char* name : {"dSag", "dCor", "dTra"}) {
      // Zeroes are not written.
      const std::string key = "sSliceArray.asSlice[" + std::to_string(slice) + "].sPosition." + name;
      places[slice][axis++] = protocolNumber(series, key).value_or(0);
    }
  }
  const double distance = length(places[1] - places[0]);
  return distance > 0 ? std::optional(distance) : std::nullopt;
}

double spacingOf(const DicomItem& dataset, const DicomHeader& header) {
  if (header.spacingBetweenSlices > 0) return header.spacingBetweenSlices;
  const std::uint32_t tag = dataset.privateTag(csaGroup, csaCreator, seriesHeader);
  if (const auto spacing = protocolSpacing(dataset.bytes(tag))) return *spacing;
  return header.sliceThickness;
}

}  // namespace

std::size_t mosaicWidth(std::size_t tiles) {
  std::size_t width = 1;
  while (width * width < tiles) ++width;
  return width;
}

void placeMosaicTiles(const DicomItem& dataset, DicomHeader& header) {
  const auto refuse = [&](const char* why) { header.unsupported = std::string("Siemens mosaic ") + why; };
  const std::uint32_t tag = dataset.privateTag(csaGroup, csaCreator, imageHeader);
  if (tag == 0) return refuse("without its private (CSA) header: the number of slices is not known");
  const CsaHeader csa(dataset.bytes(tag));
  const auto count = csa.number("NumberOfImagesInMosaic");
  const auto normal = csa.numbers("SliceNormalVector");
  if (!count || *count < 1 || *count > 4096 || normal.size() < 3) {
    return refuse("whose private (CSA) header does not tell the number and direction of its slices");
  }
  const auto tiles = static_cast<std::int64_t>(*count);
  const auto width = static_cast<std::int64_t>(mosaicWidth(static_cast<std::size_t>(tiles)));
  if (header.columns % width != 0 || header.rows % width != 0 || header.frames != 1) {
    return refuse("whose size is no multiple of its number of tiles");
  }
  const auto plane = planeOf(header);
  if (!plane) return refuse("without a position in space");
  const Vec3 up{normal[0], normal[1], normal[2]};
  const double along = dot(up, plane->normal);
  if (std::abs(std::abs(along) - 1) > 0.01) return refuse("whose slices are not perpendicular to their direction");
  const double step = spacingOf(dataset, header);
  if (!(step > 0 && step < 1000)) return refuse("without a slice spacing");
  const std::int64_t columns = header.columns / width, rows = header.rows / width;
  const double right = static_cast<double>(header.columns - columns) / 2 * plane->rowStepMm;
  const double down = static_cast<double>(header.rows - rows) / 2 * plane->columnStepMm;
  const Vec3 first = plane->position + plane->row * right + plane->column * down;
  header.columns = columns;
  header.rows = rows;
  header.frames = tiles;
  header.kinds = {
      {header.orientationLps, header.pixelSpacing, header.sliceThickness, step, header.echoTime, header.imageType, ""}};
  for (std::int64_t i = 0; i < tiles; ++i) {
    const Vec3 position = first + plane->normal * (static_cast<double>(i) * step * (along > 0 ? 1 : -1));
    header.places.push_back({0, position, header.temporalPosition.value_or(0), 0, header.acquisitionTime});
  }
}

void copyMosaicTile(std::span<const std::byte> mosaic, std::size_t tile, std::size_t tiles, std::size_t columns,
                    std::size_t rows, std::size_t voxelBytes, std::span<std::byte> target) {
  const std::size_t width = mosaicWidth(tiles), line = columns * voxelBytes;
  const std::size_t start = tile / width * rows * width * line + tile % width * line;
  for (std::size_t y = 0; y < rows; ++y) {
    std::memcpy(target.data() + y * line, mosaic.data() + start + y * width * line, line);
  }
}

}  // namespace nora
