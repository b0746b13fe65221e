// One condition of a search, from its pieces of text to a checked value. Used by the parser alone.
#pragma once

#include "archive/search/query.hpp"

namespace nora {

/// FIELD COMPARISON VALUE as typed; a bare word has an empty field and comparison.
struct ConditionPieces {
  std::string field;
  std::string comparison;  // : = != < <= > >=
  std::string value;
  bool quoted = false;
  std::size_t fieldColumn = 1;
  std::size_t valueColumn = 1;
};

[[nodiscard]] Result<Condition> makeCondition(const ConditionPieces& pieces);

/// "column 7: expected WHAT".
[[nodiscard]] tl::unexpected<Error> queryError(std::size_t column, const std::string& what);

}  // namespace nora
