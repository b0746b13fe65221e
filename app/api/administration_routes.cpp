// Routes for administrators: users, groups, rights in projects, sessions, the audit, the state of the server.
#include "app/api/account_routes.hpp"

#include "app/api/json_body.hpp"
#include "app/api/server_state.hpp"
#include "archive/access/password.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::size_t smallBody = 64 << 10;

nlohmann::json toJson(const UserRecord& user) {
  return {{"id", user.id},
          {"name", user.name},
          {"fullName", user.fullName},
          {"email", user.email},
          {"origin", user.origin},
          {"administrator", user.administrator},
          {"disabled", user.disabled},
          {"absent", user.absent},
          {"created", jsonTime(user.createdUs)},
          {"seen", jsonTime(user.seenUs)}};
}

nlohmann::json toJson(const GroupRecord& group) {
  return {{"id", group.id}, {"name", group.name}, {"origin", group.origin}, {"members", group.members}};
}

template <class T>
Result<HttpResponse> listOf(const Result<std::vector<T>>& all) {
  if (!all) return tl::make_unexpected(all.error());
  auto out = nlohmann::json::array();
  for (const T& one : *all) out.push_back(toJson(one));
  return jsonAnswer(listJson(std::move(out)));
}

Result<HttpResponse> usersAnswer(const ApiPlaces& places, const Visit&) {
  return listOf(places.accounts.users());
}

Result<std::string> hashOf(const std::string& password, const std::string& user) {
  if (auto good = checkNewPassword(password, user); !good) return tl::make_unexpected(good.error());
  return hashPassword(password);
}

Result<HttpResponse> addUserAnswer(const ApiPlaces& places, const Visit& visit) {
  JsonBody body(visit.body);
  UserRecord user;
  user.name = body.text("name");
  user.fullName = body.textIfThere("fullName").value_or("");
  user.email = body.textIfThere("email").value_or("");
  user.administrator = body.flag("administrator").value_or(false);
  user.disabled = body.flag("disabled").value_or(false);
  const auto password = body.textIfThere("password", 4096);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (password) {
    const auto hash = hashOf(*password, user.name);
    if (!hash) return tl::make_unexpected(hash.error());
    user.passwordHash = *hash;
  }
  Result<UserRecord> made;
  const auto stored = places.database.together([&]() -> Result<void> {
    if (auto noted = noteAction(places, visit, "user.add", 0, user.name); !noted) return noted;
    made = places.accounts.addUser(user);
    if (!made) return tl::make_unexpected(made.error());
    return {};
  });
  if (!stored) return tl::make_unexpected(stored.error());
  return jsonAnswer(toJson(*made), 201);
}

Result<UserRecord> userOf(const ApiPlaces& places, const std::string& text) {
  const auto id = idFrom(text, "user");
  if (!id) return tl::make_unexpected(id.error());
  return places.accounts.user(*id);
}

Result<HttpResponse> changeUserAnswer(const ApiPlaces& places, const Visit& visit) {
  auto user = userOf(places, visit.at.front());
  if (!user) return tl::make_unexpected(user.error());
  JsonBody body(visit.body);
  user->fullName = body.textIfThere("fullName").value_or(user->fullName);
  user->email = body.textIfThere("email").value_or(user->email);
  user->administrator = body.flag("administrator").value_or(user->administrator);
  user->disabled = body.flag("disabled").value_or(user->disabled);
  const auto password = body.textIfThere("password", 4096);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  nlohmann::json detail = visit.body;
  detail.erase("password");
  if (password) {
    const auto hash = hashOf(*password, user->name);
    if (!hash) return tl::make_unexpected(hash.error());
    user->passwordHash = *hash;
  }
  const auto stored = places.database.together([&]() -> Result<void> {
    if (auto noted = noteAction(places, visit, "user.change", 0, user->name, detail); !noted) return noted;
    if (password) {
      if (auto set = places.accounts.setPassword(user->id, user->passwordHash); !set) return set;
    }
    return places.accounts.changeUser(*user);
  });
  if (!stored) return tl::make_unexpected(stored.error());
  return jsonAnswer(toJson(*user));
}

Result<HttpResponse> removeUserAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto user = userOf(places, visit.at.front());
  if (!user) return tl::make_unexpected(user.error());
  if (auto noted = noteAction(places, visit, "user.remove", 0, user->name); !noted)
    return tl::make_unexpected(noted.error());
  if (auto removed = places.accounts.removeUser(user->id); !removed) return tl::make_unexpected(removed.error());
  return jsonAnswer(nlohmann::json::object());
}

Result<HttpResponse> groupsAnswer(const ApiPlaces& places, const Visit&) {
  return listOf(places.accounts.groups());
}

Result<HttpResponse> addGroupAnswer(const ApiPlaces& places, const Visit& visit) {
  JsonBody body(visit.body);
  const auto name = body.text("name");
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (auto noted = noteAction(places, visit, "group.add", 0, name); !noted) return tl::make_unexpected(noted.error());
  const auto made = places.accounts.addGroup(name);
  if (!made) return tl::make_unexpected(made.error());
  return jsonAnswer(toJson(*made), 201);
}

Result<HttpResponse> removeGroupAnswer(const ApiPlaces& places, const Visit& visit) {
  if (auto noted = noteAction(places, visit, "group.remove", 0, visit.at.front()); !noted)
    return tl::make_unexpected(noted.error());
  if (auto removed = places.accounts.removeGroup(visit.at.front()); !removed)
    return tl::make_unexpected(removed.error());
  return jsonAnswer(nlohmann::json::object());
}

Result<HttpResponse> memberAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto user = userOf(places, visit.at.at(1));
  if (!user) return tl::make_unexpected(user.error());
  const bool isMember = visit.request.method == "PUT";
  const auto action = isMember ? "group.member.add" : "group.member.remove";
  if (auto noted = noteAction(places, visit, action, 0, visit.at.front(), {{"user", user->name}}); !noted)
    return tl::make_unexpected(noted.error());
  if (auto set = places.accounts.setMember(visit.at.front(), user->id, isMember); !set)
    return tl::make_unexpected(set.error());
  return jsonAnswer(nlohmann::json::object());
}

// ---- rights in a project, for those who administer it

Result<OpenProject> administered(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "project");
  if (!id) return tl::make_unexpected(id.error());
  auto project = openProject(places, visit.visitor, *id);
  if (!project) return project;
  if (auto may = require(project->access, Right::administer, project->project.name); !may)
    return tl::make_unexpected(may.error());
  return project;
}

Result<HttpResponse> grantsAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto project = administered(places, visit);
  if (!project) return tl::make_unexpected(project.error());
  const auto grants = places.accounts.grants(project->project.id);
  const auto groups = places.accounts.groups();
  if (!grants || !groups) return tl::make_unexpected(grants ? groups.error() : grants.error());
  auto out = nlohmann::json::array();
  for (const Grant& grant : *grants) {
    nlohmann::json row{{"userId", nullptr},
                       {"userName", nullptr},
                       {"groupId", nullptr},
                       {"groupName", nullptr},
                       {"everybody", !grant.userId && !grant.groupId},
                       {"rights", nora::toJson(grant.rights)}};
    if (grant.userId) {
      const auto user = places.accounts.user(*grant.userId);
      row["userId"] = *grant.userId;
      row["userName"] = user ? user->name : "";
    }
    if (grant.groupId) {
      row["groupId"] = *grant.groupId;
      const auto at =
          std::find_if(groups->begin(), groups->end(), [&](const auto& g) { return g.id == *grant.groupId; });
      row["groupName"] = at == groups->end() ? "" : at->name;
    }
    out.push_back(std::move(row));
  }
  return jsonAnswer(listJson(std::move(out)));
}

Result<HttpResponse> setGrantAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto project = administered(places, visit);
  if (!project) return tl::make_unexpected(project.error());
  JsonBody body(visit.body);
  Grant grant;
  grant.userId = body.id("userId");
  grant.groupId = body.id("groupId");
  const bool everybody = body.flag("everybody").value_or(false);
  const auto rights = body.rights("rights");
  if (!rights) body.wrong("rights", "the field is missing");
  if ((grant.userId ? 1 : 0) + (grant.groupId ? 1 : 0) + (everybody ? 1 : 0) != 1)
    body.wrong("userId", "exactly one of userId, groupId and everybody is expected");
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  grant.rights = *rights;
  if (auto noted = noteAction(places, visit, "grant.set", project->project.id, project->project.name, visit.body);
      !noted)
    return tl::make_unexpected(noted.error());
  if (auto set = places.accounts.setGrant(project->project.id, grant); !set) return tl::make_unexpected(set.error());
  return grantsAnswer(places, visit);
}

// ---- sessions of all users

Result<HttpResponse> allSessionsAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto sessions = places.accounts.sessions(0);
  const auto users = places.accounts.users();
  if (!sessions || !users) return tl::make_unexpected(sessions ? users.error() : sessions.error());
  auto out = nlohmann::json::array();
  for (const auto& session : *sessions) {
    const auto user = std::find_if(users->begin(), users->end(), [&](const auto& u) { return u.id == session.userId; });
    out.push_back({{"id", session.id},
                   {"userId", session.userId},
                   {"userName", user == users->end() ? "" : user->name},
                   {"address", session.address},
                   {"created", jsonTime(session.createdUs)},
                   {"seen", jsonTime(session.seenUs)},
                   {"expires", jsonTime(session.expiresUs)},
                   {"current", session.id == visit.visitor.sessionId}});
  }
  return jsonAnswer(listJson(std::move(out)));
}

Result<HttpResponse> endAnySessionAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "session");
  if (!id) return tl::make_unexpected(id.error());
  if (auto noted = noteAction(places, visit, "session.end", 0, std::to_string(*id)); !noted)
    return tl::make_unexpected(noted.error());
  if (auto removed = places.accounts.removeSession(*id); !removed) return tl::make_unexpected(removed.error());
  return jsonAnswer(nlohmann::json::object());
}

// ---- audit

Result<Accounts::AuditFilter> auditFilter(const HttpRequest& request) {
  Accounts::AuditFilter out;
  const auto project = queryNumber(request, "project", 0, 0, INT64_MAX);
  const auto before = queryNumber(request, "before", 0, 0, INT64_MAX);
  const auto limit = queryNumber(request, "limit", 100, 1, 1000);
  for (const auto* number : {&project, &before, &limit}) {
    if (!*number) return tl::make_unexpected(number->error());
  }
  if (*project != 0) out.projectId = *project;
  out.before = *before;
  out.most = static_cast<int>(*limit);
  if (const auto user = queryText(request, "user"); !user.empty()) out.user = user;
  if (const auto action = queryText(request, "action"); !action.empty()) out.action = action;
  for (const auto& [name, where] : {std::pair{"from", &out.fromUs}, std::pair{"until", &out.untilUs}}) {
    const auto text = queryText(request, name);
    if (text.empty()) continue;
    const auto time = fromIsoTime(text);
    if (!time) return fail(ErrorCode::invalidInput, "a time like 2026-03-01T12:00:00Z, or a day, is expected", name);
    *where = *time;
  }
  return out;
}

nlohmann::json toJson(const AuditRecord& record) {
  const auto detail = nlohmann::json::parse(record.detail, nullptr, false);
  return {{"id", record.id},
          {"at", jsonTime(record.atUs)},
          {"user", record.user},
          {"action", record.action},
          {"projectId", record.projectId == 0 ? nlohmann::json() : nlohmann::json(record.projectId)},
          {"item", record.item},
          {"detail", detail.is_discarded() ? nlohmann::json(record.detail) : detail},
          {"address", record.address}};
}

Result<HttpResponse> auditAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto filter = auditFilter(visit.request);
  if (!filter) return tl::make_unexpected(filter.error());
  const auto records = places.accounts.audit(*filter);
  if (!records) return tl::make_unexpected(records.error());
  auto out = nlohmann::json::array();
  for (const auto& record : *records) out.push_back(toJson(record));
  const bool isMore = static_cast<int>(records->size()) == filter->most;
  return jsonAnswer(listJson(std::move(out), isMore ? nlohmann::json(records->back().id) : nlohmann::json()));
}

/// All that match, the newest first, page by page as it is sent.
class AuditCsv final : public HttpStream {
 public:
  AuditCsv(Accounts& accounts, Accounts::AuditFilter filter) : accounts_(accounts), filter_(std::move(filter)) {
    filter_.most = 1000;
    waiting_ = "id,at,user,action,project,item,detail,address\r\n";
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return std::nullopt; }
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into, std::stop_token) override {
    while (waiting_.size() < into.size() && !isEnd_) {
      const auto records = accounts_.audit(filter_);
      if (!records) return tl::make_unexpected(records.error());
      isEnd_ = static_cast<int>(records->size()) < filter_.most;
      for (const auto& record : *records) {
        filter_.before = record.id;
        waiting_ += std::to_string(record.id) + "," + jsonTime(record.atUs).get<std::string>() + "," +
                    csvField(record.user) + "," + csvField(record.action) + "," + std::to_string(record.projectId) +
                    "," + csvField(record.item) + "," + csvField(record.detail) + "," + csvField(record.address) +
                    "\r\n";
      }
    }
    const std::size_t count = std::min(into.size(), waiting_.size());
    std::copy_n(reinterpret_cast<const std::byte*>(waiting_.data()), count, into.begin());
    waiting_.erase(0, count);
    return count;
  }

 private:
  Accounts& accounts_;
  Accounts::AuditFilter filter_;
  std::string waiting_;
  bool isEnd_ = false;
};

Result<HttpResponse> auditCsvAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto filter = auditFilter(visit.request);
  if (!filter) return tl::make_unexpected(filter.error());
  if (auto noted = noteAction(places, visit, "audit.export", 0, ""); !noted) return tl::make_unexpected(noted.error());
  HttpResponse response;
  response.contentType = "text/csv; charset=utf-8";
  response.headers.emplace_back("content-disposition", "attachment; filename=\"audit.csv\"");
  response.stream = std::make_shared<AuditCsv>(places.accounts, *filter);
  return response;
}

}  // namespace

std::vector<Route> administrationRoutes(const ApiPlaces& places) {
  const auto administrators = Route::For::administrators, users = Route::For::users;
  const auto plain = [&](std::string_view method, std::string_view pattern, Route::For whom,
                         Result<HttpResponse> (*answer)(const ApiPlaces&, const Visit&), std::size_t body = 0,
                         bool inSteps = false) {
    return Route{method, pattern, whom,  [places, answer](const Visit& visit) { return answer(places, visit); },
                 {},     body,    false, inSteps};
  };
  return {
      plain("GET", "/api/v1/users", administrators, usersAnswer),
      plain("POST", "/api/v1/users", administrators, addUserAnswer, smallBody, true),
      plain("PATCH", "/api/v1/users/{id}", administrators, changeUserAnswer, smallBody, true),
      plain("DELETE", "/api/v1/users/{id}", administrators, removeUserAnswer),
      plain("GET", "/api/v1/groups", administrators, groupsAnswer),
      plain("POST", "/api/v1/groups", administrators, addGroupAnswer, smallBody),
      plain("DELETE", "/api/v1/groups/{name}", administrators, removeGroupAnswer),
      plain("PUT", "/api/v1/groups/{name}/members/{user}", administrators, memberAnswer),
      plain("DELETE", "/api/v1/groups/{name}/members/{user}", administrators, memberAnswer),
      plain("GET", "/api/v1/projects/{id}/grants", users, grantsAnswer),
      plain("PUT", "/api/v1/projects/{id}/grants", users, setGrantAnswer, smallBody),
      plain("GET", "/api/v1/sessions", administrators, allSessionsAnswer),
      plain("DELETE", "/api/v1/sessions/{id}", administrators, endAnySessionAnswer),
      plain("GET", "/api/v1/audit", administrators, auditAnswer),
      plain("GET", "/api/v1/audit.csv", administrators, auditCsvAnswer),
      plain("GET", "/api/v1/server", administrators, serverAnswer),
      plain("POST", "/api/v1/server/check", administrators, checkIndexAnswer),
  };
}

}  // namespace nora
