// What a request says of a search, and of items that it is for.
#pragma once

#include "app/api/json_body.hpp"
#include "archive/index/archive_values.hpp"
#include "archive/search/query_sql.hpp"

#include <vector>

namespace nora {

/// q, project, subject, study, sort, descending of the query; the scope is that of the visitor.
struct SearchRequest {
  Query query;
  Selection selection;
  SearchScope scope;
};
[[nodiscard]] Result<SearchRequest> searchFrom(const ApiPlaces& places, const Visit& visit);

/// "ids" of a body, or all that its "q" finds in "project", "subject", "study". Errors: invalidInput where both are
/// given.
[[nodiscard]] Result<std::vector<std::int64_t>> idsOrSearch(const ApiPlaces& places, const Visit& visit, Level level,
                                                            JsonBody& body, std::size_t most);

}  // namespace nora
