// What a scan writes down of one file: from its path, from what a reader process says, from the files beside it.
#pragma once

#include "app/sidecar_metadata.hpp"
#include "archive/files/served_root.hpp"
#include "archive/files/tree_walker.hpp"
#include "archive/index/archive_values.hpp"
#include "image/io/reader_pool.hpp"

#include <string>

namespace nora {

/// From the path, and the subject and study that it says ("." is none). The kind is "image" for what a reader has to
/// look at, and of what belongs to another file "sidecar".
[[nodiscard]] FoundFileRecord recordOf(const ServedRoot& root, const FoundFile& file);

/// The record is of a file that a reader has to look at.
[[nodiscard]] bool isLookedAt(const FoundFileRecord& record);

/// Adds what a reader says; not of DICOM. Then what lies beside the file: BIDS metadata, the voxels of a header.
void takeSummary(const ServedRoot& root, SidecarMetadata& sidecars, const Result<FileSummary>& summary,
                 FoundFileRecord& record);

/// Cuts names of subject and study that they cannot have. Errors: which (the record is the project's then).
[[nodiscard]] Result<void> checkPlace(FoundFileRecord& record);

}  // namespace nora
