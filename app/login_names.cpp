#include "app/login_names.hpp"

#include <algorithm>

#include <unistd.h>

namespace nora {

Result<void> checkLoginName(const std::string& kind, const std::string& name, std::set<std::string>& taken) {
  constexpr std::size_t longest = 32;
  const bool isPlain = std::all_of(name.begin(), name.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (name.empty() || name.size() > longest || !isPlain)
    return fail(ErrorCode::invalidInput, "must be 1 to 32 letters a to z, digits or '-', not '" + printable(name) + "'",
                "[" + kind + "] name");
  if (!taken.insert(name).second)
    return fail(ErrorCode::invalidInput, "'" + name + "' is there twice: give each its own", "[" + kind + "] name");
  return {};
}

Result<void> checkCaFile(const std::string& setting, const std::string& file) {
  if (file.empty() || ::access(file.c_str(), R_OK) == 0) return {};
  return fail(ErrorCode::invalidInput, printable(file) + " cannot be read: name a PEM file of CA certificates",
              setting);
}

std::set<std::string> namesGiven(const std::map<std::string, std::string>& names) {
  std::set<std::string> out;
  for (const auto& [group, name] : names) out.insert(name);
  return out;
}

std::vector<std::string> groupsInNora(const std::vector<std::string>& groups,
                                      const std::map<std::string, std::string>& names) {
  std::set<std::string> out;
  for (const auto& group : groups) {
    const auto named = names.find(group);
    if (named != names.end()) out.insert(named->second);
    if (names.empty()) out.insert(group);
  }
  return {out.begin(), out.end()};
}

}  // namespace nora
