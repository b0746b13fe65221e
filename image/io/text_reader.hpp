// Plain text for the page, whatever its encoding; mark-up is shown as it is written.
#pragma once

#include "image/io/file_reader.hpp"
#include "image/io/plain_text.hpp"

namespace nora {

/// By name: .txt .md .rst .html .htm .svg .log, README and its like. Answers UTF-8; of a long text the beginning.
class TextReader final : public FileReader {
 public:
  static constexpr std::size_t maxBytes = std::size_t{8} << 20;

  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  /// Errors: invalidInput (not text).
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const override;
};

/// The text as a document; `format` and `warnings` as given. Errors: invalidInput (not text), of the sink.
[[nodiscard]] Result<ReadContent> textDocument(const PlainText& text, DocumentInfo info, const std::string& name,
                                               MemorySink& sink);

/// Copies `bytes` into the sink.
[[nodiscard]] Result<ReadContent> documentOf(DocumentInfo info, std::string_view bytes, MemorySink& sink);

}  // namespace nora
