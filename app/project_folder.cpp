#include "app/project_folder.hpp"

#include "archive/files/placed_file.hpp"
#include "archive/files/served_root.hpp"

namespace nora {

Result<void> placeProject(const Archive& archive, const std::string& folder, ProjectRecord& project) {
  if (auto right = checkItemName(project.name, "name"); !right) return right;
  const std::string own = archive.store() + "/" + project.name;
  if (folder.empty()) {
    if (archive.store().empty())
      return fail(ErrorCode::invalidInput, "there is no store for a folder of nora's own: name a folder", "root");
    if (auto made = makeFolders(own); !made) return made;
    project.inPlace = false;
  }
  const auto root = ServedRoot::open(folder.empty() ? own : folder);
  if (!root) return tl::make_unexpected(root.error());
  project.root = root->path();
  return {};
}

}  // namespace nora
