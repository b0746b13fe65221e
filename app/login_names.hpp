// What the settings of directories and of providers have in common.
#pragma once

#include "base/error.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace nora {

/// The short name of a directory or provider. Errors: invalidInput if it is none, or is in `taken`, to which it is
/// added.
[[nodiscard]] Result<void> checkLoginName(const std::string& kind, const std::string& name,
                                          std::set<std::string>& taken);

/// A file of certificates that is named must be there. Errors: invalidInput.
[[nodiscard]] Result<void> checkCaFile(const std::string& setting, const std::string& file);

/// The groups' names in nora: those of the map, or all by their own names if it is empty. Sorted, each once.
[[nodiscard]] std::vector<std::string> groupsInNora(const std::vector<std::string>& groups,
                                                    const std::map<std::string, std::string>& names);

/// The names in nora of such a map.
[[nodiscard]] std::set<std::string> namesGiven(const std::map<std::string, std::string>& names);

}  // namespace nora
