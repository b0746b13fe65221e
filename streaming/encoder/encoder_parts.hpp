// The encoders behind makeEncoder.
#pragma once

#include "streaming/encoder/encoder.hpp"

namespace nora {

/// invalidInput if there is nothing to encode, or the pixels are not those of the size.
[[nodiscard]] Result<void> checkFrame(const Frame& frame);

[[nodiscard]] Result<std::unique_ptr<Encoder>> makeJpegEncoder();
[[nodiscard]] std::unique_ptr<Encoder> makePngEncoder();
[[nodiscard]] std::unique_ptr<Encoder> makeWebpEncoder();
[[nodiscard]] Result<std::unique_ptr<Encoder>> makeVideoEncoder(Codec codec);

}  // namespace nora
