#include "image/io/label_files.hpp"

#include "image/io/label_parsers.hpp"
#include "image/io/plain_text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::size_t maxFileBytes = std::size_t{16} << 20;

std::string fileName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

ParsedLabels parse(const InputFile& file) {
  const PlainText text(file.bytes, maxFileBytes);
  if (hasTextSuffix(file.name, ".lut")) {
    const bool ascii =
        !text.binary() && std::none_of(text.raw().begin(), text.raw().end(), [](char c) { return c < 0; });
    if (auto labels = ascii ? std::nullopt : parseBinaryLut(file)) return labels;
  }
  if (text.binary() || text.cut()) return std::nullopt;
  const std::string utf8 = text.utf8(text.raw());
  if (hasTextSuffix(file.name, ".json")) return parseLabelJson(utf8, file.name);
  if (hasTextSuffix(file.name, ".csv") || hasTextSuffix(file.name, ".tsv")) return parseLabelColumns(utf8, file.name);
  if (auto lines = parseLabelLines(utf8, file.name)) return lines;
  return parseLabelColumns(utf8, file.name);
}

/// Names under which a look-up table may come; keeps the scan from parsing every other text.
bool mayBeTable(const InputFile& file) {
  constexpr std::array<std::string_view, 7> suffixes{".lut", ".txt", ".ctbl", ".json", ".csv", ".tsv", ".label"};
  return file.bytes.size() <= maxFileBytes &&
         std::any_of(suffixes.begin(), suffixes.end(), [&](auto suffix) { return hasTextSuffix(file.name, suffix); });
}

DocumentInfo infoOf(const LabelFile& labels) {
  DocumentInfo info;
  info.kind = "labels";
  info.format = labels.format;
  info.mediaType = "application/json";
  info.rows = static_cast<std::int64_t>(labels.table.labels().size());
  info.columns = 3;
  return info;
}

}  // namespace

Result<LabelFile> parseLabelFile(const InputFile& file) {
  if (file.bytes.size() > maxFileBytes) {
    return fail(ErrorCode::limitExceeded, "a look-up table of more than 16 MiB is not read", file.name);
  }
  auto parsed = parse(file);
  if (!parsed) return fail(ErrorCode::unsupported, "this is no look-up table that nora knows", file.name);
  if (!*parsed) return tl::make_unexpected(parsed->error());
  LabelRows& rows = **parsed;
  LabelFile out;
  out.format = rows.format;
  out.certain = rows.certain;
  for (const Label& label : rows.labels) {
    out.named = out.named || !label.name.empty();
    out.coloured = out.coloured || label.hasColour;
  }
  out.table = LabelTable(std::move(rows.labels), fileName(file.name));
  return out;
}

LabelTable merged(const LabelFile& first, const LabelFile& second) {
  // The later of two labels with one value stays.
  std::vector<Label> labels = second.table.labels();
  for (Label label : first.table.labels()) {
    if (const Label* other = second.table.find(label.value)) {
      if (label.name.empty()) label.name = other->name;
      if (!label.hasColour && other->hasColour) {
        label.rgba = other->rgba;
        label.hasColour = true;
      }
    }
    labels.push_back(std::move(label));
  }
  return LabelTable(std::move(labels), first.table.source() + ", " + second.table.source());
}

bool LabelReader::recognises(const InputFile& file) const {
  if (!mayBeTable(file)) return false;
  const auto labels = parse(file);
  return labels && labels->has_value() && (*labels)->certain;
}

Result<FileSummary> LabelReader::peek(const InputFile& file) const {
  const auto labels = parseLabelFile(file);
  if (!labels) return tl::make_unexpected(labels.error());
  return FileSummary{"labels", labels->format, nullptr};
}

Result<ReadContent> LabelReader::readContent(std::span<const InputFile> files, const ReadOptions& /*options*/,
                                             MemorySink& sink) const {
  const auto labels = parseLabelFile(files.front());
  if (!labels) return tl::make_unexpected(labels.error());
  const std::string text = toJson(labels->table).dump();
  const auto memory = sink.allocate(text.size());
  if (!memory) return tl::make_unexpected(memory.error());
  std::memcpy(memory->data(), text.data(), text.size());
  return ReadDocument{infoOf(*labels), 0, text.size()};
}

}  // namespace nora
