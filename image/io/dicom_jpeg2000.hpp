// JPEG 2000 and HTJ2K frames, by OpenJPEG from memory.
#pragma once

#include "base/error.hpp"
#include "image/io/dicom_pixels.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

/// Fills `target` with samples of format.bitsAllocated bits (8, 16 or 32) in native byte order, interleaved;
/// target.size() is that of one frame. Colour transforms of the code stream are undone: format.photometric becomes
/// "RGB" where it was YBR_RCT or YBR_ICT. The code stream has to have the rows, columns and samples of `format`.
/// Errors: invalidInput, unsupported (sub-sampled components), limitExceeded.
[[nodiscard]] Result<void> decodeJpeg2000(std::span<const std::byte> codeStream, DicomPixelFormat& format,
                                          std::span<std::byte> target, const std::string& name);

}  // namespace nora
