// RLE Lossless. Own decoder because DCMTK's reads over the end of damaged segments.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

/// Fills `target` with samples in little endian order, interleaved (RGBRGB): target.size() is pixels * samples *
/// bytesPerSample. A segment that is too short is an error; what it has too much is ignored.
/// Errors: invalidInput. Source: DICOM PS3.5 annex G.
[[nodiscard]] Result<void> decodeRle(std::span<const std::byte> frame, std::size_t samples, std::size_t bytesPerSample,
                                     std::span<std::byte> target, const std::string& name);

}  // namespace nora
