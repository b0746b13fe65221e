// Reads the instances of one stack as a volume: slices in space, time points in order, frames decoded one by one into
// the sink.
#pragma once

#include "image/io/file_reader.hpp"

#include <span>

namespace nora {

/// As DicomReader::read, for images; not for segmentations and structure sets.
[[nodiscard]] Result<ReadImage> readDicomVolume(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink);

}  // namespace nora
