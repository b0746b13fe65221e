#include "app/api/archive_routes.hpp"

#include "app/api/account_routes.hpp"
#include "app/api/json_body.hpp"
#include "app/api/rows.hpp"
#include "app/api/search_request.hpp"
#include "app/project_folder.hpp"
#include "archive/access/encoding.hpp"
#include "archive/files/path_pattern.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::int64_t mostRows = 1000;
constexpr std::int64_t countedTotal = 100'000;  // no further, for a total that is asked for
constexpr std::size_t mostIds = 500;
constexpr std::size_t mostTagged = 100'000;
constexpr std::size_t smallBody = 256 << 10;
constexpr std::size_t metaBody = (1 << 20) + (64 << 10);
constexpr std::size_t tagBody = 2 << 20;

/// A place in a sorted list as one word.
std::string keyText(const Archive::SortKey& key) {
  auto json = nlohmann::json::array({nullptr, key.id});
  std::visit(
      [&](const auto& value) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) json[0] = value;
      },
      key.value);
  return toBase64Url(json.dump());
}

Result<std::optional<Archive::SortKey>> keyFrom(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto plain = fromBase64Url(text);
  const auto json = plain ? nlohmann::json::parse(*plain, nullptr, false) : nlohmann::json();
  if (!json.is_array() || json.size() != 2 || !json[1].is_number_integer())
    return fail(ErrorCode::invalidInput, "expected what \"next\" of the page before has", "after");
  Archive::SortKey out;
  out.id = json[1].get<std::int64_t>();
  if (json[0].is_number_integer()) out.value = json[0].get<std::int64_t>();
  if (json[0].is_number_float()) out.value = json[0].get<double>();
  if (json[0].is_string()) out.value = json[0].get<std::string>();
  return out;
}

nlohmann::json inOrder(std::map<std::int64_t, nlohmann::json>& rows, std::span<const std::int64_t> ids,
                       bool withNulls) {
  auto out = nlohmann::json::array();
  for (const std::int64_t id : ids) {
    const auto row = rows.find(id);
    if (row != rows.end())
      out.push_back(row->second);
    else if (withNulls)
      out.push_back(nullptr);
  }
  return out;
}

Result<HttpResponse> listAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  const auto search = searchFrom(places, visit);
  if (!search) return tl::make_unexpected(search.error());
  const auto after = keyFrom(queryText(visit.request, "after"));
  if (!after) return tl::make_unexpected(after.error());
  const auto limit = queryNumber(visit.request, "limit", 100, 1, mostRows);
  if (!limit) return tl::make_unexpected(limit.error());
  const auto page = places.archive.findSorted(level, search->query, search->scope, search->selection, *after,
                                              static_cast<int>(*limit));
  if (!page) return tl::make_unexpected(page.error());
  RowMaker maker(places, visit.visitor);
  auto rows = maker.rows(level, page->ids);
  if (!rows) return tl::make_unexpected(rows.error());
  auto out = listJson(inOrder(*rows, page->ids, false));
  if (page->next) out["next"] = keyText(*page->next);
  if (!queryText(visit.request, "total").empty()) {
    const auto total = places.archive.count(level, search->query, search->scope, countedTotal, search->selection);
    if (!total) return tl::make_unexpected(total.error());
    out["total"] = *total;
    out["totalIsMore"] = *total == countedTotal;
  }
  return jsonAnswer(out);
}

/// Differences to the one before, zig-zag, LEB128: a million ids in a row are a megabyte.
std::string packed(std::span<const std::int64_t> ids) {
  std::string out;
  std::int64_t last = 0;
  for (const std::int64_t id : ids) {
    const std::int64_t by = id - last;
    auto value = (static_cast<std::uint64_t>(by) << 1) ^ static_cast<std::uint64_t>(by >> 63);
    for (last = id; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
    out += static_cast<char>(value);
  }
  return out;
}

Result<HttpResponse> idsAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  const auto search = searchFrom(places, visit);
  if (!search) return tl::make_unexpected(search.error());
  const auto ids = places.archive.allIds(level, search->query, search->scope, search->selection);
  if (!ids) return tl::make_unexpected(ids.error());
  HttpResponse response;
  response.contentType = "application/octet-stream";
  response.body = packed(*ids);
  response.headers.emplace_back("nora-count", std::to_string(ids->size()));
  return response;
}

Result<HttpResponse> rowsAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  JsonBody body(visit.body);
  const auto ids = body.ids("ids", mostIds);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  RowMaker maker(places, visit.visitor);
  auto rows = maker.rows(level, ids);
  if (!rows) return tl::make_unexpected(rows.error());
  return jsonAnswer(listJson(inOrder(*rows, ids, true)));
}

/// An item that the visitor may read, and its id.
struct Item {
  std::int64_t id = 0;
  OpenProject project;
};

Result<Item> itemOf(const ApiPlaces& places, const Visit& visit, Level level) {
  const auto id = idFrom(visit.at.front(), "item");
  if (!id) return tl::make_unexpected(id.error());
  RowMaker maker(places, visit.visitor);
  auto project = maker.projectOf(level, *id);
  if (!project) return tl::make_unexpected(project.error());
  return Item{*id, *std::move(project)};
}

std::string etagOf(std::int64_t revision) {
  return "\"" + std::to_string(revision) + "\"";
}

Result<HttpResponse> itemAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  const auto item = itemOf(places, visit, level);
  if (!item) return tl::make_unexpected(item.error());
  RowMaker maker(places, visit.visitor);
  const auto row = maker.row(level, item->id);
  if (!row) return tl::make_unexpected(row.error());
  auto response = jsonAnswer(*row);
  response.etag = etagOf(row->at("revision").get<std::int64_t>());
  return response;
}

std::string itemName(Level level, std::int64_t id) {
  return std::string(toString(level)) + " " + std::to_string(id);
}

Result<void> mayDo(const Item& item, Right right) {
  return require(item.project.access, right, item.project.project.name);
}

Result<HttpResponse> renameAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  const auto item = itemOf(places, visit, level);
  if (!item) return tl::make_unexpected(item.error());
  if (auto may = mayDo(*item, level == Level::project ? Right::administer : Right::edit); !may)
    return tl::make_unexpected(may.error());
  JsonBody body(visit.body);
  const auto name = body.text("name");
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (!item->project.access.showsIdentity && level != Level::project)
    return fail(ErrorCode::forbidden, "names are hidden from you in this project", "name");
  if (auto noted =
          noteAction(places, visit, "rename", item->project.project.id, itemName(level, item->id), {{"name", name}});
      !noted)
    return tl::make_unexpected(noted.error());
  if (auto done = places.archive.rename(level, item->id, name); !done) return tl::make_unexpected(done.error());
  return itemAnswer(places, visit, level);
}

// ---- metadata

Result<HttpResponse> metaAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  const auto item = itemOf(places, visit, level);
  if (!item) return tl::make_unexpected(item.error());
  RowMaker maker(places, visit.visitor);
  const auto row = maker.row(level, item->id);
  if (!row) return tl::make_unexpected(row.error());
  auto response = jsonAnswer(row->at("meta"));
  response.etag = etagOf(row->at("revision").get<std::int64_t>());
  return response;
}

Result<HttpResponse> setMetaAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  const auto item = itemOf(places, visit, level);
  if (!item) return tl::make_unexpected(item.error());
  if (auto may = mayDo(*item, Right::edit); !may) return tl::make_unexpected(may.error());
  if (!item->project.access.showsIdentity)
    return fail(ErrorCode::forbidden, "a part of the metadata is hidden from you; saving would lose it", "meta");
  if (!visit.body.is_object()) return fail(ErrorCode::invalidInput, "metadata is a JSON object", "body");
  const auto wanted = visit.request.header("if-match");
  std::optional<std::int64_t> revision;
  if (!wanted.empty() && wanted != "*") {
    std::int64_t number = 0;
    for (const char c : wanted) number = c >= '0' && c <= '9' ? number * 10 + (c - '0') : number;
    revision = number;
  }
  if (auto noted = noteAction(places, visit, "meta.set", item->project.project.id, itemName(level, item->id)); !noted)
    return tl::make_unexpected(noted.error());
  const auto text = visit.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto set = places.archive.setMeta(level, item->id, text, visit.visitor.name, revision);
  const bool isConflict = !set && set.error().code == ErrorCode::unavailable && revision;
  if (isConflict) {
    auto response = problem(set.error());
    auto json = nlohmann::json::parse(response.body);
    json["status"] = response.status = 412;
    response.body = json.dump();
    return response;
  }
  if (!set) return tl::make_unexpected(set.error());
  auto response = jsonAnswer({{"revision", *set}});
  response.etag = etagOf(*set);
  return response;
}

Result<HttpResponse> historyAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  const auto item = itemOf(places, visit, level);
  if (!item) return tl::make_unexpected(item.error());
  const auto changes = places.archive.metaHistory(level, item->id);
  if (!changes) return tl::make_unexpected(changes.error());
  const NameMask names(item->project.access.showsIdentity, nullptr);
  auto out = nlohmann::json::array();
  for (const MetaChange& change : *changes) {
    out.push_back({{"at", jsonTime(change.atUs)},
                   {"user", change.user},
                   {"before", names.meta(change.before)},
                   {"after", names.meta(change.after)}});
  }
  return jsonAnswer(listJson(std::move(out)));
}

// ---- tags

Result<HttpResponse> tagsAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto name = queryText(visit.request, "level");
  const auto level = levelFrom(name.empty() ? "files" : name);
  if (!level) return tl::make_unexpected(level.error());
  auto scope = places.accounts.scope(visit.visitor.caller);
  if (!scope) return tl::make_unexpected(scope.error());
  const auto counts = places.archive.tagCounts(*level, *scope);
  if (!counts) return tl::make_unexpected(counts.error());
  auto out = nlohmann::json::array();
  for (const auto& [tag, count] : *counts) out.push_back({{"name", tag}, {"count", count}});
  return jsonAnswer(listJson(std::move(out)));
}

Result<HttpResponse> tagAnswer(const ApiPlaces& places, const Visit& visit) {
  JsonBody body(visit.body);
  const auto level = levelFrom(body.text("level"));
  const auto add = body.texts("add", 100), remove = body.texts("remove", 100);
  const auto ids = level ? idsOrSearch(places, visit, *level, body, mostTagged) : Result<std::vector<std::int64_t>>();
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (!level) return tl::make_unexpected(level.error());
  if (!ids) return tl::make_unexpected(ids.error());
  RowMaker maker(places, visit.visitor);
  std::map<std::int64_t, std::vector<std::int64_t>> byProject;
  const auto projects = places.archive.projectIdsOf(*level, *ids);
  if (!projects) return tl::make_unexpected(projects.error());
  for (const auto& [id, projectId] : *projects) {
    const auto project = maker.project(projectId);
    if (!project) return tl::make_unexpected(project.error());
    if (*project == nullptr) continue;  // as if it were not there
    if (auto may = require((*project)->access, Right::annotate, (*project)->project.name); !may)
      return tl::make_unexpected(may.error());
    byProject[projectId].push_back(id);
  }
  std::int64_t changed = 0;
  for (const auto& [projectId, some] : byProject) {
    const nlohmann::json detail{{"add", add}, {"remove", remove}, {"items", some.size()}};
    if (auto noted = noteAction(places, visit, "tag", projectId, std::string(toString(*level)), detail); !noted)
      return tl::make_unexpected(noted.error());
    const auto done = places.archive.tag(*level, some, add, remove);
    if (!done) return tl::make_unexpected(done.error());
    changed += *done;
  }
  return jsonAnswer({{"changed", changed}});
}

// ---- what is new

Result<HttpResponse> changesAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto name = queryText(visit.request, "level");
  const auto level = levelFrom(name.empty() ? "files" : name);
  if (!level) return tl::make_unexpected(level.error());
  const auto since = queryNumber(visit.request, "since", 0, 0, INT64_MAX);
  const auto after = queryNumber(visit.request, "after", INT64_MAX, 0, INT64_MAX);
  if (!since || !after) return tl::make_unexpected(since ? after.error() : since.error());
  auto scope = places.accounts.scope(visit.visitor.caller);
  if (!scope) return tl::make_unexpected(scope.error());
  const auto changes = places.archive.changedSince(*level, *scope, {*since, *after}, 1000);
  if (!changes) return tl::make_unexpected(changes.error());
  return jsonAnswer({{"ids", changes->ids},
                     {"revision", changes->upTo.revision},
                     {"after", changes->upTo.id},
                     {"more", changes->more}});
}

// ---- projects

Result<HttpResponse> projectsAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto projects = places.archive.projects();
  if (!projects) return tl::make_unexpected(projects.error());
  std::vector<std::int64_t> ids;
  for (const ProjectRecord& project : *projects) ids.push_back(project.id);
  RowMaker maker(places, visit.visitor);
  auto rows = maker.rows(Level::project, ids);
  if (!rows) return tl::make_unexpected(rows.error());
  return jsonAnswer(listJson(inOrder(*rows, ids, false)));
}

Result<HttpResponse> addProjectAnswer(const ApiPlaces& places, const Visit& visit) {
  JsonBody body(visit.body);
  ProjectRecord project;
  project.name = body.text("name");
  project.title = body.textIfThere("title").value_or("");
  const auto folder = body.textIfThere("root", 4096).value_or("");
  project.inPlace = body.flag("inPlace").value_or(true);
  project.hideIdentity = body.flag("hideIdentity").value_or(false);
  const auto pattern = body.textIfThere("pattern");
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (pattern && !pattern->empty()) {
    if (const auto parsed = PathPattern::parse(*pattern); !parsed) return tl::make_unexpected(parsed.error());
    project.settings = nlohmann::json{{"pattern", *pattern}}.dump();
  }
  if (auto placed = placeProject(places.archive, folder, project); !placed) return tl::make_unexpected(placed.error());
  Result<ProjectRecord> made;
  const auto stored = places.database.together([&]() -> Result<void> {
    made = places.archive.addProject(project);
    if (!made) return tl::make_unexpected(made.error());
    return noteAction(places, visit, "project.add", made->id, made->name, {{"root", made->root}});
  });
  if (!stored) return tl::make_unexpected(stored.error());
  RowMaker maker(places, visit.visitor);
  const auto row = maker.row(Level::project, made->id);
  if (!row) return tl::make_unexpected(row.error());
  return jsonAnswer(*row, 201);
}

Result<HttpResponse> changeProjectAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto item = itemOf(places, visit, Level::project);
  if (!item) return tl::make_unexpected(item.error());
  if (auto may = mayDo(*item, Right::administer); !may) return tl::make_unexpected(may.error());
  JsonBody body(visit.body);
  ProjectRecord project = item->project.project;
  project.name = body.textIfThere("name").value_or(project.name);
  project.title = body.textIfThere("title").value_or(project.title);
  project.hideIdentity = body.flag("hideIdentity").value_or(project.hideIdentity);
  const auto pattern = body.textIfThere("pattern");
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (pattern) {
    if (const auto parsed = PathPattern::parse(*pattern); !parsed && !pattern->empty())
      return tl::make_unexpected(parsed.error());
    auto settings = nlohmann::json::parse(project.settings, nullptr, false);
    if (!settings.is_object()) settings = nlohmann::json::object();
    settings["pattern"] = *pattern;
    project.settings = settings.dump();
  }
  if (auto noted = noteAction(places, visit, "project.change", project.id, project.name, visit.body); !noted)
    return tl::make_unexpected(noted.error());
  if (auto changed = places.archive.changeProject(project); !changed) return tl::make_unexpected(changed.error());
  return itemAnswer(places, visit, Level::project);
}

using Answer = Result<HttpResponse> (*)(const ApiPlaces&, const Visit&, Level);

struct LevelRoute {
  std::string_view method;
  std::array<std::string_view, 3> patterns;  // files, studies, subjects
  Answer answer;
  std::size_t body = 0;
  Route::For whom = Route::For::everybody;
  bool inSteps = false;
};

constexpr std::array levelRoutes{
    LevelRoute{"GET", {"/api/v1/files", "/api/v1/studies", "/api/v1/subjects"}, listAnswer},
    LevelRoute{"GET", {"/api/v1/files/ids", "/api/v1/studies/ids", "/api/v1/subjects/ids"}, idsAnswer},
    LevelRoute{"POST",
               {"/api/v1/files/rows", "/api/v1/studies/rows", "/api/v1/subjects/rows"},
               rowsAnswer,
               smallBody,
               Route::For::everybody,
               true},
    LevelRoute{"GET", {"/api/v1/files/{id}", "/api/v1/studies/{id}", "/api/v1/subjects/{id}"}, itemAnswer},
    LevelRoute{"PATCH",
               {"/api/v1/files/{id}", "/api/v1/studies/{id}", "/api/v1/subjects/{id}"},
               renameAnswer,
               smallBody,
               Route::For::users},
    LevelRoute{
        "GET", {"/api/v1/files/{id}/meta", "/api/v1/studies/{id}/meta", "/api/v1/subjects/{id}/meta"}, metaAnswer},
    LevelRoute{"PUT",
               {"/api/v1/files/{id}/meta", "/api/v1/studies/{id}/meta", "/api/v1/subjects/{id}/meta"},
               setMetaAnswer,
               metaBody,
               Route::For::users},
    LevelRoute{"GET",
               {"/api/v1/files/{id}/history", "/api/v1/studies/{id}/history", "/api/v1/subjects/{id}/history"},
               historyAnswer},
};
constexpr std::array levels{Level::file, Level::study, Level::subject};

Route levelRoute(const ApiPlaces& places, const LevelRoute& from, std::size_t n) {
  Route route;
  route.method = from.method;
  route.pattern = from.patterns.at(n);
  route.whom = from.whom;
  route.mostBody = from.body;
  route.inSteps = from.inSteps;
  route.answer = [places, answer = from.answer, level = levels.at(n)](const Visit& visit) {
    return answer(places, visit, level);
  };
  return route;
}

Route plain(const ApiPlaces& places, std::string_view method, std::string_view pattern, Route::For whom,
            Result<HttpResponse> (*answer)(const ApiPlaces&, const Visit&), std::size_t body = 0) {
  return {method, pattern, whom, [places, answer](const Visit& visit) { return answer(places, visit); }, {}, body};
}

}  // namespace

std::vector<Route> archiveRoutes(const ApiPlaces& places) {
  std::vector<Route> out;
  for (const LevelRoute& route : levelRoutes) {
    for (std::size_t n = 0; n < levels.size(); ++n) out.push_back(levelRoute(places, route, n));
  }
  const auto everybody = Route::For::everybody, users = Route::For::users;
  out.push_back(plain(places, "GET", "/api/v1/projects", everybody, projectsAnswer));
  out.push_back(plain(places, "POST", "/api/v1/projects", Route::For::administrators, addProjectAnswer, smallBody));
  out.back().inSteps = true;
  out.push_back({"GET", "/api/v1/projects/{id}", everybody,
                 [places](const Visit& visit) { return itemAnswer(places, visit, Level::project); }});
  out.push_back(plain(places, "PATCH", "/api/v1/projects/{id}", users, changeProjectAnswer, smallBody));
  out.push_back(plain(places, "GET", "/api/v1/tags", everybody, tagsAnswer));
  out.push_back(plain(places, "POST", "/api/v1/tags", users, tagAnswer, tagBody));
  out.push_back(plain(places, "GET", "/api/v1/changes", everybody, changesAnswer));
  return out;
}

}  // namespace nora
