// A search back to text, and the names of fields and levels.
#include "archive/search/query.hpp"
#include "archive/search/query_values.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::array<std::string_view, 19> fieldNames{
    "",         "name",  "path", "project", "subject", "study", "tag", "kind",    "format", "modality",
    "sequence", "state", "date", "added",   "changed", "size",  "dim", "spacing", "meta"};
constexpr std::array<std::string_view, 5> levelNames{"", "project", "subject", "study", "file"};

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

/// Parts that the language would cut are put in quotes.
std::string keyText(std::string_view key) {
  std::string text;
  while (true) {
    const auto dot = key.find('.');
    const std::string_view part = key.substr(0, dot);
    const bool plain = part.find_first_of(" \t\r\n()&|\":=<>!\\") == std::string_view::npos;
    text += plain ? std::string(part) : quoted(part);
    if (dot == std::string_view::npos) return text;
    text += '.';
    key.remove_prefix(dot + 1);
  }
}

std::string fieldText(const Condition& condition) {
  std::string text;
  if (condition.level != Level::none) text = std::string(toString(condition.level)) + ".";
  text += toString(condition.field);
  if (condition.field == SearchField::meta) text += "." + keyText(condition.key);
  return text;
}

std::string operandText(const Operand& operand) {
  if (operand.number) return numberText(*operand.number);
  if (operand.date) return dateText(*operand.date);
  if (operand.text) return operand.quoted ? quoted(*operand.text) : *operand.text;
  std::string text;
  if (!operand.axes) return text;
  for (const auto& axis : operand.axes->axes) {
    text += (text.empty() ? "" : "x") + (axis ? numberText(*axis) : std::string("*"));
  }
  return text;
}

std::string conditionText(const Condition& condition) {
  if (condition.field == SearchField::word) return operandText(condition.operand);
  const std::string field = fieldText(condition);
  const std::string value = operandText(condition.operand);
  switch (condition.comparison) {
    case Comparison::present: return "has:" + field;
    case Comparison::range: return field + ":" + value + ".." + operandText(condition.upper);
    case Comparison::notEqual: return field + "!=" + value;
    case Comparison::less: return field + "<" + value;
    case Comparison::lessEqual: return field + "<=" + value;
    case Comparison::greater: return field + ">" + value;
    case Comparison::greaterEqual: return field + ">=" + value;
    case Comparison::equal: break;
  }
  // After a colon the value may not begin like a comparison.
  const bool plain = value.find_first_of(":=<>!") != 0;
  return field + (plain ? ":" : "=") + value;
}

/// `kind` of the query around it decides about brackets.
std::string childText(const Query& child, Query::Kind kind) {
  const bool loose =
      child.kind == Query::Kind::either || (child.kind == Query::Kind::both && kind != Query::Kind::either);
  return loose ? "(" + toText(child) + ")" : toText(child);
}

}  // namespace

bool Condition::operator==(const Condition& other) const {
  return field == other.field && level == other.level && key == other.key && comparison == other.comparison &&
         operand == other.operand && upper == other.upper;
}

std::string_view toString(SearchField field) {
  return fieldNames.at(static_cast<std::size_t>(field));
}

std::string_view toString(Level level) {
  return levelNames.at(static_cast<std::size_t>(level));
}

std::string toText(const Query& query) {
  if (query.kind == Query::Kind::everything) return {};
  if (query.kind == Query::Kind::condition) return conditionText(query.condition);
  if (query.kind == Query::Kind::not_) return "!" + childText(query.children.front(), query.kind);
  std::string text;
  for (const Query& child : query.children) {
    if (!text.empty()) text += query.kind == Query::Kind::either ? " | " : " & ";
    text += childText(child, query.kind);
  }
  return text;
}

const std::vector<SearchWord>& searchWords() {
  static const std::vector<SearchWord> words{
      {"name", "name:*_T1w.nii.gz", "own name of the project, subject, study or file"},
      {"path", "path:sub-01/*", "path of a file from the root of its project"},
      {"project", "project:demo", "name of the project"},
      {"subject", "subject:sub-0?", "name of the subject (its pseudonym where names are hidden)"},
      {"study", "study:ses-*", "name of the study"},
      {"tag", "tag:checked", "tag of the item or of what it lies in; subject.tag: of that level alone"},
      {"kind", "kind:image", "image, surface, streamlines, dicom, table, document or other"},
      {"format", "format:nifti*", "format of the file"},
      {"modality", "modality:MR", "modality of the image"},
      {"sequence", "sequence:*mprage*", "name of the sequence or series"},
      {"state", "state:vanished", "present, vanished or broken"},
      {"date", "date:2024-01..2024-06", "day of the recording"},
      {"added", "added:>=2024-03-01", "day when the item came into the archive, UTC"},
      {"changed", "changed:2024-03", "day of the last change, UTC"},
      {"size", "size:>10M", "size of the file in bytes; k M G T and Ki Mi Gi Ti"},
      {"dim", "dim:256x256x*", "number of dimensions, or size along x, y, z, time"},
      {"spacing", "spacing:<1.1", "longest edge of a voxel in mm, or 1x1x2"},
      {"meta", "meta.age>60", "value of the metadata; subject.meta.age of that level alone"},
      {"has", "has:meta.age", "the item has the key, a tag, a date, a modality ..."},
  };
  return words;
}

}  // namespace nora
