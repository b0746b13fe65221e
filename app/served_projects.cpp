#include "app/served_projects.hpp"

#include "base/log.hpp"

#include <filesystem>

namespace nora {

Result<ProjectRecord> ServedProjects::adopt(const std::string& folder) {
  const auto root = ServedRoot::open(folder);
  if (!root) return tl::make_unexpected(root.error());
  const auto projects = archive_.projects();
  if (!projects) return tl::make_unexpected(projects.error());
  std::set<std::string> taken;
  for (const auto& project : *projects) {
    if (project.root == root->path()) return project;
    taken.insert(project.name);
  }
  std::string own = itemName(std::filesystem::path(root->path()).filename().string());
  if (own.empty()) own = "folder";
  ProjectRecord made;
  made.name = own;
  for (int n = 2; taken.contains(made.name); ++n) made.name = own + " " + std::to_string(n);
  made.root = root->path();
  made.inPlace = true;
  return archive_.addProject(made);
}

Result<std::string> ServedProjects::begin(const std::string& folder) {
  if (folder.empty()) {
    const auto projects = archive_.projects();
    if (!projects) return tl::make_unexpected(projects.error());
    if (projects->empty()) log::info("there is no project yet: add one in the page, or by nora project add");
    update();
    return std::to_string(projects->size()) + (projects->size() == 1 ? " project" : " projects");
  }
  const auto own = adopt(folder);
  if (!own) return tl::make_unexpected(own.error());
  const auto projects = archive_.projects();
  if (!projects) return tl::make_unexpected(projects.error());
  for (const auto& project : *projects) {
    if (project.id != own->id) leftAlone_.insert(project.id);
  }
  update();
  return own->root;
}

void ServedProjects::update() {
  const auto projects = archive_.projects();
  if (!projects) return;  // the index is away for a while: the next time
  std::set<std::int64_t> there;
  for (const auto& project : *projects) {
    there.insert(project.id);
    if (leftAlone_.contains(project.id)) continue;
    Watched& watched = watched_[project.id];
    if (watched.watcher && watched.root == project.root) continue;
    watched.root = project.root;
    watched.watcher = std::make_unique<FolderWatcher>(project.root, FolderWatcher::Options{},
                                                      [&scans = scans_, id = project.id] { scans.request(id); });
    scans_.request(project.id);
  }
  std::erase_if(watched_, [&](const auto& item) { return !there.contains(item.first); });
}

}  // namespace nora
