// The projects whose folders a server looks after: scanned at the start, watched from then on.
#pragma once

#include "app/scan_service.hpp"
#include "archive/files/folder_watcher.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace nora {

/// Thread: one.
class ServedProjects {
 public:
  ServedProjects(Archive& archive, ScanService& scans) : archive_(archive), scans_(scans) {}

  /// Makes a folder a project, where it is none yet, and leaves alone all other projects that there are now. An empty
  /// name: looks after all of them. What is served, for people. Errors: of the folder.
  [[nodiscard]] Result<std::string> begin(const std::string& folder);
  /// Takes on projects that were added since, and follows folders that have changed.
  void update();

 private:
  struct Watched {
    std::string root;
    std::unique_ptr<FolderWatcher> watcher;
  };
  [[nodiscard]] Result<ProjectRecord> adopt(const std::string& folder);

  Archive& archive_;
  ScanService& scans_;
  std::set<std::int64_t> leftAlone_;
  std::map<std::int64_t, Watched> watched_;
};

}  // namespace nora
