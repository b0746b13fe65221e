#include "app/api/router.hpp"

#include "archive/access/encoding.hpp"
#include "streaming/socket/http.hpp"

#include <algorithm>
#include <optional>

namespace nora {
namespace {

constexpr int mostDepth = 64;  // of JSON in requests

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  for (path.remove_prefix(1);;) {
    const auto slash = path.find('/');
    out.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

bool isOpen(const std::string& part) {
  return part.starts_with('{');
}

/// What the path has in the places that the pattern leaves open; nothing if it is another path.
std::optional<std::vector<std::string>> matched(const std::vector<std::string>& pattern,
                                                const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (isOpen(pattern[i]) && !path[i].empty()) {
      out.push_back(path[i]);
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return out;
}

/// So deep that parsing, or what looks at it, would not be safe.
bool isTooDeep(std::string_view text) {
  int depth = 0;
  bool inText = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inText) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inText = false;
      continue;
    }
    if (c == '"') inText = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > mostDepth) return true;
  }
  return false;
}

Result<nlohmann::json> parsed(const std::string& body) {
  if (body.empty()) return nlohmann::json();
  if (isTooDeep(body)) return fail(ErrorCode::limitExceeded, "the JSON is more than 64 levels deep", "body");
  try {
    return nlohmann::json::parse(body);
  } catch (const nlohmann::json::parse_error& wrong) {
    return fail(ErrorCode::invalidInput, "not JSON: wrong at byte " + std::to_string(wrong.byte), "body");
  }
}

constexpr std::string_view formType = "application/x-www-form-urlencoded";

bool isForm(const HttpRequest& request) {
  return request.header("content-type").starts_with(formType);
}

/// A form of the page says the same as a program: "json" is the body, "csrf" the header. What a form asks for the
/// browser saves while it comes. Errors: a field is missing.
Result<std::string> unfoldForm(HttpRequest& request, std::string body) {
  if (!isForm(request)) return body;
  auto json = queryValue(body, "json");
  if (!json) return fail(ErrorCode::invalidInput, "the form has no such field, or has it twice", "json");
  if (auto csrf = queryValue(body, "csrf")) request.headers["x-nora-csrf"] = *std::move(csrf);
  return *std::move(json);
}

/// As a sentence, which every browser shows where it would have saved the answer.
HttpResponse inWords(HttpResponse response) {
  if (response.status < 400) return response;
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  if (json.is_object()) response.body = json.value("detail", json.value("title", ""));
  response.contentType = "text/plain; charset=utf-8";
  return response;
}

struct Asked {
  HttpRequest request;
  std::vector<std::string> at;
  std::shared_ptr<const Route> route;
};

HttpResponse wantsLogIn() {
  auto response = problemWith({ErrorCode::forbidden, "log in first", {}}, 401);
  response.headers.emplace_back("www-authenticate", "Bearer");
  return response;
}

/// Who asks, if they may ask this at all.
tl::expected<Visitor, HttpResponse> admitted(const Asked& asked, Gate& gate) {
  const auto visitor = gate.visitor(asked.request);
  const bool hasToken = !asked.request.header("authorization").empty();
  if (!visitor && hasToken && visitor.error().code == ErrorCode::forbidden) {
    return tl::make_unexpected(problemWith(visitor.error(), 401));
  }
  if (!visitor) return tl::make_unexpected(problem(visitor.error()));
  const bool isGuest = visitor->caller.entrance == Entrance::guest;
  if (asked.route->whom != Route::For::everybody && isGuest) return tl::make_unexpected(wantsLogIn());
  if (asked.route->whom == Route::For::administrators && !mayAdministerServer(visitor->caller)) {
    return tl::make_unexpected(problem({ErrorCode::forbidden, "only administrators of the server may do this", {}}));
  }
  return *visitor;
}

/// Errors that a log-in would help against are 401.
HttpResponse refusal(const Error& error, const Visitor& visitor) {
  const bool isGuest = visitor.caller.entrance == Entrance::guest;
  return isGuest && error.code == ErrorCode::forbidden ? wantsLogIn() : problem(error);
}

/// All that the route stores, or nothing.
Result<HttpResponse> answerAtOnce(const Route& route, const Visit& visit, Database& database) {
  Result<HttpResponse> answer;
  const auto stored = database.together([&]() -> Result<void> {
    answer = route.answer(visit);
    if (!answer) return tl::make_unexpected(answer.error());
    if (answer->status >= 400) return fail(ErrorCode::invalidInput, "refused");
    return {};
  });
  const bool isRefusal = !answer || answer->status >= 400;
  if (!stored && !isRefusal) return tl::make_unexpected(stored.error());
  return answer;
}

HttpResponse run(Asked asked, Gate& gate, std::string sent, std::stop_token stop) {
  const auto body = unfoldForm(asked.request, std::move(sent));
  if (!body) return problem(body.error());
  const auto visitor = admitted(asked, gate);
  if (!visitor) return visitor.error();
  auto json = parsed(*body);
  if (!json) return problem(json.error());
  const Visit visit{asked.request, *visitor, asked.at, *std::move(json), std::move(stop)};
  const bool isAtOnce = asked.route->method != "GET" && !asked.route->inSteps;
  auto answer = isAtOnce ? answerAtOnce(*asked.route, visit, gate.database()) : asked.route->answer(visit);
  if (answer && answer->stream) {
    auto stream = gate.whileAdmitted(std::move(answer->stream), *visitor);
    if (!stream) return problem(stream.error());
    answer->stream = *std::move(stream);
  }
  return answer ? *std::move(answer) : refusal(answer.error(), *visitor);
}

HttpAnswer answerOf(std::shared_ptr<const Asked> asked, Gate& gate) {
  if (asked->route->upload) {
    return HttpUpload{[asked, &gate](std::stop_token stop) -> tl::expected<std::shared_ptr<HttpSink>, HttpResponse> {
      const auto visitor = admitted(*asked, gate);
      if (!visitor) return tl::make_unexpected(visitor.error());
      const Visit visit{asked->request, *visitor, asked->at, {}, std::move(stop)};
      auto sink = asked->route->upload(visit);
      if (!sink) return tl::make_unexpected(refusal(sink.error(), *visitor));
      return *std::move(sink);
    }};
  }
  const bool mayHaveBody = asked->request.method != "GET" && asked->request.method != "HEAD";
  if (mayHaveBody) {
    return HttpBody{asked->route->mostBody,
                    [asked, &gate](const std::string& body, std::stop_token stop) {
                      auto answer = guarded([&] { return run(*asked, gate, body, std::move(stop)); });
                      return isForm(asked->request) ? inWords(std::move(answer)) : answer;
                    },
                    asked->route->waits};
  }
  HttpWork work = [asked, &gate](std::stop_token stop) {
    return guarded([&] { return run(*asked, gate, {}, std::move(stop)); });
  };
  if (asked->route->waits) return HttpWaitingWork{std::move(work)};
  return work;
}

}  // namespace

HttpHandler makeRouter(std::vector<Route> routes, Gate& gate) {
  struct Known {
    std::vector<std::string> pattern;
    std::shared_ptr<const Route> route;
  };
  auto known = std::make_shared<std::vector<Known>>();
  for (auto& route : routes) known->push_back({split(route.pattern), std::make_shared<const Route>(std::move(route))});
  // "/subjects/ids" before "/subjects/{id}"
  std::stable_sort(known->begin(), known->end(), [](const Known& a, const Known& b) {
    return std::count_if(a.pattern.begin(), a.pattern.end(), isOpen) <
           std::count_if(b.pattern.begin(), b.pattern.end(), isOpen);
  });
  return [known, &gate](const HttpRequest& request) -> HttpAnswer {
    const auto path = split(request.path);
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    std::string allowed;
    for (const Known& one : *known) {
      auto at = matched(one.pattern, path);
      if (!at) continue;
      if (one.route->method == method) {
        return answerOf(std::make_shared<const Asked>(Asked{request, *std::move(at), one.route}), gate);
      }
      allowed += (allowed.empty() ? "" : ", ") + std::string(one.route->method);
    }
    if (allowed.empty()) return problem(Error{ErrorCode::notFound, "there is no such route", request.path});
    auto response = problemWith({ErrorCode::unsupported, "this route does not know " + request.method, {}}, 405);
    response.headers.emplace_back("allow", allowed);
    return response;
  };
}

}  // namespace nora
