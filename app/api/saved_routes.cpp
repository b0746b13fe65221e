#include "app/api/saved_routes.hpp"

#include "app/api/account_routes.hpp"
#include "app/api/json_body.hpp"
#include "app/api/shown_scene.hpp"
#include "archive/access/secret.hpp"
#include "archive/access/shown_words.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::size_t sceneBody = (1 << 20) + (64 << 10);
constexpr std::size_t smallBody = 64 << 10;
constexpr std::string_view sharePrefix = "nora_share_";

/// Presets and filters are somebody's: not of links' doing, and not of guests. Who is alone at the machine has them for
/// everybody.
Result<void> isSomebody(const Visitor& visitor) {
  if (visitor.key == "local") return {};
  if (visitor.caller.userId != 0 && visitor.caller.entrance != Entrance::shareLink) return {};
  return fail(ErrorCode::forbidden, "log in first: what is kept belongs to an account");
}

/// As isSomebody(), and a token must have been made for more than looking.
Result<void> mayKeep(const Visitor& visitor) {
  if (auto is = isSomebody(visitor); !is) return is;
  const bool onlyLooks =
      visitor.caller.entrance == Entrance::token && !withImplied(visitor.caller.limit).has(Right::annotate);
  if (!onlyLooks) return {};
  return fail(ErrorCode::forbidden, "the token is for looking only: one with the right to annotate keeps things");
}

/// The project that a request names may be read; none is named: in every project.
Result<std::int64_t> projectOf(const ApiPlaces& places, const Visit& visit, std::int64_t id) {
  if (id == 0) return 0;
  if (const auto open = openProject(places, visit.visitor, id); !open) return tl::make_unexpected(open.error());
  return id;
}

Result<std::int64_t> projectOfQuery(const ApiPlaces& places, const Visit& visit) {
  const auto id = queryNumber(visit.request, "project", 0, 0, INT64_MAX);
  if (!id) return id;
  return projectOf(places, visit, *id);
}

/// Whose it is to be: the visitor's, or everybody's if "everybody" is true, which administrators alone may say.
Result<std::int64_t> ownerOf(const ApiPlaces& places, const Visit& visit, bool everybody, std::int64_t projectId) {
  if (!everybody) return visit.visitor.caller.userId;
  if (mayAdministerServer(visit.visitor.caller)) return 0;
  if (projectId == 0) return fail(ErrorCode::forbidden, "only administrators keep things for everybody", "everybody");
  const auto open = openProject(places, visit.visitor, projectId);
  if (!open) return tl::make_unexpected(open.error());
  if (auto may = require(open->access, Right::administer, open->project.name); !may)
    return tl::make_unexpected(may.error());
  return 0;
}

/// What is not there, or somebody else's, or of a project that may not be read: the same, so that ids say nothing.
tl::unexpected<Error> isAway() {
  return fail(ErrorCode::notFound, "there is none of that id", "id");
}

Error awayOr(const Error& error) {
  return error.code == ErrorCode::notFound ? isAway().value() : error;
}

Result<void> mayRemove(const ApiPlaces& places, const Visit& visit, std::int64_t ownerId, std::int64_t projectId) {
  if (auto may = mayKeep(visit.visitor); !may) return may;
  if (const auto project = projectOf(places, visit, projectId); !project)
    return tl::make_unexpected(awayOr(project.error()));
  if (ownerId == visit.visitor.caller.userId && ownerId != 0) return {};
  if (ownerId != 0) return isAway();
  const auto owner = ownerOf(places, visit, true, projectId);
  if (!owner) return tl::make_unexpected(owner.error());
  return {};
}

nlohmann::json idOrNull(std::int64_t id) {
  return id == 0 ? nlohmann::json() : nlohmann::json(id);
}

nlohmann::json toJson(const PresetRecord& preset, nlohmann::json scene) {
  return {{"id", preset.id},
          {"projectId", idOrNull(preset.projectId)},
          {"everybody", preset.ownerId == 0},
          {"name", preset.name},
          {"scene", std::move(scene)},
          {"created", jsonTime(preset.createdUs)},
          {"changed", jsonTime(preset.changedUs)}};
}

nlohmann::json toJson(const SavedFilterRecord& filter) {
  return {{"id", filter.id},
          {"projectId", idOrNull(filter.projectId)},
          {"everybody", filter.ownerId == 0},
          {"name", filter.name},
          {"query", filter.query}};
}

nlohmann::json toJson(const ShareLinkRecord& link, nlohmann::json scene) {
  return {{"id", link.id},
          {"projectId", link.projectId},
          {"ownerId", link.ownerId},
          {"rights", toJson(link.rights)},
          {"scene", std::move(scene)},
          {"created", jsonTime(link.createdUs)},
          {"expires", jsonTime(link.expiresUs)}};
}

/// Of records that have a scene, as the visitor may see it.
template <class Record>
Result<HttpResponse> scenesAnswer(const ApiPlaces& places, const Visit& visit, const std::vector<Record>& records) {
  RowMaker rows(places, visit.visitor);
  auto out = nlohmann::json::array();
  for (const Record& record : records) {
    auto scene = shownScene(places, rows, record.scene);
    if (!scene) return tl::make_unexpected(scene.error());
    out.push_back(toJson(record, *std::move(scene)));
  }
  return jsonAnswer(listJson(std::move(out)));
}

Result<HttpResponse> presetsAnswer(const ApiPlaces& places, const Visit& visit) {
  if (auto is = isSomebody(visit.visitor); !is) return tl::make_unexpected(is.error());
  const auto project = projectOfQuery(places, visit);
  if (!project) return tl::make_unexpected(project.error());
  const auto presets = places.views.presets(visit.visitor.caller.userId, *project);
  if (!presets) return tl::make_unexpected(presets.error());
  return scenesAnswer(places, visit, *presets);
}

/// The search asks for texts that are not shown where names are hidden.
bool asksForHidden(const Query& query) {
  if (query.kind != Query::Kind::condition)
    return std::any_of(query.children.begin(), query.children.end(), asksForHidden);
  const Condition& condition = query.condition;
  const bool isNamed = condition.field <= SearchField::study && condition.field != SearchField::project;
  if (!isNamed && condition.field != SearchField::sequence && condition.field != SearchField::meta) return false;
  if (condition.field == SearchField::meta && !isShownKey(condition.key)) return true;
  const auto words = wordsOf(condition.operand.text.value_or(""));
  return !std::all_of(words.begin(), words.end(), isShownWord);
}

/// What somebody else keeps may have been made by names that this visitor must not see.
bool mayTellNames(const SearchScope& scope, std::int64_t projectId, const std::string& text) {
  const auto& hidden = scope.pseudonymous;
  const bool isHidden =
      projectId == 0 ? !hidden.empty() : std::find(hidden.begin(), hidden.end(), projectId) != hidden.end();
  if (!isHidden) return false;
  const auto query = parseQuery(text);
  return !query || asksForHidden(*query);
}

Result<HttpResponse> filtersAnswer(const ApiPlaces& places, const Visit& visit) {
  if (auto is = isSomebody(visit.visitor); !is) return tl::make_unexpected(is.error());
  const auto project = projectOfQuery(places, visit);
  if (!project) return tl::make_unexpected(project.error());
  const auto filters = places.views.filters(visit.visitor.caller.userId, *project);
  if (!filters) return tl::make_unexpected(filters.error());
  auto out = nlohmann::json::array();
  const auto scope = places.accounts.scope(visit.visitor.caller);
  if (!scope) return tl::make_unexpected(scope.error());
  for (const auto& filter : *filters) {
    const bool isOwn = filter.ownerId == visit.visitor.caller.userId;
    if (isOwn || !mayTellNames(*scope, filter.projectId, filter.query)) out.push_back(toJson(filter));
  }
  return jsonAnswer(listJson(std::move(out)));
}

/// A field that is a JSON object.
std::string objectField(const Visit& visit, JsonBody& body, const char* name) {
  if (!body.has(name) || !visit.body.at(name).is_object()) {
    body.wrong(name, "a JSON object is expected");
    return {};
  }
  return visit.body.at(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// JsonBody wants to be asked for every field; those that are objects are read past it.
nlohmann::json withoutField(nlohmann::json body, const char* name) {
  if (body.is_object()) body.erase(name);
  return body;
}

Result<HttpResponse> savePresetAnswer(const ApiPlaces& places, const Visit& visit) {
  if (auto may = mayKeep(visit.visitor); !may) return tl::make_unexpected(may.error());
  JsonBody whole(visit.body);
  PresetRecord preset;
  preset.scene = objectField(visit, whole, "scene");
  if (preset.scene.empty()) return tl::make_unexpected(whole.done().error());
  JsonBody body(withoutField(visit.body, "scene"));
  preset.name = body.text("name");
  const auto projectId = body.id("projectId").value_or(0);
  const bool everybody = body.flag("everybody").value_or(false);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  const auto project = projectOf(places, visit, projectId);
  const auto owner = project ? ownerOf(places, visit, everybody, projectId) : project;
  if (!owner) return tl::make_unexpected(owner.error());
  preset.projectId = *project;
  preset.ownerId = *owner;
  if (auto noted = noteAction(places, visit, "preset.save", projectId, preset.name); !noted)
    return tl::make_unexpected(noted.error());
  const auto saved = places.views.savePreset(preset);
  if (!saved) return tl::make_unexpected(saved.error());
  return jsonAnswer(toJson(*saved, nlohmann::json::parse(saved->scene)), 201);
}

Result<HttpResponse> saveFilterAnswer(const ApiPlaces& places, const Visit& visit) {
  if (auto may = mayKeep(visit.visitor); !may) return tl::make_unexpected(may.error());
  JsonBody body(visit.body);
  SavedFilterRecord filter;
  filter.name = body.text("name");
  filter.query = body.text("query", SearchLimits::text);
  const auto projectId = body.id("projectId").value_or(0);
  const bool everybody = body.flag("everybody").value_or(false);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  const auto project = projectOf(places, visit, projectId);
  const auto owner = project ? ownerOf(places, visit, everybody, projectId) : project;
  if (!owner) return tl::make_unexpected(owner.error());
  filter.projectId = *project;
  filter.ownerId = *owner;
  if (auto noted = noteAction(places, visit, "filter.save", projectId, filter.name); !noted)
    return tl::make_unexpected(noted.error());
  const auto saved = places.views.saveFilter(filter);
  if (!saved) return tl::make_unexpected(saved.error());
  return jsonAnswer(toJson(*saved), 201);
}

Result<HttpResponse> removePresetAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "preset");
  const auto preset = id ? places.views.preset(*id) : tl::make_unexpected(id.error());
  if (!preset) return tl::make_unexpected(awayOr(preset.error()));
  if (auto may = mayRemove(places, visit, preset->ownerId, preset->projectId); !may)
    return tl::make_unexpected(may.error());
  if (auto noted = noteAction(places, visit, "preset.remove", preset->projectId, preset->name); !noted)
    return tl::make_unexpected(noted.error());
  if (auto done = places.views.removePreset(*id); !done) return tl::make_unexpected(done.error());
  return jsonAnswer(nlohmann::json::object());
}

Result<HttpResponse> removeFilterAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "filter");
  const auto filter = id ? places.views.filter(*id) : tl::make_unexpected(id.error());
  if (!filter) return tl::make_unexpected(awayOr(filter.error()));
  if (auto may = mayRemove(places, visit, filter->ownerId, filter->projectId); !may)
    return tl::make_unexpected(may.error());
  if (auto noted = noteAction(places, visit, "filter.remove", filter->projectId, filter->name); !noted)
    return tl::make_unexpected(noted.error());
  if (auto done = places.views.removeFilter(*id); !done) return tl::make_unexpected(done.error());
  return jsonAnswer(nlohmann::json::object());
}

// ---- share links

/// The project, for somebody who has come in as themselves: links and tokens make no further links.
Result<OpenProject> projectToShare(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "project");
  if (!id) return tl::make_unexpected(id.error());
  auto open = openProject(places, visit.visitor, *id);
  if (!open) return open;
  if (auto is = isSomebody(visit.visitor); !is) return tl::make_unexpected(is.error());
  return open;
}

/// One's own links; of all people for those who administer the project.
Result<HttpResponse> sharesAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto open = projectToShare(places, visit);
  if (!open) return tl::make_unexpected(open.error());
  auto links = places.accounts.shareLinks(open->project.id);
  if (!links) return tl::make_unexpected(links.error());
  if (!open->access.rights.has(Right::administer)) {
    std::erase_if(*links, [&](const auto& link) { return link.ownerId != visit.visitor.caller.userId; });
  }
  return scenesAnswer(places, visit, *links);
}

Result<HttpResponse> addShareAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto open = projectToShare(places, visit);
  if (!open) return tl::make_unexpected(open.error());
  if (visit.visitor.caller.entrance != Entrance::session)
    return fail(ErrorCode::forbidden, "links are made by people who have logged in, not by tokens");
  JsonBody whole(visit.body);
  ShareLinkRecord link;
  link.scene = visit.body.is_object() && visit.body.contains("scene") ? objectField(visit, whole, "scene") : "{}";
  if (link.scene.empty()) return tl::make_unexpected(whole.done().error());
  JsonBody body(withoutField(visit.body, "scene"));
  link.projectId = open->project.id;
  link.ownerId = visit.visitor.caller.userId;
  link.rights = body.rights("rights").value_or(Rights(Right::read));
  const auto expires = body.timeUs("expires");
  if (!expires) body.wrong("expires", "the field is missing");
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (!(link.rights - (Right::read | Right::annotate | Right::download)).empty())
    return fail(ErrorCode::invalidInput, "a link gives read, annotate and download at most", "rights");
  if (!(withImplied(link.rights) - open->access.rights).empty())
    return fail(ErrorCode::forbidden, "a link cannot give what you may not do yourself", "rights");
  link.expiresUs = *expires;
  const auto secret = newSecret(sharePrefix);
  link.secretHash = secret.hash;
  if (auto noted = noteAction(places, visit, "share.add", link.projectId, toString(link.rights),
                              {{"expires", jsonTime(link.expiresUs)}});
      !noted)
    return tl::make_unexpected(noted.error());
  const auto made = places.accounts.addShareLink(link);
  if (!made) return tl::make_unexpected(made.error());
  auto json = toJson(*made, nlohmann::json::parse(made->scene));
  json["secret"] = secret.text;
  return jsonAnswer(json, 201);
}

Result<HttpResponse> removeShareAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "share");
  if (!id) return tl::make_unexpected(id.error());
  const auto projects = places.archive.projects();
  if (!projects) return tl::make_unexpected(projects.error());
  for (const ProjectRecord& project : *projects) {
    const auto open = openProject(places, visit.visitor, project.id);
    if (!open) continue;
    const auto links = places.accounts.shareLinks(project.id);
    if (!links) return tl::make_unexpected(links.error());
    const auto link = std::find_if(links->begin(), links->end(), [&](const auto& one) { return one.id == *id; });
    if (link == links->end()) continue;
    const bool isOwn = isSomebody(visit.visitor) && link->ownerId == visit.visitor.caller.userId;
    if (!isOwn && !open->access.rights.has(Right::administer)) break;
    if (auto noted = noteAction(places, visit, "share.remove", project.id, std::to_string(*id)); !noted)
      return tl::make_unexpected(noted.error());
    if (auto done = places.accounts.removeShareLink(*id); !done) return tl::make_unexpected(done.error());
    return jsonAnswer(nlohmann::json::object());
  }
  return fail(ErrorCode::notFound, "there is no such link", "share");
}

}  // namespace

std::vector<Route> savedRoutes(const ApiPlaces& places) {
  const auto plain = [&](std::string_view method, std::string_view pattern,
                         Result<HttpResponse> (*answer)(const ApiPlaces&, const Visit&), std::size_t body = 0) {
    return Route{
        method, pattern, Route::For::users, [places, answer](const Visit& visit) { return answer(places, visit); },
        {},     body};
  };
  return {
      plain("GET", "/api/v1/presets", presetsAnswer),
      plain("POST", "/api/v1/presets", savePresetAnswer, sceneBody),
      plain("DELETE", "/api/v1/presets/{id}", removePresetAnswer),
      plain("GET", "/api/v1/filters", filtersAnswer),
      plain("POST", "/api/v1/filters", saveFilterAnswer, smallBody),
      plain("DELETE", "/api/v1/filters/{id}", removeFilterAnswer),
      plain("GET", "/api/v1/projects/{id}/shares", sharesAnswer),
      plain("POST", "/api/v1/projects/{id}/shares", addShareAnswer, sceneBody),
      plain("DELETE", "/api/v1/shares/{id}", removeShareAnswer),
  };
}

}  // namespace nora
