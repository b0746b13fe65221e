#include "image/io/text_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace nora {
namespace {

struct TextKind {
  std::string_view suffix;
  std::string_view format;
};

constexpr std::array kinds{TextKind{".txt", "text"},          TextKind{".md", "Markdown"},
                           TextKind{".markdown", "Markdown"}, TextKind{".rst", "text"},
                           TextKind{".html", "HTML"},         TextKind{".htm", "HTML"},
                           TextKind{".svg", "SVG (text)"},    TextKind{".log", "text"}};
constexpr std::array<std::string_view, 7> wholeNames{"readme",  "changes", "changelog", "license",
                                                     "licence", "copying", "authors"};

std::string_view formatOf(const std::string& name) {
  const std::string lower = lowerFileName(name);
  if (std::find(wholeNames.begin(), wholeNames.end(), lower) != wholeNames.end()) return "text";
  for (const TextKind& kind : kinds) {
    if (hasTextSuffix(name, kind.suffix)) return kind.format;
  }
  return {};
}

}  // namespace

Result<ReadContent> documentOf(DocumentInfo info, std::string_view bytes, MemorySink& sink) {
  const auto memory = sink.allocate(std::max<std::size_t>(bytes.size(), 1));
  if (!memory) return tl::make_unexpected(memory.error());
  if (!bytes.empty()) std::memcpy(memory->data(), bytes.data(), bytes.size());
  return ReadDocument{std::move(info), 0, bytes.size()};
}

Result<ReadContent> textDocument(const PlainText& text, DocumentInfo info, const std::string& name, MemorySink& sink) {
  if (text.binary()) return fail(ErrorCode::invalidInput, "this is not text, whatever its name says", name);
  std::string_view raw = text.raw();
  if (raw.size() > TextReader::maxBytes || text.cut()) {
    raw = raw.substr(0, TextReader::maxBytes);
    info.warnings.emplace_back("only the first " + std::to_string(raw.size() >> 20) + " MiB are shown");
  }
  if (text.damaged()) info.warnings.emplace_back("the compressed file is damaged or cut short");
  info.mediaType = "text/plain";
  info.rows = std::count(raw.begin(), raw.end(), '\n') + (raw.empty() || raw.back() == '\n' ? 0 : 1);
  info.fields.emplace_back("encoding", text.encoding());
  return documentOf(std::move(info), text.utf8(raw), sink);
}

bool TextReader::recognises(const InputFile& file) const {
  return !formatOf(file.name).empty();
}

Result<FileSummary> TextReader::peek(const InputFile& file) const {
  return FileSummary{"document", std::string(formatOf(file.name)), nullptr};
}

Result<ReadContent> TextReader::readContent(std::span<const InputFile> files, const ReadOptions& /*options*/,
                                            MemorySink& sink) const {
  const InputFile& file = files.front();
  const PlainText text(file.bytes);
  DocumentInfo info;
  info.kind = "document";
  info.format = formatOf(file.name);
  return textDocument(text, std::move(info), file.name, sink);
}

}  // namespace nora
