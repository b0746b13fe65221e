#include "app/http_api.hpp"

#include "app/page_files.hpp"

#include <optional>

namespace nora {
namespace {

std::optional<HttpResponse> pageAnswer(const HttpRequest& request) {
  const std::string_view path = request.path == "/" ? "/index.html" : std::string_view(request.path);
  for (const auto& file : pageFiles()) {
    if (file.path != path) continue;
    HttpResponse response;
    response.contentType = std::string(file.contentType);
    response.etag = std::string(file.etag);
    response.body = std::string(request.acceptsGzip ? file.gzip : file.plain);
    if (request.acceptsGzip) response.contentEncoding = "gzip";
    return response;
  }
  return std::nullopt;
}

/// /healthz, /readyz, /metrics: for programs that look after servers.
std::optional<HttpResponse> stateAnswer(const HttpSources& from, const HttpRequest& request) {
  HttpResponse response;
  if (request.path == "/healthz") {
    response.body = "ok\n";
    return response;
  }
  if (request.path == "/readyz") {
    const auto reason = from.readiness.reason();
    response.status = reason.empty() ? 200 : 503;
    response.body = reason.empty() ? "ready\n" : std::string(reason) + "\n";
    return response;
  }
  if (request.path != "/metrics") return std::nullopt;
  if (!from.metricsPublic && !request.fromThisMachine) {
    return problem(Error{ErrorCode::forbidden, "metrics are told to this machine only; see metrics_public", {}});
  }
  response.contentType = std::string(Metrics::contentType);
  response.body = from.metrics.text();
  return response;
}

}  // namespace

HttpHandler makeHttpApi(HttpSources sources) {
  return [from = std::move(sources)](const HttpRequest& request) -> HttpAnswer {
    if (request.path.starts_with("/api/")) return from.api(request);
    if (request.method != "GET" && request.method != "HEAD") {
      HttpResponse response = problem(Error{ErrorCode::invalidInput, "only GET and HEAD are answered here", {}});
      response.status = 405;
      response.headers.emplace_back("allow", "GET, HEAD");
      return response;
    }
    if (auto state = stateAnswer(from, request)) return *std::move(state);
    if (auto page = pageAnswer(request)) return *std::move(page);
    return problem(Error{ErrorCode::notFound, "there is no such page", request.path});
  };
}

}  // namespace nora
