#include "app/api/view_routes.hpp"

#include "app/embedded_texts.hpp"
#include "streaming/protocol/shown_info.hpp"

#include <charconv>

namespace nora {
namespace {

constexpr std::int64_t mostPages = 1'000'000;

Result<std::int64_t> number(std::string_view text, const char* field) {
  std::int64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && at == text.data() + text.size() && value >= 1) return value;
  return fail(ErrorCode::invalidInput, "must be a whole number from 1", field);
}

/// Nothing of a document runs or loads anything. Chromium's viewer needs a PDF without a sandbox, and styles of its
/// own.
std::string policyFor(const std::string& mediaType) {
  if (mediaType == "application/pdf") return "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'";
  return "sandbox; default-src 'none'";
}

HttpResponse answerOf(const Document& document) {
  HttpResponse response;
  response.contentType = document.info().mediaType;
  if (response.contentType == "text/plain") response.contentType += "; charset=utf-8";
  response.contentSecurityPolicy = policyFor(document.info().mediaType);
  response.body = std::string(document.bytes());
  return response;
}

Result<ArchiveImages::Found> fileOf(const ArchiveImages& images, const Visit& visit) {
  const auto id = number(visit.at.front(), "id");
  if (!id) return tl::make_unexpected(id.error());
  return images.find(visit.visitor, *id);
}

Result<HttpResponse> infoAnswer(ArchiveImages& images, const Visit& visit) {
  const auto found = fileOf(images, visit);
  if (!found) return tl::make_unexpected(found.error());
  auto info = images.info(*found, visit.stop);
  if (!info) return tl::make_unexpected(ArchiveImages::shownError(*found, info.error()));
  return jsonAnswer(found->project.access.showsIdentity ? *info : withoutTexts(*std::move(info)));
}

Result<HttpResponse> documentAnswer(const ArchiveImages& images, const Visit& visit) {
  const auto page = visit.request.query.contains("page") ? number(visit.request.query.at("page"), "page") : 1;
  if (!page) return tl::make_unexpected(page.error());
  if (*page > mostPages) return fail(ErrorCode::notFound, "there is no such page", "page");
  const auto found = fileOf(images, visit);
  if (!found) return tl::make_unexpected(found.error());
  if (!found->project.access.showsIdentity) {
    return fail(ErrorCode::forbidden, "documents and tables may hold names, which are hidden from you in this project",
                found->project.project.name);
  }
  const auto document = images.document(*found, *page - 1, visit.stop);
  if (!document) return tl::make_unexpected(document.error());
  return answerOf(*document);
}

Result<HttpResponse> scanAnswer(const ApiPlaces& places, ScanService& scans, const Visit& visit) {
  const auto id = number(visit.at.front(), "project");
  if (!id) return tl::make_unexpected(id.error());
  const auto project = openProject(places, visit.visitor, *id);
  if (!project) return tl::make_unexpected(project.error());
  if (auto may = require(project->access, Right::edit, project->project.name); !may)
    return tl::make_unexpected(may.error());
  scans.request(*id);
  return jsonAnswer({{"project", *id}}, 202);
}

HttpResponse openApiAnswer() {
  HttpResponse response;
  response.contentType = "application/yaml";
  response.body = std::string(openApiText());
  return response;
}

}  // namespace

std::vector<Route> viewRoutes(const ApiPlaces& places, ArchiveImages& images, ScanService& scans,
                              const IndexNews& news) {
  return {
      {"GET", "/api/v1/openapi.yaml", Route::For::everybody,
       [](const Visit&) { return Result<HttpResponse>(openApiAnswer()); }},
      {"GET", "/api/v1/news", Route::For::everybody,
       [&news](const Visit& visit) {
         const auto problems =
             mayAdministerServer(visit.visitor.caller) ? IndexNews::Problems::told : IndexNews::Problems::hidden;
         return Result<HttpResponse>(jsonAnswer(nlohmann::json::parse(news.message(problems))));
       }},
      {"GET", "/api/v1/files/{id}/info", Route::For::everybody,
       [&images](const Visit& visit) { return infoAnswer(images, visit); }},
      {"GET", "/api/v1/files/{id}/document", Route::For::everybody,
       [&images](const Visit& visit) { return documentAnswer(images, visit); }},
      {"POST",
       "/api/v1/projects/{project}/scan",
       Route::For::users,
       [places, &scans](const Visit& visit) { return scanAnswer(places, scans, visit); },
       {},
       0,
       false,
       true},
  };
}

}  // namespace nora
