// Bytes of a file on their way out: as they are, or a NIfTI file without its texts, packed anew where it was packed.
#pragma once

#include "app/api/nifti_texts.hpp"
#include "base/unique_fd.hpp"
#include "streaming/socket/server.hpp"

#include <memory>
#include <optional>

namespace nora {

/// The bytes from `from`, `count` of them. An error if the file gets shorter meanwhile.
[[nodiscard]] std::shared_ptr<HttpStream> fileStream(UniqueFd fd, std::int64_t from, std::int64_t count,
                                                     std::optional<NiftiTexts> without = std::nullopt);

/// A file that gzip has packed, without these texts; what gzip noted of the file's name is left out, too. How long it
/// is turns out at its end.
[[nodiscard]] std::shared_ptr<HttpStream> packedStream(UniqueFd fd, const NiftiTexts& without);

}  // namespace nora
