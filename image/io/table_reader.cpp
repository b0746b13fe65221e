#include "image/io/table_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/delimited_text.hpp"
#include "image/io/json_check.hpp"
#include "image/io/plain_text.hpp"
#include "image/io/text_reader.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

enum class Dialect { none, comma, tab, gradients, stats, json };

struct Named {
  std::string_view suffix;
  Dialect dialect;
  std::string_view format;
};

constexpr std::array named{Named{".csv", Dialect::comma, "CSV"},
                           Named{".tsv", Dialect::tab, "TSV"},
                           Named{".json", Dialect::json, "JSON"},
                           Named{".bval", Dialect::gradients, "b-values"},
                           Named{".bvec", Dialect::gradients, "b-vectors"},
                           Named{".bvals", Dialect::gradients, "b-values"},
                           Named{".bvecs", Dialect::gradients, "b-vectors"},
                           Named{".stats", Dialect::stats, "FreeSurfer statistics"},
                           Named{"bvals", Dialect::gradients, "b-values"},
                           Named{"bvecs", Dialect::gradients, "b-vectors"}};

Named kindOf(const std::string& name) {
  const std::string lower = lowerFileName(name);
  for (const Named& kind : named) {
    const bool whole = kind.suffix.front() != '.';
    if (whole ? lower == kind.suffix : hasTextSuffix(name, kind.suffix)) return kind;
  }
  return {"", Dialect::none, ""};
}

/// As a JSON string. The text is UTF-8.
void appendJsonText(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

/// Rows become JSON as they come; beyond the limits they are only counted.
class TableText {
 public:
  explicit TableText(const PlainText& text) : text_(text) {}

  [[nodiscard]] bool full() const {
    return rows_ >= static_cast<std::int64_t>(TableReader::maxRows) || json_.size() >= TableReader::maxBytes;
  }
  void add(const std::vector<std::string>& cells) {
    width_ = std::max(width_, cells.size());
    json_ += rows_ == 0 ? "\n" : ",\n";
    json_ += list(cells);
    ++rows_;
  }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::size_t width() const { return width_; }

  [[nodiscard]] std::string finish(std::vector<std::string> columns) const {
    while (columns.size() < width_) columns.push_back(std::to_string(columns.size() + 1));
    return "{\"columns\":" + list(columns) + ",\"rows\":[" + json_ + "]}";
  }

 private:
  [[nodiscard]] std::string list(const std::vector<std::string>& cells) const {
    std::string out = "[";
    for (const std::string& cell : cells) {
      if (out.size() > 1) out += ',';
      appendJsonText(out, text_.utf8(cell));
    }
    return out + "]";
  }

  const PlainText& text_;
  std::string json_;
  std::int64_t rows_ = 0;
  std::size_t width_ = 0;
};

DocumentInfo tableInfo(std::string_view format) {
  DocumentInfo info;
  info.kind = "table";
  info.format = format;
  info.mediaType = "application/json";
  return info;
}

Result<ReadContent> finished(DocumentInfo info, const TableText& table, std::vector<std::string> columns,
                             std::int64_t allRows, MemorySink& sink) {
  info.rows = allRows;
  info.columns = static_cast<std::int64_t>(std::max(columns.size(), table.width()));
  if (table.rows() < allRows) {
    info.warnings.push_back("only the first " + std::to_string(table.rows()) + " of " + std::to_string(allRows) +
                            " rows are shown");
  }
  return documentOf(std::move(info), table.finish(std::move(columns)), sink);
}

/// The first row names the columns unless all of it is numbers.
bool isHeader(const std::vector<std::string>& cells) {
  return std::any_of(cells.begin(), cells.end(), [](const std::string& cell) {
    return !trimmed(cell).empty() && !numberFrom<double>(cell) && trimmed(cell) != "n/a";
  });
}

Result<ReadContent> readSeparated(const PlainText& text, DocumentInfo info, char separator, const ReadOptions& options,
                                  MemorySink& sink) {
  DelimitedText rows(text.raw(), separator);
  TableText table(text);
  std::vector<std::string> cells, columns;
  std::int64_t count = 0;
  if (rows.next(cells)) {
    if (isHeader(cells)) {
      for (const std::string& cell : cells) columns.push_back(text.utf8(cell));
    } else {
      table.add(cells);
      ++count;
    }
  }
  while (!table.full() && rows.next(cells)) {
    table.add(cells);
    if (++count % 4096 == 0) options.progress(0.5);
  }
  while (rows.skip()) ++count;
  constexpr std::string_view names[]{"tab", ";", ",", "|"};
  for (const std::string_view name : names) {
    if (name.front() == separator || (name == "tab" && separator == '\t')) info.fields.emplace_back("separator", name);
  }
  return finished(std::move(info), table, std::move(columns), count, sink);
}

/// b-values and directions: a row a volume, however they stand in the file.
Result<ReadContent> readGradients(const PlainText& text, DocumentInfo info, MemorySink& sink) {
  std::vector<std::vector<std::string>> rows;
  ByteReader lines(std::as_bytes(std::span(text.raw())));
  while (lines.left() > 0 && rows.size() <= TableReader::maxRows) {
    const auto found = words(lines.line(), " \t\r,;\f\v", TableReader::maxRows);
    if (!found.empty()) rows.emplace_back(found.begin(), found.end());
  }
  const bool wide = !rows.empty() && rows.size() <= 3 && rows[0].size() > rows.size();
  const std::size_t volumes = wide ? rows[0].size() : rows.size();
  const std::size_t width = rows.empty() ? 0 : wide ? rows.size() : rows[0].size();
  TableText table(text);
  for (std::size_t i = 0; i < volumes && !table.full(); ++i) {
    std::vector<std::string> cells;
    if (!wide) cells = rows[i];
    for (std::size_t r = 0; wide && r < rows.size(); ++r) cells.push_back(i < rows[r].size() ? rows[r][i] : "");
    table.add(cells);
  }
  std::vector<std::string> columns;
  if (width == 1) columns = {"b"};
  if (width == 3) columns = {"x", "y", "z"};
  return finished(std::move(info), table, std::move(columns), static_cast<std::int64_t>(volumes), sink);
}

/// "# Measure X, Name, What it is, 1.2, mm^3": a field. "# ColHeaders a b": the columns.
void readStatsComment(std::string_view line, const PlainText& text, DocumentInfo& info,
                      std::vector<std::string>& columns) {
  constexpr std::size_t maxFields = 500;
  constexpr std::string_view headers = "ColHeaders", measure = "Measure";
  line = trimmed(line.substr(line.find_first_not_of("# \t")));
  if (line.starts_with(headers)) {
    columns.clear();
    for (const std::string_view word : words(line.substr(headers.size()))) columns.push_back(text.utf8(word));
  } else if (line.starts_with(measure) && info.fields.size() < maxFields) {
    const auto parts = words(line.substr(measure.size()), ",");
    if (parts.size() < 3) return;
    const std::string_view unit = trimmed(parts.back());
    info.fields.emplace_back(
        text.utf8(trimmed(parts[parts.size() - 3])),
        text.utf8(trimmed(parts[parts.size() - 2])) + (unit == "unitless" ? "" : " " + text.utf8(unit)));
  }
}

Result<ReadContent> readStats(const PlainText& text, DocumentInfo info, MemorySink& sink) {
  TableText table(text);
  std::vector<std::string> columns;
  std::int64_t count = 0;
  ByteReader lines(std::as_bytes(std::span(text.raw())));
  while (lines.left() > 0) {
    const std::string_view line = trimmed(lines.line());
    if (line.empty()) continue;
    if (line.starts_with('#')) {
      if (line.find_first_not_of("# \t") != std::string_view::npos) readStatsComment(line, text, info, columns);
      continue;
    }
    ++count;
    const auto found = words(line, " \t\r\f\v", DelimitedText::maxCells);
    if (!table.full()) table.add({found.begin(), found.end()});
  }
  return finished(std::move(info), table, std::move(columns), count, sink);
}

Result<ReadContent> readJson(const PlainText& text, DocumentInfo info, const std::string& name, MemorySink& sink) {
  if (text.raw().size() > TableReader::maxJsonBytes || text.cut()) {
    return fail(ErrorCode::limitExceeded,
                "JSON of more than " + std::to_string(TableReader::maxJsonBytes >> 20) + " MiB is not shown", name);
  }
  const std::string utf8 = text.utf8(text.raw());
  const JsonCheck check = checkJson(utf8);
  if (check.good) return documentOf(std::move(info), utf8, sink);
  info.kind = "document";
  info.format = "text";
  info.warnings.push_back(check.wrong + " (line " + std::to_string(check.line) + "); shown as text");
  return textDocument(text, std::move(info), name, sink);
}

}  // namespace

bool TableReader::recognises(const InputFile& file) const {
  return kindOf(file.name).dialect != Dialect::none;
}

Result<FileSummary> TableReader::peek(const InputFile& file) const {
  return FileSummary{"table", std::string(kindOf(file.name).format), nullptr};
}

Result<ReadContent> TableReader::readContent(std::span<const InputFile> files, const ReadOptions& options,
                                             MemorySink& sink) const {
  const InputFile& file = files.front();
  const Named kind = kindOf(file.name);
  const PlainText text(file.bytes);
  if (text.binary()) return fail(ErrorCode::invalidInput, "this is not text, whatever its name says", file.name);
  DocumentInfo info = tableInfo(kind.format);
  if (kind.dialect == Dialect::json) return readJson(text, std::move(info), file.name, sink);
  if (text.cut()) {
    info.warnings.push_back("only the first " + std::to_string(PlainText::maxInflatedBytes >> 20) + " MiB are read");
  }
  if (text.damaged()) info.warnings.emplace_back("the compressed file is damaged or cut short");
  switch (kind.dialect) {
    case Dialect::gradients: return readGradients(text, std::move(info), sink);
    case Dialect::stats: return readStats(text, std::move(info), sink);
    case Dialect::tab: return readSeparated(text, std::move(info), '\t', options, sink);
    default: {
      const char separator = guessSeparator(text.raw());
      return readSeparated(text, std::move(info), separator == 0 ? ',' : separator, options, sink);
    }
  }
}

}  // namespace nora
