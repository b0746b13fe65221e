// Metadata of BIDS: the JSON beside an image and those of the folders above that it inherits.
#pragma once

#include "archive/files/served_root.hpp"

#include <map>
#include <string>
#include <vector>

namespace nora {

/// Thread: one. Remembers what folders hold: for one scan.
class SidecarMetadata {
 public:
  explicit SidecarMetadata(const ServedRoot& root) : root_(root) {}

  /// A JSON object as text: of several files that say the same key the nearest counts. Files that are no JSON objects
  /// or larger than 1 MiB are left out. Source: BIDS 1.9, "The Inheritance Principle".
  [[nodiscard]] std::string of(const std::string& image);

 private:
  /// Names of the JSON files of a folder ("" or "a/b/").
  [[nodiscard]] const std::vector<std::string>& jsonIn(const std::string& folder);

  const ServedRoot& root_;
  std::map<std::string, std::vector<std::string>> folders_;
};

/// The name is one that images of folders below may inherit: "task-rest_bold.json".
[[nodiscard]] bool mayBeInherited(const std::string& path);

}  // namespace nora
