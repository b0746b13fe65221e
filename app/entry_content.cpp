#include "app/entry_content.hpp"

#include <nlohmann/json.hpp>

namespace nora {

Result<Entry> EntryContent::find(const std::string& id) const {
  auto entry = catalogue_.find(id);
  if (!entry) return fail(ErrorCode::notFound, "there is no such entry in the list of files", id);
  if (entry->state == EntryState::ready) return *std::move(entry);
  if (entry->state == EntryState::removed) return fail(ErrorCode::notFound, "the file is no longer there", entry->path);
  const auto code = entry->state == EntryState::unsupported ? ErrorCode::unsupported : ErrorCode::invalidInput;
  return fail(code, entry->reason, entry->path);
}

Result<Content> EntryContent::read(const Entry& entry, std::optional<std::int64_t> page, std::stop_token stop) const {
  const auto files = images_.open(Source{entry.path, entry.series}, stop);
  if (!files) return tl::make_unexpected(files.error());
  ReadOptions options;
  options.timePoint = page;
  return pool_.readContent(*files, entry.path, options, std::move(stop));
}

Result<Document> EntryContent::document(const std::string& id, std::int64_t page, std::stop_token stop) const {
  const auto entry = find(id);
  if (!entry) return tl::make_unexpected(entry.error());
  constexpr const char* refusal = "this is no document; its views and its information show it";
  if (entry->kind == "image") return fail(ErrorCode::unsupported, refusal, entry->path);
  auto content = read(*entry, page, std::move(stop));
  if (!content) return tl::make_unexpected(content.error());
  if (auto* document = std::get_if<Document>(&*content)) return std::move(*document);
  return fail(ErrorCode::unsupported, refusal, entry->path);
}

Result<nlohmann::json> EntryContent::info(const std::string& id, std::stop_token stop) const {
  const auto entry = find(id);
  if (!entry) return tl::make_unexpected(entry.error());
  nlohmann::json row;
  if (entry->kind == "image") {
    const auto image = images_.load(Source{entry->path, entry->series}, {}, std::move(stop));
    if (!image) return tl::make_unexpected(image.error());
    row = image->volume() ? toJson(image->volume()->info()) : infoOf(*image->shape());
  } else {
    const auto content = read(*entry, std::nullopt, std::move(stop));
    if (!content) return tl::make_unexpected(content.error());
    row = infoOf(*content);
  }
  row["file"] = entry->path;
  if (!entry->series.empty()) row["series"] = entry->series;
  return row;
}

}  // namespace nora
