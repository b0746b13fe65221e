// Tables and JSON for the page: CSV, TSV, b-values, FreeSurfer's statistics.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// By name: .csv .tsv .bval .bvec .stats .json (all also with .gz), bvals, bvecs. A table becomes
/// {"columns": [text, ...], "rows": [[text, ...], ...]}; of a long one the first rows, with the true count told. JSON
/// is passed on as it is once it was checked; what is no JSON is shown as text with a warning.
class TableReader final : public FileReader {
 public:
  static constexpr std::size_t maxRows = 100'000;
  static constexpr std::size_t maxBytes = std::size_t{8} << 20;  // of the answer
  static constexpr std::size_t maxJsonBytes = std::size_t{32} << 20;

  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  /// Errors: invalidInput (not text, a damaged .gz), limitExceeded (JSON beyond maxJsonBytes).
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const override;
};

}  // namespace nora
