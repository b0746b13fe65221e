// Siemens MOSAIC: the slices of one volume laid out as tiles of one image.
#pragma once

#include "image/io/dicom_header.hpp"
#include "image/io/dicom_item.hpp"

#include <cstddef>
#include <span>

namespace nora {

/// Makes every tile a frame with its place; rows and columns become those of a tile. `header` has the geometry that the
/// data set states, which is that of a slice of the mosaic's size: its corner is moved to the tile's.
/// Without a private header that tells the number of tiles and the direction of the slices: `unsupported` says so.
/// Source: as dcm2niix and nibabel have it.
void placeMosaicTiles(const DicomItem& dataset, DicomHeader& header);

/// Tiles side by side in a mosaic of `tiles`.
[[nodiscard]] std::size_t mosaicWidth(std::size_t tiles);

/// Copies one tile out of the mosaic. `voxelBytes`: of one pixel; `columns`, `rows`: of a tile.
void copyMosaicTile(std::span<const std::byte> mosaic, std::size_t tile, std::size_t tiles, std::size_t columns,
                    std::size_t rows, std::size_t voxelBytes, std::span<std::byte> target);

}  // namespace nora
