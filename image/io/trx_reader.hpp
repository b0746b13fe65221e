// Reads TRX streamlines: a zip archive of arrays and a header.json.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// What peek calls the header.json of an unpacked TRX: the files below its folder belong to it.
inline constexpr const char* trxFolderFormat = "TRX folder";

/// Own reader because the format's library (trx-cpp) maps files by itself and is in no Debian release. Positions are
/// RAS mm, float16, float32 or float64; offsets uint32 or uint64, with or without the last one; values of points (dpv)
/// and streamlines (dps) keep their type (float16 becomes float32), groups become uint32; a group's colour (dpg) is
/// kept, its other values are fields. Stored members are copied once, from the mapped file. A wrong checksum of a
/// stored member is a warning: programs change TRX files in place.
/// Errors: invalidInput (damaged, counts that do not fit, offsets that go back, groups of unknown streamlines),
/// unsupported (encrypted), limitExceeded. Source: TRX specification, tee-ar-ex/trx-python.
class TrxReader final : public TractsReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadTracts> read(std::span<const InputFile> files, const ReadOptions& options,
                                        MemorySink& sink) const override;
};

}  // namespace nora
