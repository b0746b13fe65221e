// The grammar, from loosest to tightest: a | b, a & b (or a b), !a, (a), condition. docs/SEARCH.md says it for people.
#include "archive/search/query.hpp"
#include "archive/search/query_condition.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <utility>

namespace nora {
namespace {

bool isBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool endsValue(char c) {
  return isBlank(c) || c == '(' || c == ')' || c == '&' || c == '|';
}
bool isComparison(char c) {
  return c == ':' || c == '=' || c == '<' || c == '>';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Query> parse() {
    skipBlanks();
    if (done()) return Query{};
    auto query = parseEither();
    if (query && !done()) return error("expected the end or a word, not \"" + std::string(1, text_[at_]) + "\"");
    return query;
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  bool sees(char c) const { return !done() && text_[at_] == c; }
  void skipBlanks() {
    while (!done() && isBlank(text_[at_])) ++at_;
  }

  /// In characters, from 1.
  std::size_t columnAt(std::size_t byte) const {
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(byte);
    return 1 + static_cast<std::size_t>(std::count_if(text_.begin(), end, [](char c) { return (c & 0xC0) != 0x80; }));
  }
  tl::unexpected<Error> error(const std::string& what) const { return queryError(columnAt(at_), what); }

  /// Children separated by `separator`; one child stands for itself.
  template <class Next>
  Result<Query> parseList(Query::Kind kind, char separator, Next next) {
    Query list;
    list.kind = kind;
    while (true) {
      auto child = next();
      if (!child) return child;
      list.children.push_back(std::move(*child));
      skipBlanks();
      if (sees(separator)) {
        ++at_;
        continue;
      }
      // Standing side by side means "and".
      const bool beside = kind == Query::Kind::both && !done() && !sees(')') && !sees('|');
      if (!beside) break;
    }
    if (list.children.size() == 1) return Query(std::move(list.children.front()));
    return list;
  }

  Result<Query> parseEither() {
    return parseList(Query::Kind::either, '|', [this] { return parseBoth(); });
  }
  Result<Query> parseBoth() {
    return parseList(Query::Kind::both, '&', [this] { return parseOne(); });
  }

  Result<Query> parseOne() {
    skipBlanks();
    if (done()) return error("expected a word or a condition at the end");
    if (!sees('!') && !sees('(')) return parseCondition();
    if (++depth_ > SearchLimits::depth) {
      return error("expected at most " + std::to_string(SearchLimits::depth) + " brackets and ! inside one another");
    }
    auto inner = sees('!') ? parseNot() : parseBrackets();
    --depth_;
    return inner;
  }

  Result<Query> parseNot() {
    ++at_;
    auto inner = parseOne();
    if (!inner) return inner;
    Query query;
    query.kind = Query::Kind::not_;
    query.children.push_back(std::move(*inner));
    return query;
  }

  Result<Query> parseBrackets() {
    const std::size_t opened = columnAt(at_++);
    auto inner = parseEither();
    if (!inner) return inner;
    if (!sees(')')) return error("expected ) for the ( in column " + std::to_string(opened));
    ++at_;
    return inner;
  }

  Result<Query> parseCondition() {
    if (++conditions_ > SearchLimits::conditions) {
      return error("expected at most " + std::to_string(SearchLimits::conditions) + " conditions");
    }
    auto pieces = readPieces();
    if (!pieces) return tl::make_unexpected(std::move(pieces.error()));
    auto condition = makeCondition(*pieces);
    if (!condition) return tl::make_unexpected(std::move(condition.error()));
    Query query;
    query.kind = Query::Kind::condition;
    query.condition = std::move(*condition);
    return query;
  }

  Result<ConditionPieces> readPieces() {
    ConditionPieces pieces;
    pieces.fieldColumn = pieces.valueColumn = columnAt(at_);
    if (sees('"')) return readValue(std::move(pieces));
    const std::size_t start = at_;
    auto head = readHead();
    if (!head) return tl::make_unexpected(std::move(head.error()));
    pieces.comparison = readComparison();
    if (pieces.comparison.empty()) {
      if (head->empty()) return error("expected a word or a condition, not \"" + std::string(1, text_[at_]) + "\"");
      if (*head != text_.substr(start, at_ - start)) return error("expected a comparison after the key in quotes");
      pieces.value = std::move(*head);
      return pieces;
    }
    if (head->empty()) return queryError(pieces.fieldColumn, "expected a field in front of " + pieces.comparison);
    pieces.field = std::move(*head);
    pieces.valueColumn = columnAt(at_);
    if (done() || endsValue(text_[at_])) {
      return error("expected a value after " + pieces.field + pieces.comparison);
    }
    return readValue(std::move(pieces));
  }

  /// A word, or a field up to its comparison; parts of a meta key may be in quotes.
  Result<std::string> readHead() {
    std::string head;
    while (!done() && !endsValue(text_[at_]) && !isComparison(text_[at_]) && !seesNotEqual()) {
      if (!sees('"')) {
        head += text_[at_++];
        continue;
      }
      if (!head.ends_with('.')) return error("expected a blank before the quote");
      auto part = readQuoted();
      if (!part) return part;
      head += *part;
    }
    return head;
  }

  bool seesNotEqual() const { return text_.substr(at_).starts_with("!="); }

  /// One of : = != < <= > >=; a colon may stand in front of any other: size:>10M.
  std::string readComparison() {
    if (sees(':')) {
      ++at_;
      std::string real = readComparison();
      return real.empty() ? ":" : real;
    }
    for (const std::string_view known : {"!=", "<=", ">=", "=", "<", ">"}) {
      if (!text_.substr(at_).starts_with(known)) continue;
      at_ += known.size();
      return std::string(known);
    }
    return {};
  }

  Result<ConditionPieces> readValue(ConditionPieces pieces) {
    pieces.valueColumn = columnAt(at_);
    if (sees('"')) {
      auto value = readQuoted();
      if (!value) return tl::make_unexpected(std::move(value.error()));
      pieces.value = std::move(*value);
      pieces.quoted = true;
    } else {
      const std::size_t from = at_;
      const bool named = pieces.field == "has";  // has:meta."a b"
      while (!done() && !endsValue(text_[at_]) && (!sees('"') || (named && text_[at_ - 1] == '.'))) {
        if (!sees('"')) {
          ++at_;
          continue;
        }
        if (auto part = readQuoted(); !part) return tl::make_unexpected(std::move(part.error()));
      }
      const std::string_view raw = text_.substr(from, at_ - from);
      pieces.value = named ? unquoteParts(raw) : std::string(raw);
    }
    if (!done() && !endsValue(text_[at_])) return error("expected a blank after the value");
    return pieces;
  }

  static std::string unquoteParts(std::string_view text) {
    Parser parts(text);
    std::string whole;
    while (!parts.done()) {
      if (parts.sees('"')) {
        whole += *parts.readQuoted();
      } else {
        whole += text[parts.at_++];
      }
    }
    return whole;
  }

  /// "..." with \" and \\ inside.
  Result<std::string> readQuoted() {
    const std::size_t opened = columnAt(at_++);
    std::string value;
    for (; !done() && !sees('"'); ++at_) {
      if (sees('\\') && at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\')) ++at_;
      value += text_[at_];
    }
    if (done()) return error("expected a closing quote for the one in column " + std::to_string(opened));
    ++at_;
    if (value.empty()) return queryError(opened, "expected a text between the quotes");
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int conditions_ = 0;
};

}  // namespace

Result<Query> parseQuery(std::string_view text) {
  if (text.size() > SearchLimits::text) {
    return fail(ErrorCode::limitExceeded,
                "expected a search of at most " + std::to_string(SearchLimits::text) + " bytes", "query");
  }
  std::size_t column = 1;
  for (std::size_t at = 0; at < text.size(); ++column) {
    const std::size_t length = utf8Length(text, at);
    if (length == 0) return queryError(column, "expected text in UTF-8");
    const auto first = static_cast<unsigned char>(text[at]);
    if ((first < 0x20 && !isBlank(text[at])) || first == 0x7F) {
      return queryError(column, "expected a character, not a control code");
    }
    at += length;
  }
  return Parser(text).parse();
}

}  // namespace nora
