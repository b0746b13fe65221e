#include "app/http_api.hpp"

#include "app/page_files.hpp"

#include <charconv>
#include <optional>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::uint64_t defaultLimit = 500;  // 10 ms of the socket thread
constexpr std::uint64_t mostLimit = 2000;
constexpr std::uint64_t mostPages = 1'000'000;

std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The number in a query field; `fallback` if absent, empty optional if it is not a number.
std::optional<std::uint64_t> number(const HttpRequest& request, const std::string& name, std::uint64_t fallback) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  std::uint64_t value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [at, error] = std::from_chars(found->second.data(), end, value);
  if (error != std::errc{} || at != end) return std::nullopt;
  return value;
}

nlohmann::json countsJson(const Catalogue::Counts& counts) {
  return {{"files", counts.files}, {"entries", counts.entries}, {"problems", counts.problems}};
}

HttpResponse catalogueAnswer(const Catalogue& catalogue, const std::string& rootName, const HttpRequest& request) {
  const auto after = number(request, "after", 0);
  const auto limit = number(request, "limit", defaultLimit);
  if (!after) return problem(Error{ErrorCode::invalidInput, "must be a whole number", "after"});
  if (!limit || *limit < 1 || *limit > mostLimit) {
    return problem(Error{ErrorCode::invalidInput, "must be a whole number from 1 to 2000", "limit"});
  }
  const auto counts = catalogue.counts();
  const auto page = catalogue.after(*after, *limit);
  nlohmann::json entries = nlohmann::json::array();
  for (const auto& entry : page.entries) entries.push_back(toJson(entry));
  HttpResponse response;
  response.contentType = "application/json";
  response.body = dump({{"revision", page.revision},
                        {"more", page.more},
                        {"scanning", counts.scanning},
                        {"root", rootName},
                        {"counts", countsJson(counts)},
                        {"entries", std::move(entries)}});
  return response;
}

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

constexpr std::string_view entriesPath = "/api/v1/entries/";

/// Nothing of a document runs or loads anything. Chromium's viewer needs a PDF without a sandbox, and styles of its
/// own.
std::string policyFor(const std::string& mediaType) {
  if (mediaType == "application/pdf") return "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'";
  return "sandbox; default-src 'none'";
}

HttpResponse documentAnswer(const Result<Document>& document) {
  if (!document) return problem(document.error());
  HttpResponse response;
  response.contentType = document->info().mediaType;
  if (response.contentType == "text/plain") response.contentType += "; charset=utf-8";
  response.contentSecurityPolicy = policyFor(document->info().mediaType);
  response.body = std::string(document->bytes());
  return response;
}

HttpResponse infoAnswer(const Result<nlohmann::json>& info) {
  if (!info) return problem(info.error());
  HttpResponse response;
  response.contentType = "application/json";
  response.body = dump(*info);
  return response;
}

/// /api/v1/entries/ID/content[?page=N], /api/v1/entries/ID/info
std::optional<HttpAnswer> entryAnswer(const EntryContent& content, const HttpRequest& request) {
  if (!request.path.starts_with(entriesPath)) return std::nullopt;
  const std::string rest = request.path.substr(entriesPath.size());
  const auto slash = rest.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string id = rest.substr(0, slash), what = rest.substr(slash);
  if (what == "/info") {
    return HttpWork([&content, id](std::stop_token stop) { return infoAnswer(content.info(id, std::move(stop))); });
  }
  if (what != "/content") return std::nullopt;
  const auto page = number(request, "page", 1);
  if (!page || *page < 1 || *page > mostPages) {
    return problem(Error{ErrorCode::invalidInput, "must be a whole number from 1", "page"});
  }
  return HttpWork([&content, id, at = static_cast<std::int64_t>(*page) - 1](std::stop_token stop) {
    return documentAnswer(content.document(id, at, std::move(stop)));
  });
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

std::string catalogueMessage(const Catalogue& catalogue) {
  const auto counts = catalogue.counts();
  nlohmann::json message = countsJson(counts);
  message["type"] = "catalogue";
  message["revision"] = counts.revision;
  message["scanning"] = counts.scanning;
  return dump(message);
}

HttpHandler makeHttpApi(HttpSources sources) {
  return [from = std::move(sources)](const HttpRequest& request) -> HttpAnswer {
    if (auto state = stateAnswer(from, request)) return *std::move(state);
    if (request.path == "/api/v1/catalogue") return catalogueAnswer(from.catalogue, from.rootName, request);
    if (auto entry = entryAnswer(from.content, request)) return *std::move(entry);
    if (auto page = pageAnswer(request)) return *std::move(page);
    return problem(Error{ErrorCode::notFound, "there is no such page", request.path});
  };
}

}  // namespace nora
