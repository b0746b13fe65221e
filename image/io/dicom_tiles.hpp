// Whole-slide microscopy: the tiles of a small level put together as one image.
#pragma once

#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_pixels.hpp"
#include "image/io/file_reader.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

/// Fills `target`, which has the size of the total pixel matrix; where there is no tile it stays as it is.
/// Errors: invalidInput (a tile outside the matrix), as DicomStoredFrames. Source: DICOM PS3.3 C.7.6.17, C.8.12.6.
[[nodiscard]] Result<void> readTiles(const DicomLayout& layout, const DicomPixelFormat& format, const std::string& name,
                                     const ReadOptions& options, std::span<std::byte> target);

}  // namespace nora
