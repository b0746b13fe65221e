#include "app/api/route.hpp"

namespace nora {

Result<OpenProject> openProject(const ApiPlaces& places, const Visitor& visitor, std::int64_t projectId) {
  const auto access = places.accounts.access(projectId, visitor.caller);
  if (!access) return tl::make_unexpected(access.error());
  if (auto may = require(*access, Right::read, "project"); !may) return tl::make_unexpected(may.error());
  auto project = places.archive.project(projectId);
  if (!project) return tl::make_unexpected(project.error());
  return OpenProject{*std::move(project), *access};
}

HttpResponse jsonAnswer(const nlohmann::json& json, int status) {
  HttpResponse response;
  response.status = status;
  response.contentType = "application/json";
  response.body = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

}  // namespace nora
