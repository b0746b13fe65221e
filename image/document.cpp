#include "image/document.hpp"

#include "image/checked_fields.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kinds{"table", "document", "labels"};
/// The browser is told one of these and nothing else: none of them runs as a page of ours.
constexpr std::array<std::string_view, 6> mediaTypes{"application/json", "application/pdf", "image/png",
                                                     "image/jpeg",       "image/gif",       "text/plain"};

template <std::size_t n>
bool among(const std::array<std::string_view, n>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

Document::Document(DocumentInfo info, MappedBytes bytes, std::size_t offset, std::size_t size, std::string name)
    : info_(std::move(info)), bytes_(std::move(bytes)), offset_(offset), size_(size), name_(std::move(name)) {}

Result<Document> Document::create(DocumentInfo info, MappedBytes bytes, std::size_t offset, std::size_t size,
                                  std::string name) {
  if (offset > bytes.size() || size > bytes.size() - offset) {
    return fail(ErrorCode::invalidInput, "the document ends before its last byte", name);
  }
  return Document(std::move(info), std::move(bytes), offset, size, std::move(name));
}

std::string_view Document::bytes() const {
  const auto all = bytes_.bytes();
  return {reinterpret_cast<const char*>(all.data()) + offset_, size_};
}

json toJson(const DocumentInfo& info) {
  return {{"kind", info.kind},
          {"format", jsonText(info.format)},
          {"mediaType", info.mediaType},
          {"rows", info.rows},
          {"columns", info.columns},
          {"width", info.width},
          {"height", info.height},
          {"pages", info.pages},
          {"fields", jsonPairs(info.fields)},
          {"warnings", jsonTexts(info.warnings)}};
}

Result<DocumentInfo> documentInfoFromJson(const json& object) {
  CheckedFields fields(object);
  DocumentInfo info;
  info.kind = fields.text("kind");
  info.format = fields.text("format");
  info.mediaType = fields.text("mediaType");
  fields.check(among(kinds, info.kind), "kind");
  fields.check(among(mediaTypes, info.mediaType), "mediaType");
  info.rows = static_cast<std::int64_t>(fields.count("rows"));
  info.columns = static_cast<std::int64_t>(fields.count("columns"));
  info.width = static_cast<std::int64_t>(fields.count("width"));
  info.height = static_cast<std::int64_t>(fields.count("height"));
  info.pages = fields.positive(fields.at("pages"), "pages");
  info.fields = fields.pairs("fields");
  info.warnings = fields.texts("warnings");
  if (!fields.good()) {
    return fail(ErrorCode::invalidInput, "the header of the document has no usable \"" + fields.wrong() + "\"");
  }
  return info;
}

}  // namespace nora
