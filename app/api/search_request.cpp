#include "app/api/search_request.hpp"

namespace nora {
namespace {

Result<Query> queryFrom(const HttpRequest& request) {
  return parseQuery(queryText(request, "q"));
}

Result<Selection> selectionFrom(const HttpRequest& request) {
  Selection out;
  for (const auto& [name, where] :
       {std::pair{"project", &out.project}, std::pair{"subject", &out.subject}, std::pair{"study", &out.study}}) {
    if (!request.query.contains(name)) continue;
    const auto id = queryNumber(request, name, 0, 0, INT64_MAX);
    if (!id) return tl::make_unexpected(id.error());
    *where = *id;
  }
  out.sort = queryText(request, "sort");
  const auto descending = queryText(request, "descending");
  out.descending = descending == "1" || descending == "true";
  return out;
}

}  // namespace

Result<SearchRequest> searchFrom(const ApiPlaces& places, const Visit& visit) {
  auto query = queryFrom(visit.request);
  if (!query) return tl::make_unexpected(query.error());
  auto selection = selectionFrom(visit.request);
  if (!selection) return tl::make_unexpected(selection.error());
  auto scope = places.accounts.scope(visit.visitor.caller);
  if (!scope) return tl::make_unexpected(scope.error());
  return SearchRequest{*std::move(query), *std::move(selection), *std::move(scope)};
}

Result<std::vector<std::int64_t>> idsOrSearch(const ApiPlaces& places, const Visit& visit, Level level, JsonBody& body,
                                              std::size_t most) {
  auto ids = body.ids("ids", most);
  const auto q = body.textIfThere("q", SearchLimits::text);
  Selection selection;
  selection.project = body.id("project");
  selection.subject = body.id("subject");
  selection.study = body.id("study");
  if (!q) return ids;
  if (!ids.empty()) return fail(ErrorCode::invalidInput, "either ids or a search, not both", "ids");
  const auto query = parseQuery(*q);
  if (!query) return tl::make_unexpected(query.error());
  auto scope = places.accounts.scope(visit.visitor.caller);
  if (!scope) return tl::make_unexpected(scope.error());
  return places.archive.allIds(level, *query, *scope, selection);
}

}  // namespace nora
