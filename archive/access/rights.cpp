#include "archive/access/rights.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

struct Name {
  Right right;
  std::string_view name;
};
constexpr std::array<Name, 7> names{{
    {Right::read, "read"},
    {Right::annotate, "annotate"},
    {Right::edit, "edit"},
    {Right::process, "process"},
    {Right::download, "download"},
    {Right::seeIdentity, "see-identity"},
    {Right::administer, "administer"},
}};

constexpr Rights guestsAtMost = Right::read | Right::download;
constexpr Rights linksAtMost = Rights(Right::read) | Right::annotate | Right::download;

bool counts(const Grant& grant, const Caller& caller) {
  if (!grant.userId && !grant.groupId) return true;
  if (caller.entrance == Entrance::guest) return false;
  if (grant.userId) return *grant.userId == caller.userId;
  return std::find(caller.groups.begin(), caller.groups.end(), *grant.groupId) != caller.groups.end();
}

}  // namespace

std::string_view toString(Right right) {
  for (const auto& entry : names) {
    if (entry.right == right) return entry.name;
  }
  return "none";
}

std::string toString(Rights rights) {
  std::string text;
  for (const auto& entry : names) {
    if (!rights.has(entry.right)) continue;
    if (!text.empty()) text += ',';
    text += entry.name;
  }
  return text.empty() ? "none" : text;
}

Result<Rights> parseRights(std::string_view text) {
  Rights rights;
  bool any = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(", "), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    any = true;
    const auto* const found = std::find_if(names.begin(), names.end(), [&](const Name& n) { return n.name == word; });
    if (found != names.end()) {
      rights = rights | found->right;
    } else if (word == "all") {
      rights = Rights::all();
    } else if (word != "none") {
      return fail(ErrorCode::invalidInput, "no such right: use " + toString(Rights::all()) + ", all or none",
                  std::string(word.substr(0, 40)));
    }
  }
  if (!any) return fail(ErrorCode::invalidInput, "no right is named: use " + toString(Rights::all()) + ", all or none");
  return rights;
}

Rights withImplied(Rights rights) {
  if (rights.has(Right::administer)) return Rights::all();
  if (rights.has(Right::edit)) rights = rights | Right::annotate;
  if (!rights.empty()) rights = rights | Right::read;
  return rights;
}

Access accessTo(const ProjectFacts& project, std::span<const Grant> grants, const Caller& caller) {
  if (caller.disabled || (caller.onlyProject != 0 && caller.onlyProject != project.id)) return {};
  const bool guest = caller.entrance == Entrance::guest;
  Rights rights;
  for (const auto& grant : grants) {
    if (counts(grant, caller)) rights = rights | grant.rights;
  }
  if (caller.administrator && !guest) rights = Rights::all();
  rights = withImplied(rights);
  if (guest) rights = rights & guestsAtMost;
  if (caller.entrance == Entrance::token) rights = rights & withImplied(caller.limit);
  if (caller.entrance == Entrance::shareLink) rights = rights & withImplied(caller.limit) & linksAtMost;
  if (!rights.has(Right::read)) return {};
  return {rights, !project.hideIdentity || rights.has(Right::seeIdentity)};
}

bool mayAdministerServer(const Caller& caller) {
  // The single user of a machine has no account, and no id.
  const bool isNobody = caller.userId == 0 && caller.entrance != Entrance::session;
  if (!caller.administrator || caller.disabled || isNobody) return false;
  if (caller.entrance == Entrance::session) return true;
  return caller.entrance == Entrance::token && caller.onlyProject == 0 && caller.limit.has(Right::administer);
}

Result<void> require(const Access& access, Right right, std::string_view project) {
  if (!access.rights.has(Right::read))
    return fail(ErrorCode::notFound, "there is no such project", std::string(project));
  if (access.rights.has(right)) return {};
  return fail(ErrorCode::forbidden,
              "needs the right to " + std::string(toString(right)) + "; who administers the project can give it",
              std::string(project));
}

}  // namespace nora
