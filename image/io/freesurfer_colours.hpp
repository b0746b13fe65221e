// The colour table that FreeSurfer embeds in its binary files: behind the voxels of MGH volumes, in annotations.
#pragma once

#include "image/io/byte_reader.hpp"
#include "image/label_table.hpp"

#include <optional>
#include <vector>

namespace nora {

/// Reads from the version on (behind the tag), big-endian; of both versions. The alpha of the file is transparency.
/// Empty if it is cut short or makes no sense. Source: FreeSurfer's CTABreadFromBinary.
[[nodiscard]] std::optional<std::vector<Label>> readFreeSurferColours(ByteReader& in);

}  // namespace nora
