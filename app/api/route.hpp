// Routes of the HTTP API: a method, a pattern and a function of who asks and what for. docs/openapi.yaml describes
// each.
#pragma once

#include "archive/access/rights.hpp"
#include "archive/index/accounts.hpp"
#include "archive/index/archive.hpp"
#include "archive/index/saved_views.hpp"
#include "streaming/socket/server.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {

/// Who asks.
struct Visitor {
  Caller caller;
  std::string name;            // of the user, for history and audit; "guest", "local"
  std::int64_t sessionId = 0;  // of the page's session; 0: none
  std::string csrf;            // of that session
  std::string key;             // "session:12", "token:3", "share:4", "local"; empty: a guest
};

/// One request at a route.
struct Visit {
  const HttpRequest& request;
  const Visitor& visitor;
  std::vector<std::string> at;  // the parts of the path that the pattern leaves open, in their order
  nlohmann::json body;          // null: the request has none
  std::stop_token stop;
};

struct Route {
  enum class For { everybody, users, administrators };  // users: not guests; administrators: of the server

  std::string_view method;
  std::string_view pattern;  // "/api/v1/projects/{project}/grants": {..} is one part of the path
  For whom = For::users;     // rights in projects are the function's business
  /// Thread: a worker's. An error is answered as a problem.
  std::function<Result<HttpResponse>(const Visit&)> answer;
  /// Instead of `answer`: the body goes piece by piece to what this opens.
  std::function<Result<std::shared_ptr<HttpSink>>(const Visit&)> upload = {};
  std::size_t mostBody = 0;  // bytes of JSON in the request; 0: it has no body
  bool waits = false;        // for other servers: it runs where nobody else has to wait with it
  /// What `answer` of a PUT, POST, PATCH or DELETE stores, its line of the audit too, is one transaction, which an
  /// error takes back. Not if this is true: of what only reads, or takes long, or makes files.
  bool inSteps = false;
};

/// What routes work on; outlives them.
struct ApiPlaces {
  Database& database;
  Accounts& accounts;
  Archive& archive;
  SavedViews& views;
};

[[nodiscard]] HttpResponse jsonAnswer(const nlohmann::json& json, int status = 200);

/// What the visitor may do in a project, if they may at least read there. Errors: notFound.
struct OpenProject {
  ProjectRecord project;
  Access access;
};
[[nodiscard]] Result<OpenProject> openProject(const ApiPlaces& places, const Visitor& visitor, std::int64_t projectId);

}  // namespace nora
