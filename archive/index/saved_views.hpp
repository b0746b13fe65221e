// What users keep for later: presets (how to look) and filters (what to look for).
#pragma once

#include "archive/index/database.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace nora {

/// A scene (docs/SCENE.md) to look at other images with.
struct PresetRecord {
  std::int64_t id = 0;
  std::int64_t projectId = 0;  // 0: in every project
  std::int64_t ownerId = 0;    // 0: everybody's
  std::string name;
  std::string scene;  // JSON object of at most 1 MiB
  std::int64_t createdUs = 0, changedUs = 0;
};

struct SavedFilterRecord {
  std::int64_t id = 0;
  std::int64_t projectId = 0;  // 0: in every project
  std::int64_t ownerId = 0;    // 0: everybody's
  std::string name;
  std::string query;  // docs/SEARCH.md; has been parsed
};

/// Thread: any. Errors: those of Database; notFound; invalidInput (names the field); limitExceeded (too long).
class SavedViews {
 public:
  using Now = std::function<std::int64_t()>;  // microseconds since 1970, UTC

  /// The database has been opened by openDatabase and outlives this.
  explicit SavedViews(Database& database, Now now = {});

  /// Makes it, or replaces that of the same name, owner and project.
  [[nodiscard]] Result<PresetRecord> savePreset(const PresetRecord& preset);
  /// The user's own and everybody's, for a project and for every project; by name. `projectId` 0: the latter alone.
  [[nodiscard]] Result<std::vector<PresetRecord>> presets(std::int64_t userId, std::int64_t projectId);
  [[nodiscard]] Result<PresetRecord> preset(std::int64_t id);
  [[nodiscard]] Result<void> removePreset(std::int64_t id);

  /// Makes it, or replaces that of the same name, owner and project. Errors: those of parseQuery.
  [[nodiscard]] Result<SavedFilterRecord> saveFilter(const SavedFilterRecord& filter);
  /// As presets().
  [[nodiscard]] Result<std::vector<SavedFilterRecord>> filters(std::int64_t userId, std::int64_t projectId);
  [[nodiscard]] Result<SavedFilterRecord> filter(std::int64_t id);
  [[nodiscard]] Result<void> removeFilter(std::int64_t id);

 private:
  Database& database_;
  Now now_;
};

}  // namespace nora
