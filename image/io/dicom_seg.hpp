// Reads a DICOM segmentation (SEG) as a label map, or as one image of probabilities a segment. Own code because DCMTK's
// dcmseg wants all functional groups to be right and copies each frame; only its codecs are used.
#pragma once

#include "image/io/file_reader.hpp"

#include <span>
#include <string>

namespace nora {

/// SEG and Label Map SEG.
[[nodiscard]] bool isSegmentationClass(const std::string& sopClassUid);

/// Shape:  BINARY: uint8 or uint16, the number of a segment in its voxels; segments that overlap go into further
///         components. LABELMAP: as stored. FRACTIONAL: one component a segment, value 0..1 by the slope.
///         Slices that have no frame are 0.
/// Fields: "sourceSeries" (UID of the segmented series), one a segment.
/// Errors: unsupported (tiled, side by side, not parallel), invalidInput (cut off), limitExceeded.
/// Source: DICOM PS3.3 A.51, C.8.20.
[[nodiscard]] Result<ReadImage> readDicomSegmentation(std::span<const InputFile> files, const ReadOptions& options,
                                                      MemorySink& sink);

}  // namespace nora
