// Reads DSI Studio's "tiny track" streamlines: .tt and .tt.gz.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parser because DSI Studio has no library. A MATLAB 4 file with the matrices dimension, voxel_size, trans_to_mni
/// (row after row) and track, track1, ...: for each streamline the number of its coordinates (uint32), its first point
/// (three int32) and the steps to the others (int8), all in 1/32 voxel. trans_to_mni takes voxel centres to RAS mm.
/// A file without it is placed as DSI Studio does it: by voxel size, x and y to the left and back, told in a warning.
/// cluster (one number a streamline) is kept. Errors: invalidInput (cut, damaged), limitExceeded.
/// Source: dsi-studio.labsolver.org, "Data export/import"; frankyeh/DSI-Studio, class TinyTrack.
class TtReader final : public TractsReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadTracts> read(std::span<const InputFile> files, const ReadOptions& options,
                                        MemorySink& sink) const override;
};

}  // namespace nora
