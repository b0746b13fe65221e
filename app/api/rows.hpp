// Rows: items of the archive as the API tells them, for somebody who may or may not see names.
#pragma once

#include "app/api/route.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// What identities are hidden by in one project. The one place where that is done.
class NameMask {
 public:
  /// `shows`: names are told as they are.
  NameMask(bool shows, const SubjectRecord* subject) : shows_(shows), subject_(subject) {}

  [[nodiscard]] bool shows() const { return shows_; }
  [[nodiscard]] std::string subject() const;
  /// A name of a study or file, or another free text: with the pseudonym for the subject's name, in any case of
  /// letters, and only those other words that tell nobody (archive/access/shown_words.hpp).
  [[nodiscard]] std::string name(const std::string& text) const;
  /// Metadata without what may tell who somebody is: only keys of a fixed list (docs/ACCESS.md), and no objects.
  [[nodiscard]] nlohmann::json meta(const std::string& json) const;

 private:
  [[nodiscard]] nlohmann::json shownValue(const nlohmann::json& value) const;  // null: it is not shown

  bool shows_;
  const SubjectRecord* subject_;  // nullptr: of the project as a whole
};

/// Makes rows; remembers what it looked up. Thread: one. For one request.
class RowMaker {
 public:
  RowMaker(const ApiPlaces& places, const Visitor& visitor) : places_(places), visitor_(visitor) {}

  /// Rows of the items that are there and may be read, by id.
  [[nodiscard]] Result<std::map<std::int64_t, nlohmann::json>> rows(Level level, std::span<const std::int64_t> ids);
  /// One row. Errors: notFound.
  [[nodiscard]] Result<nlohmann::json> row(Level level, std::int64_t id);
  /// The project of an item, if it may be read. Errors: notFound.
  [[nodiscard]] Result<OpenProject> projectOf(Level level, std::int64_t id);
  /// nullptr: it may not be read.
  [[nodiscard]] Result<const OpenProject*> project(std::int64_t id);
  /// For an item of a subject; 0: of none.
  [[nodiscard]] Result<NameMask> mask(const OpenProject& project, std::int64_t subjectId);

 private:
  using Rows = std::map<std::int64_t, nlohmann::json>;
  [[nodiscard]] Result<void> addFiles(std::span<const std::int64_t> ids, Rows& out);
  [[nodiscard]] Result<void> addStudies(std::span<const std::int64_t> ids, Rows& out);
  [[nodiscard]] Result<void> addSubjects(std::span<const std::int64_t> ids, Rows& out);
  [[nodiscard]] Result<void> addProjects(std::span<const std::int64_t> ids, Rows& out);
  [[nodiscard]] Result<const SubjectRecord*> subject(std::int64_t id);
  [[nodiscard]] Result<std::string> studyName(std::int64_t id);

  const ApiPlaces places_;
  const Visitor& visitor_;
  std::map<std::int64_t, std::optional<OpenProject>> projects_;
  std::map<std::int64_t, SubjectRecord> subjects_;
  std::map<std::int64_t, std::string> studies_;
};

/// "files", "studies", "subjects", "projects". Errors: notFound.
[[nodiscard]] Result<Level> levelFrom(const std::string& plural);

}  // namespace nora
