// The header of a NIfTI-1 or NIfTI-2 file as plain values in native byte order: the step between bytes and ImageInfo.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace nora {

/// Field names are those of nifti1.h and nifti2.h.
struct NiftiHeader {
  int version = 1;       // 1 or 2
  bool swapped = false;  // the file has the other byte order than this machine
  bool pair = false;     // the magic says .hdr/.img
  std::array<std::int64_t, 8> dim{};
  std::array<double, 8> pixdim{};
  int datatype = 0;
  int bitpix = 0;
  std::int64_t voxOffset = 0;
  double sclSlope = 0;
  double sclInter = 0;
  double calMin = 0;
  double calMax = 0;
  int intentCode = 0;
  int xyztUnits = 0;
  int qformCode = 0;
  int sformCode = 0;
  std::array<double, 3> quatern{};  // b, c, d
  std::array<double, 3> qoffset{};
  std::array<double, 12> srow{};
  std::string descrip;

  /// Smallest offset of voxels in a single file: header and the four bytes of the extension flag.
  [[nodiscard]] std::int64_t smallestOffset() const { return version == 1 ? 352 : 544; }
};

/// So many bytes from the beginning are enough for both versions.
inline constexpr std::size_t niftiHeaderBytes = 540;

/// True if the bytes begin with a NIfTI header, by its magic.
[[nodiscard]] bool hasNiftiMagic(std::span<const std::byte> bytes);

/// Decodes the fields; what they say together is checked by describeNifti.
/// Errors: invalidInput (too short, no magic, an offset that is no whole number).
[[nodiscard]] Result<NiftiHeader> parseNiftiHeader(std::span<const std::byte> bytes, const std::string& name);

}  // namespace nora
