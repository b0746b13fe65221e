// Stored DICOM pixels to voxels: bit masks, sign, byte order, colour models. No DICOM parsing here.
#pragma once

#include "base/error.hpp"
#include "image/voxel_type.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// How the pixels of one instance are stored. Source: DICOM PS3.3 C.7.6.3, C.11.1, C.11.2.
struct DicomPixelFormat {
  std::int64_t rows = 0, columns = 0;
  std::int64_t samples = 1;
  int bitsAllocated = 0, bitsStored = 0, highBit = 0;
  bool isSigned = false;
  bool planar = false;     // colour by plane
  bool bigEndian = false;  // 16- and 32-bit values, and 8-bit values in words
  bool words = false;
  std::string photometric;  // "MONOCHROME2", "RGB", "YBR_FULL", "PALETTE COLOR", ...
  double slope = 1, inter = 0;
  std::optional<std::array<double, 2>> window;       // centre, width
  std::array<std::vector<std::uint8_t>, 3> palette;  // red, green, blue; for PALETTE COLOR
  int paletteFirst = 0;                              // stored value of the first entry

  [[nodiscard]] std::size_t pixelCount() const { return static_cast<std::size_t>(rows * columns); }
  [[nodiscard]] bool isColour() const { return samples == 3 || photometric == "PALETTE COLOR"; }
};

/// Checks that the format is one that nora shows. Errors: unsupported, invalidInput.
[[nodiscard]] Result<void> checkPixelFormat(const DicomPixelFormat& format, const std::string& name);

/// The type that keeps the stored values as they are.
[[nodiscard]] VoxelType voxelTypeOf(const DicomPixelFormat& format);

/// Bytes of one frame as stored (uncompressed).
[[nodiscard]] std::size_t storedFrameBytes(const DicomPixelFormat& format);

/// Converts one frame. `stored` holds at least storedFrameBytes, `target` exactly pixelCount voxels of voxelTypeOf.
void convertPixels(const DicomPixelFormat& format, std::span<const std::byte> stored, std::span<std::byte> target);

/// The same for a grey frame, scaled by its slope and intercept.
void convertPixelsScaled(const DicomPixelFormat& format, std::span<const std::byte> stored, std::span<float> target);

}  // namespace nora
