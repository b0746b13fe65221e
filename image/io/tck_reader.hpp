// Reads MRtrix's streamlines: .tck, with values from a .tsf (one a point) or .txt (one a streamline) beside it.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parser because MRtrix has no library for it, and to read it in two passes at the speed of memory.
/// float32 and float64, both byte orders; RAS mm as they are. The count of the header is only a hint; a file without
/// its end mark is cut short unless it holds as many streamlines as the header says. Empty streamlines stay.
/// Parts of the name X.tsf and X.txt are attached where their numbers fit, and told where they do not.
/// Errors: invalidInput, unsupported (a .tsf alone, data in another file), notFound, limitExceeded.
class TckReader final : public TractsReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadTracts> read(std::span<const InputFile> files, const ReadOptions& options,
                                        MemorySink& sink) const override;
};

}  // namespace nora
