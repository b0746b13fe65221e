#include "image/io/afni_labels.hpp"

#include "image/io/byte_reader.hpp"

#include <optional>
#include <string>

namespace nora {
namespace {

Label labelOf(std::int64_t value, std::string_view name) {
  return {value, std::string(name), {}, false};
}

/// Whole numbers, also where they are written "5.0".
std::optional<std::int64_t> valueFrom(std::string_view text) {
  const auto number = numberFrom<double>(text);
  constexpr double most = 9e15;
  if (!number || !(*number >= -most && *number <= most)) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

/// The text between the next two quotes (" or ') from `at` on, which moves behind them.
std::optional<std::string_view> quoted(std::string_view text, std::size_t& at) {
  const auto open = text.find_first_of("\"'", at);
  if (open == std::string_view::npos) return std::nullopt;
  const auto close = text.find(text[open], open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  at = close + 1;
  return text.substr(open + 1, close - open - 1);
}

/// The value of ` key="..."` in one element; empty without it.
std::optional<std::string_view> attributeOf(std::string_view element, std::string_view key) {
  const std::string wanted = std::string(key) + "=";
  for (auto at = element.find(wanted); at != std::string_view::npos; at = element.find(wanted, at + 1)) {
    const char before = at == 0 ? ' ' : element[at - 1];
    std::size_t behind = at + wanted.size();
    if (before != ' ' && before != '\n' && before != '\t' && before != '\r') continue;
    return quoted(element, behind);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Label> afniValueLabels(std::string_view niml) {
  std::vector<Label> out;
  const auto open = niml.find("<VALUE_LABEL_DTABLE");
  if (open == std::string_view::npos) return out;
  std::size_t at = niml.find('>', open);
  const auto end = niml.find("</VALUE_LABEL_DTABLE");
  const std::string_view body = niml.substr(0, end);
  while (at < body.size()) {
    const auto key = quoted(body, at);
    const auto name = key ? quoted(body, at) : std::nullopt;
    if (!name) break;
    if (const auto value = valueFrom(*key)) out.push_back(labelOf(*value, *name));
  }
  return out;
}

std::vector<Label> afniAtlasLabels(std::string_view niml) {
  constexpr std::string_view point = "<ATLAS_POINT";
  std::vector<Label> out;
  for (auto at = niml.find(point); at != std::string_view::npos;) {
    const auto next = niml.find(point, at + point.size());
    const std::string_view element = niml.substr(at, next - at);
    const auto value = attributeOf(element, "VAL");
    const auto name = attributeOf(element, "STRUCT");
    const auto number = value ? valueFrom(*value) : std::nullopt;
    if (number && name) out.push_back(labelOf(*number, *name));
    at = next;
  }
  return out;
}

}  // namespace nora
