// `nora grant|token`: who may do what.
#include "app/archive_command.hpp"
#include "app/commands.hpp"
#include "archive/access/rights.hpp"
#include "archive/access/secret.hpp"

#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>

namespace nora {
namespace {

constexpr std::int64_t dayUs = std::int64_t{86'400} * 1'000'000;
constexpr const char* tokenPrefix = "nora_token_";

struct GrantOptions : ArchiveOptions {
  std::string project, user, group, rights;
  bool everybody = false;
};

/// Who a grant is for, in words.
std::string whom(OpenIndex& index, const Grant& grant, const std::vector<GroupRecord>& groups) {
  if (grant.userId) {
    const auto user = index.accounts.user(*grant.userId);
    return "user " + (user ? user->name : std::to_string(*grant.userId));
  }
  if (!grant.groupId) return "everybody";
  const auto at =
      std::find_if(groups.begin(), groups.end(), [&](const GroupRecord& group) { return group.id == *grant.groupId; });
  return "group " + (at == groups.end() ? std::to_string(*grant.groupId) : at->name);
}

Result<Grant> grantOf(OpenIndex& index, const GrantOptions& options) {
  const auto rights = parseRights(options.rights);
  if (!rights) return tl::make_unexpected(rights.error());
  Grant grant{{}, {}, *rights};
  if (!options.user.empty()) {
    const auto user = index.accounts.user(options.user);
    if (!user) return fail(user.error().code, user.error().what, options.user);
    grant.userId = user->id;
  } else if (!options.group.empty()) {
    const auto groups = index.accounts.groups();
    if (!groups) return tl::make_unexpected(groups.error());
    for (const GroupRecord& group : *groups) {
      if (group.name == options.group) grant.groupId = group.id;
    }
    if (!grant.groupId) return fail(ErrorCode::notFound, "there is no such group", options.group);
  } else if (!options.everybody) {
    return fail(ErrorCode::invalidInput, "say to whom: --user, --group or --everybody", "grant set");
  }
  return grant;
}

int setGrant(const GrantOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto project = (*open)->archive.project(options.project);
  if (!project) return report({project.error().code, project.error().what, options.project});
  const auto grant = grantOf(**open, options);
  if (!grant) return report(grant.error());
  if (auto set = (*open)->accounts.setGrant(project->id, *grant); !set) return report(set.error());
  const std::string to = !options.user.empty() ? options.user : !options.group.empty() ? options.group : "everybody";
  const std::string rights = toString(grant->rights);
  if (auto noted = noteCommand(**open, "grant.set", to, project->id, {{"rights", rights}}); !noted)
    return report(noted.error());
  if (options.json)
    print({{"project", project->name}, {"to", to}, {"rights", rights}});
  else
    std::printf("%s: %s may %s\n", printable(project->name).c_str(), printable(to).c_str(),
                grant->rights.empty() ? "nothing" : rights.c_str());
  return 0;
}

int listGrants(const GrantOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto project = (*open)->archive.project(options.project);
  if (!project) return report({project.error().code, project.error().what, options.project});
  const auto grants = (*open)->accounts.grants(project->id);
  if (!grants) return report(grants.error());
  const auto groups = (*open)->accounts.groups();
  if (!groups) return report(groups.error());
  nlohmann::json list = nlohmann::json::array();
  for (const Grant& grant : *grants) {
    const std::string to = whom(**open, grant, *groups);
    list.push_back({{"to", to}, {"rights", toString(grant.rights)}});
    if (!options.json) std::printf("%s\t%s\n", printable(to).c_str(), toString(grant.rights).c_str());
  }
  if (options.json) print(list);
  return 0;
}

// ---- tokens

struct TokenOptions : ArchiveOptions {
  std::string user, name, rights = "read", project;
  std::int64_t days = 90;
  std::int64_t id = 0;
};

nlohmann::json toJson(const TokenRecord& token) {
  return {{"id", token.id},
          {"name", token.name},
          {"rights", toString(token.rights)},
          {"projectId", token.projectId},
          {"created", isoTime(token.createdUs)},
          {"expires", isoTime(token.expiresUs)},
          {"used", isoTime(token.usedUs)}};
}

int addToken(const TokenOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto user = (*open)->accounts.user(options.user);
  if (!user) return report({user.error().code, user.error().what, options.user});
  const auto rights = parseRights(options.rights);
  if (!rights) return report(rights.error());
  TokenRecord token;
  if (!options.project.empty()) {
    const auto project = (*open)->archive.project(options.project);
    if (!project) return report({project.error().code, project.error().what, options.project});
    token.projectId = project->id;
  }
  const NewSecret secret = newSecret(tokenPrefix);
  token.secretHash = secret.hash;
  token.userId = user->id;
  token.name = options.name;
  token.rights = *rights;
  token.expiresUs = nowUs() + options.days * dayUs;
  const auto made = (*open)->accounts.addToken(token);
  if (!made) return report(made.error());
  const nlohmann::json detail = {{"name", made->name}, {"rights", toString(made->rights)}};
  if (auto noted = noteCommand(**open, "token.add", user->name, made->projectId, detail); !noted)
    return report(noted.error());
  auto json = toJson(*made);
  json["secret"] = secret.text;
  if (options.json)
    print(json);
  else
    std::printf("%s\nThis is shown once. It is good for %s until %s.\n", secret.text.c_str(),
                toString(made->rights).c_str(), isoTime(made->expiresUs).c_str());
  return 0;
}

int listTokens(const TokenOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto user = (*open)->accounts.user(options.user);
  if (!user) return report({user.error().code, user.error().what, options.user});
  const auto tokens = (*open)->accounts.tokens(user->id);
  if (!tokens) return report(tokens.error());
  nlohmann::json list = nlohmann::json::array();
  for (const TokenRecord& token : *tokens) {
    list.push_back(toJson(token));
    if (options.json) continue;
    std::printf("%lld\t%s\t%s\tuntil %s\n", static_cast<long long>(token.id), printable(token.name).c_str(),
                toString(token.rights).c_str(), isoTime(token.expiresUs).c_str());
  }
  if (options.json) print(list);
  return 0;
}

int removeToken(const TokenOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  if (auto removed = (*open)->accounts.removeToken(options.id); !removed) return report(removed.error());
  if (auto noted = noteCommand(**open, "token.remove", std::to_string(options.id)); !noted)
    return report(noted.error());
  if (options.json)
    print({{"id", options.id}, {"removed", true}});
  else
    std::printf("token %lld: removed\n", static_cast<long long>(options.id));
  return 0;
}

void addTokenCommands(CLI::App& app, int& exitStatus) {
  CLI::App* token = app.add_subcommand("token", "Secrets with which programs use the API")->require_subcommand(1);
  auto added = std::make_shared<TokenOptions>();
  CLI::App* add = addCommand(*token, "add", "Makes a token and prints it, once", added, addToken, exitStatus);
  add->add_option("USER", added->user, "Whose rights it has at most")->required();
  add->add_option("--name", added->name, "What it is for")->required();
  add->add_option("--rights", added->rights,
                  "What it may at most: read,annotate,edit,process,download,see-identity,...")
      ->capture_default_str();
  add->add_option("--project", added->project, "Only there");
  add->add_option("--days", added->days, "How long it is good")->check(CLI::Range(1, 3650))->capture_default_str();
  auto listed = std::make_shared<TokenOptions>();
  addCommand(*token, "list", "Lists a user's tokens", listed, listTokens, exitStatus)
      ->add_option("USER", listed->user, "The name")
      ->required();
  auto removed = std::make_shared<TokenOptions>();
  addCommand(*token, "remove", "Removes a token", removed, removeToken, exitStatus)
      ->add_option("ID", removed->id, "As nora token list gives it")
      ->required();
}

}  // namespace

void addGrantCommands(CLI::App& app, int& exitStatus) {
  CLI::App* grant = app.add_subcommand("grant", "Rights in projects")->require_subcommand(1);
  auto given = std::make_shared<GrantOptions>();
  CLI::App* set =
      addCommand(*grant, "set", "Gives rights in a project, in the place of those before", given, setGrant, exitStatus);
  set->add_option("PROJECT", given->project, "Its name")->required();
  set->add_option("RIGHTS", given->rights, "read,annotate,edit,process,download,see-identity,administer; all; none")
      ->required();
  CLI::Option* user = set->add_option("--user", given->user, "To a user");
  CLI::Option* group = set->add_option("--group", given->group, "To a group")->excludes(user);
  set->add_flag("--everybody", given->everybody, "To everybody, guests too")->excludes(user)->excludes(group);
  auto listed = std::make_shared<GrantOptions>();
  addCommand(*grant, "list", "Lists who has which rights in a project", listed, listGrants, exitStatus)
      ->add_option("PROJECT", listed->project, "Its name")
      ->required();
  addTokenCommands(app, exitStatus);
}

}  // namespace nora
