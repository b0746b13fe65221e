// `nora user|group`: who there is.
#include "app/archive_command.hpp"
#include "app/commands.hpp"
#include "app/typed_password.hpp"
#include "archive/access/password.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include <CLI/CLI.hpp>

namespace nora {
namespace {

nlohmann::json toJson(const UserRecord& user) {
  return {{"id", user.id},
          {"name", user.name},
          {"fullName", user.fullName},
          {"email", user.email},
          {"origin", user.origin},
          {"administrator", user.administrator},
          {"disabled", user.disabled},
          {"absent", user.absent},
          {"hasPassword", !user.passwordHash.empty()},
          {"created", isoTime(user.createdUs)},
          {"seen", isoTime(user.seenUs)}};
}

struct UserOptions : ArchiveOptions {
  std::string name, passwordFile;
  std::optional<std::string> fullName, email;
  bool administrator = false, notAdministrator = false, disable = false, enable = false, noPassword = false;
};

Result<std::string> hashOfNewPassword(const UserOptions& options) {
  const auto password = newPassword(options.passwordFile, options.name);
  if (!password) return password;
  if (auto right = checkNewPassword(*password, options.name); !right) return tl::make_unexpected(right.error());
  return hashPassword(*password);
}

int say(const UserOptions& options, const UserRecord& user, const char* what) {
  if (options.json)
    print(toJson(user));
  else
    std::printf("user %s: %s\n", printable(user.name).c_str(), what);
  return 0;
}

int addUser(const UserOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  UserRecord user;
  user.name = options.name;
  user.fullName = options.fullName.value_or("");
  user.email = options.email.value_or("");
  user.administrator = options.administrator;
  if ((*open)->accounts.user(options.name))
    return report({ErrorCode::invalidInput, "there is a user of that name", options.name});
  if (!options.noPassword) {
    auto hash = hashOfNewPassword(options);
    if (!hash) return report(hash.error());
    user.passwordHash = *hash;
  }
  const auto made = (*open)->accounts.addUser(user);
  if (!made) return report(made.error());
  if (auto noted = noteCommand(**open, "user.add", made->name, 0, {{"administrator", made->administrator}}); !noted)
    return report(noted.error());
  return say(options, *made, "added");
}

int listUsers(const ArchiveOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto users = (*open)->accounts.users();
  if (!users) return report(users.error());
  nlohmann::json list = nlohmann::json::array();
  for (const UserRecord& user : *users) {
    list.push_back(toJson(user));
    if (options.json) continue;
    std::printf("%s\t%s\t%s\t%s%s%s\n", printable(user.name).c_str(), printable(user.fullName).c_str(),
                user.origin.c_str(), user.administrator ? "administrator" : "user", user.disabled ? ", disabled" : "",
                user.absent ? ", not in the directory" : "");
  }
  if (options.json) print(list);
  return 0;
}

int changeUser(const UserOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  auto user = (*open)->accounts.user(options.name);
  if (!user) return report({user.error().code, user.error().what, options.name});
  if (options.fullName) user->fullName = *options.fullName;
  if (options.email) user->email = *options.email;
  user->administrator = (user->administrator || options.administrator) && !options.notAdministrator;
  user->disabled = (user->disabled || options.disable) && !options.enable;
  if (auto changed = (*open)->accounts.changeUser(*user); !changed) return report(changed.error());
  const nlohmann::json detail = {{"administrator", user->administrator}, {"disabled", user->disabled}};
  if (auto noted = noteCommand(**open, "user.change", user->name, 0, detail); !noted) return report(noted.error());
  return say(options, *user, "changed");
}

int removeUser(const UserOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto user = (*open)->accounts.user(options.name);
  if (!user) return report({user.error().code, user.error().what, options.name});
  if (auto removed = (*open)->accounts.removeUser(user->id); !removed) return report(removed.error());
  if (auto noted = noteCommand(**open, "user.remove", user->name); !noted) return report(noted.error());
  return say(options, *user, "removed");
}

int setPassword(const UserOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto user = (*open)->accounts.user(options.name);
  if (!user) return report({user.error().code, user.error().what, options.name});
  const auto hash = hashOfNewPassword(options);
  if (!hash) return report(hash.error());
  if (auto set = (*open)->accounts.setPassword(user->id, *hash); !set) return report(set.error());
  if (auto noted = noteCommand(**open, "user.password", user->name); !noted) return report(noted.error());
  return say(options, *user, "has a new password and is logged out everywhere");
}

// ---- groups

struct GroupOptions : ArchiveOptions {
  std::string name;
  std::vector<std::string> add, remove;
};

int addGroup(const GroupOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto made = (*open)->accounts.addGroup(options.name);
  if (!made) return report(made.error());
  if (auto noted = noteCommand(**open, "group.add", made->name); !noted) return report(noted.error());
  if (options.json)
    print({{"id", made->id}, {"name", made->name}, {"origin", made->origin}, {"members", nlohmann::json::array()}});
  else
    std::printf("group %s: added\n", printable(made->name).c_str());
  return 0;
}

int listGroups(const ArchiveOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto groups = (*open)->accounts.groups();
  if (!groups) return report(groups.error());
  nlohmann::json list = nlohmann::json::array();
  for (const GroupRecord& group : *groups) {
    std::vector<std::string> names;
    for (const std::int64_t id : group.members) {
      const auto user = (*open)->accounts.user(id);
      names.push_back(user ? user->name : std::to_string(id));
    }
    list.push_back({{"id", group.id}, {"name", group.name}, {"origin", group.origin}, {"members", names}});
    if (options.json) continue;
    std::printf("%s\t%s\t", printable(group.name).c_str(), group.origin.c_str());
    for (std::size_t i = 0; i < names.size(); ++i) std::printf("%s%s", i == 0 ? "" : ", ", printable(names[i]).c_str());
    std::printf("\n");
  }
  if (options.json) print(list);
  return 0;
}

int removeGroup(const GroupOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  if (auto removed = (*open)->accounts.removeGroup(options.name); !removed) return report(removed.error());
  if (auto noted = noteCommand(**open, "group.remove", options.name); !noted) return report(noted.error());
  if (options.json)
    print({{"name", options.name}, {"removed", true}});
  else
    std::printf("group %s: removed\n", printable(options.name).c_str());
  return 0;
}

int setMembers(const GroupOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  if (options.add.empty() && options.remove.empty())
    return report({ErrorCode::invalidInput, "say who: --add USER or --remove USER", "group member"});
  for (const bool isMember : {true, false}) {
    for (const std::string& name : isMember ? options.add : options.remove) {
      const auto user = (*open)->accounts.user(name);
      if (!user) return report({user.error().code, user.error().what, name});
      if (auto set = (*open)->accounts.setMember(options.name, user->id, isMember); !set) return report(set.error());
      const char* action = isMember ? "group.member.add" : "group.member.remove";
      if (auto noted = noteCommand(**open, action, options.name, 0, {{"user", name}}); !noted)
        return report(noted.error());
    }
  }
  if (options.json)
    print({{"name", options.name}, {"added", options.add}, {"removed", options.remove}});
  else
    std::printf("group %s: %zu added, %zu removed\n", printable(options.name).c_str(), options.add.size(),
                options.remove.size());
  return 0;
}

void addPasswordFile(CLI::App* command, UserOptions& options) {
  command->add_option("--password-file", options.passwordFile,
                      "The password is its first line; -: of standard input. Without it you are asked at the terminal");
}

void addGroupCommands(CLI::App& app, int& exitStatus) {
  CLI::App* group = app.add_subcommand("group", "Groups of users")->require_subcommand(1);
  auto added = std::make_shared<GroupOptions>();
  addCommand(*group, "add", "Makes a group", added, addGroup, exitStatus)
      ->add_option("NAME", added->name, "Its name")
      ->required();
  addCommand(*group, "list", "Lists the groups and who is in them", std::make_shared<ArchiveOptions>(), listGroups,
             exitStatus);
  auto removed = std::make_shared<GroupOptions>();
  addCommand(*group, "remove", "Removes a group with what it was granted", removed, removeGroup, exitStatus)
      ->add_option("NAME", removed->name, "Its name")
      ->required();
  auto changed = std::make_shared<GroupOptions>();
  CLI::App* member =
      addCommand(*group, "member", "Takes users into a group and out of it", changed, setMembers, exitStatus);
  member->add_option("NAME", changed->name, "The group")->required();
  member->add_option("--add", changed->add, "A user")->allow_extra_args(false);
  member->add_option("--remove", changed->remove, "A user")->allow_extra_args(false);
}

}  // namespace

void addUserCommands(CLI::App& app, int& exitStatus) {
  CLI::App* user = app.add_subcommand("user", "Users and their passwords")->require_subcommand(1);
  auto added = std::make_shared<UserOptions>();
  CLI::App* add = addCommand(*user, "add", "Adds a user", added, addUser, exitStatus);
  add->add_option("NAME", added->name, "The name to log in with")->required();
  add->add_option("--full-name", added->fullName, "What people read");
  add->add_option("--email", added->email, "Where to write to");
  add->add_flag("--administrator", added->administrator, "Of the whole server");
  add->add_flag("--no-password", added->noPassword, "Cannot log in by password until one is set");
  addPasswordFile(add, *added);

  addCommand(*user, "list", "Lists the users", std::make_shared<ArchiveOptions>(), listUsers, exitStatus);

  auto changed = std::make_shared<UserOptions>();
  CLI::App* change = addCommand(*user, "change", "Changes what is said of a user", changed, changeUser, exitStatus);
  change->add_option("NAME", changed->name, "The name")->required();
  change->add_option("--full-name", changed->fullName, "What people read");
  change->add_option("--email", changed->email, "Where to write to");
  CLI::Option* yes = change->add_flag("--administrator", changed->administrator, "Of the whole server");
  change->add_flag("--no-administrator", changed->notAdministrator, "Not any more")->excludes(yes);
  CLI::Option* off = change->add_flag("--disable", changed->disable, "May not log in; logged out everywhere at once");
  change->add_flag("--enable", changed->enable, "May log in again")->excludes(off);

  auto removed = std::make_shared<UserOptions>();
  addCommand(*user, "remove", "Removes a user with tokens, sessions, links and grants", removed, removeUser, exitStatus)
      ->add_option("NAME", removed->name, "The name")
      ->required();

  auto secret = std::make_shared<UserOptions>();
  CLI::App* password = addCommand(*user, "password", "Sets a user's password", secret, setPassword, exitStatus);
  password->add_option("NAME", secret->name, "The name")->required();
  addPasswordFile(password, *secret);
  addGroupCommands(app, exitStatus);
}

}  // namespace nora
