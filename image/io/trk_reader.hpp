// Reads TrackVis streamlines: .trk and .trk.gz, versions 1 and 2.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parser because TrackVis has no library. Both byte orders; points to RAS mm as trk_header.hpp says; values of
/// points and streamlines by their names. Errors: invalidInput (empty, cut, fewer streamlines than claimed),
/// unsupported (version), limitExceeded.
class TrkReader final : public TractsReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadTracts> read(std::span<const InputFile> files, const ReadOptions& options,
                                        MemorySink& sink) const override;
};

}  // namespace nora
