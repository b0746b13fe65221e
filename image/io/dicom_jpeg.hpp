// JPEG (baseline, extended, lossless) and JPEG-LS frames, by DCMTK's codecs.
#pragma once

#include "base/error.hpp"
#include "image/io/dicom_pixels.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

/// Registers the codecs. Once in a process.
void prepareJpeg();

/// Decodes one frame into `target`, of format.bitsAllocated bits a sample in native byte order; `target` is one frame,
/// with one byte more if that is odd. `format` is changed to what the decoder made: colour model, planes, and rows and
/// columns where the code stream has fewer (tiles at an edge). No exception of DCMTK leaves it. Errors: invalidInput,
/// unsupported, limitExceeded.
[[nodiscard]] Result<void> decodeJpeg(std::span<const std::span<const std::byte>> fragments,
                                      const std::string& transferSyntaxUid, DicomPixelFormat& format,
                                      std::span<std::byte> target, const std::string& name);

}  // namespace nora
