// Look-up tables: names and colours of label values in the files of a dozen tools.
#pragma once

#include "base/error.hpp"
#include "image/io/file_reader.hpp"
#include "image/label_table.hpp"

#include <string>

namespace nora {

struct LabelFile {
  std::string format;  // "FreeSurfer look-up table", "ITK-SNAP labels", ...
  LabelTable table;    // source: the file's name without folders
  bool named = false;  // some label has a name
  bool coloured = false;
  /// The content can be nothing else. False: a list of numbers and words that is a table only where its name says so.
  bool certain = false;
};

/// Understands, by content: FreeSurfer (alpha 0: opaque), Slicer and MRtrix text tables, ITK-SNAP labels, FSLeyes and
/// MRIcron text tables, MRIcron's binary .lut (256 reds, greens, blues; ImageJ's, too), lists "value name", JSON
/// (NiiVue colour maps, nnU-Net's and other "labels", {"1": "name"}), CSV and TSV with a value column (BIDS: index,
/// name, color). Label 0 of a table that gives it no alpha of its own is transparent. Errors: unsupported (no look-up
/// table); invalidInput (names the line); limitExceeded (larger than 16 MiB).
[[nodiscard]] Result<LabelFile> parseLabelFile(const InputFile& file);

/// Names from the one, colours from the other; what both have comes from `first`.
[[nodiscard]] LabelTable merged(const LabelFile& first, const LabelFile& second);

/// Look-up tables on their own: kind "labels", bytes as toJson(LabelTable). Takes only files whose content is certain.
class LabelReader final : public FileReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const override;
};

}  // namespace nora
