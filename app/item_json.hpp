// Items of the archive as the command line prints them.
#pragma once

#include "archive/index/archive.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {

/// Names by id, as far as they were needed.
class Names {
 public:
  explicit Names(Archive& archive) : archive_(archive) {
    if (const auto projects = archive.projects()) {
      for (const ProjectRecord& project : *projects) projects_[project.id] = project;
    }
  }
  const ProjectRecord& project(std::int64_t id) { return projects_[id]; }
  std::string subject(std::int64_t id) {
    if (id == 0) return {};
    const auto at = subjects_.find(id);
    if (at != subjects_.end()) return at->second;
    const auto found = archive_.subject(id);
    return subjects_[id] = found ? found->name : "";
  }
  std::string study(std::int64_t id) {
    if (id == 0) return {};
    const auto at = studies_.find(id);
    if (at != studies_.end()) return at->second;
    const auto found = archive_.study(id);
    return studies_[id] = found ? found->name : "";
  }

 private:
  Archive& archive_;
  std::map<std::int64_t, ProjectRecord> projects_;
  std::map<std::int64_t, std::string> subjects_, studies_;
};

[[nodiscard]] nlohmann::json toJson(const ProjectRecord& project);

/// Those of the ids that are there, in their order, with their tags.
[[nodiscard]] Result<std::vector<nlohmann::json>> itemsOf(Archive& archive, Level level,
                                                          const std::vector<std::int64_t>& ids, Names& names);

}  // namespace nora
