// The folder of a new project.
#pragma once

#include "archive/index/archive.hpp"

#include <string>

namespace nora {

/// Sets the project's root, and whether its files stay where they are: `folder`, or, if that is empty, a new folder of
/// nora's own, below the store. Errors: invalidInput (the name cannot be a folder's), those of ServedRoot::open and
/// makeFolders.
[[nodiscard]] Result<void> placeProject(const Archive& archive, const std::string& folder, ProjectRecord& project);

}  // namespace nora
