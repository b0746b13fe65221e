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

/// A table from stored values to values: modality LUT. Source: DICOM PS3.3 C.11.1.
struct DicomTable {
  std::vector<std::uint16_t> entries;
  std::int64_t first = 0;  // stored value of the first entry; values outside get the nearest entry
  int bits = 16;
};

/// How the pixels of one instance are stored. Source: DICOM PS3.3 C.7.6.3, C.11.1, C.11.2.
struct DicomPixelFormat {
  std::int64_t rows = 0, columns = 0;
  std::int64_t samples = 1;
  int bitsAllocated = 0, bitsStored = 0, highBit = 0;
  bool isSigned = false;
  bool planar = false;     // colour by plane
  bool bigEndian = false;  // 16-, 32- and 64-bit values, and 8-bit values in words
  bool words = false;
  bool isFloat = false;     // float or double pixel data, by bitsAllocated
  std::string photometric;  // "MONOCHROME2", "RGB", "YBR_FULL", "PALETTE COLOR", ...
  double slope = 1, inter = 0;
  std::optional<std::array<double, 2>> padding;      // stored values that stand for nothing, from and to
  std::optional<DicomTable> table;                   // modality LUT; then there is no slope
  std::array<std::vector<std::uint8_t>, 3> palette;  // red, green, blue; for PALETTE COLOR
  std::int64_t paletteFirst = 0;                     // stored value of the first entry

  [[nodiscard]] std::size_t pixelCount() const { return static_cast<std::size_t>(rows * columns); }
  [[nodiscard]] bool isColour() const { return samples == 3 || photometric == "PALETTE COLOR"; }
};

/// Checks that the format is one that nora shows. Errors: unsupported, invalidInput.
[[nodiscard]] Result<void> checkPixelFormat(const DicomPixelFormat& format, const std::string& name);

/// The type that keeps the stored values as they are.
[[nodiscard]] VoxelType voxelTypeOf(const DicomPixelFormat& format);

/// Bytes of one frame as stored (uncompressed). Frames of one bit a pixel need not begin at a byte.
[[nodiscard]] std::size_t storedFrameBytes(const DicomPixelFormat& format);
/// Bytes of `frames` frames; empty if that overflows.
[[nodiscard]] std::optional<std::size_t> storedBytes(const DicomPixelFormat& format, std::size_t frames);

/// Converts one frame. `stored` holds at least storedFrameBytes, `target` exactly pixelCount voxels of voxelTypeOf.
/// `firstBit`: where the frame begins in the first byte, for one bit a pixel.
void convertPixels(const DicomPixelFormat& format, std::span<const std::byte> stored, std::span<std::byte> target,
                   std::size_t firstBit = 0);

/// The same for a grey frame, with its table or its slope and intercept applied.
void convertPixelsScaled(const DicomPixelFormat& format, std::span<const std::byte> stored, std::span<float> target,
                         std::size_t firstBit = 0);

}  // namespace nora
