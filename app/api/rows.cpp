#include "app/api/rows.hpp"

#include "app/api/json_body.hpp"
#include "app/archive_images.hpp"
#include "archive/access/shown_words.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Replaces `what`, in any case of ASCII letters.
std::string replaced(const std::string& text, const std::string& what, const std::string& by) {
  if (what.empty()) return text;
  std::string out;
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  for (auto at = text.begin();;) {
    const auto found = std::search(at, text.end(), what.begin(), what.end(), same);
    out.append(at, found);
    if (found == text.end()) return out;
    out += by;
    at = found + static_cast<std::ptrdiff_t>(what.size());
  }
}

nlohmann::json objectOf(const std::string& text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_object() ? json : nlohmann::json::object();
}

std::string_view pluralOf(Level level) {
  switch (level) {
    case Level::project: return "projects";
    case Level::subject: return "subjects";
    case Level::study: return "studies";
    default: return "files";
  }
}

std::string_view stateName(FileState state) {
  return state == FileState::present ? "present" : state == FileState::vanished ? "vanished" : "broken";
}

nlohmann::json commonRow(Level level, std::int64_t id, const std::string& name, std::int64_t createdUs,
                         std::int64_t changedUs, std::int64_t revision, const OpenProject& project) {
  return {{"id", id},
          {"level", std::string(pluralOf(level))},
          {"name", name},
          {"created", jsonTime(createdUs)},
          {"changed", jsonTime(changedUs)},
          {"revision", revision},
          {"projectId", project.project.id},
          {"project", project.project.name},
          {"tags", nlohmann::json::array()}};
}

}  // namespace

Result<Level> levelFrom(const std::string& plural) {
  for (const Level level : {Level::project, Level::subject, Level::study, Level::file}) {
    if (pluralOf(level) == plural) return level;
  }
  return fail(ErrorCode::notFound, "there are projects, subjects, studies and files", "level");
}

std::string NameMask::subject() const {
  if (subject_ == nullptr) return "";
  return shows_ ? subject_->name : subject_->pseudonym;
}

std::string NameMask::name(const std::string& text) const {
  if (shows_) return text;
  if (subject_ == nullptr) return shownText(text, {});
  std::string out = replaced(text, subject_->name, subject_->pseudonym);
  // "sub-01" is the subject 01, and names of files have that in other ways, too.
  constexpr std::size_t shortest = 3;
  const bool isBids = subject_->name.starts_with("sub-");
  if (isBids && subject_->name.size() >= 4 + shortest)
    out = replaced(out, subject_->name.substr(4), subject_->pseudonym);
  return shownText(out, subject_->pseudonym);
}

nlohmann::json NameMask::meta(const std::string& json) const {
  auto out = objectOf(json);
  if (shows_) return out;
  auto shown = nlohmann::json::object();
  for (const auto& [key, value] : out.items()) {
    if (!isShownKey(key)) continue;
    if (const auto one = shownValue(value); !one.is_null()) shown[key] = one;
  }
  return shown;
}

nlohmann::json NameMask::shownValue(const nlohmann::json& value) const {
  if (value.is_number() || value.is_boolean()) return value;
  if (value.is_string()) return name(value.get<std::string>());
  if (!value.is_array()) return nullptr;  // objects have keys that nobody has looked at
  auto list = nlohmann::json::array();
  for (const auto& one : value) {
    if (!one.is_array()) list.push_back(shownValue(one));
  }
  return list;
}

Result<const OpenProject*> RowMaker::project(std::int64_t id) {
  const auto [at, isNew] = projects_.try_emplace(id);
  if (isNew) {
    auto open = openProject(places_, visitor_, id);
    if (open) {
      at->second = *std::move(open);
    } else if (open.error().code != ErrorCode::notFound) {
      projects_.erase(at);
      return tl::make_unexpected(open.error());
    }
  }
  return at->second ? &*at->second : nullptr;
}

Result<const SubjectRecord*> RowMaker::subject(std::int64_t id) {
  if (id == 0) return nullptr;
  if (const auto known = subjects_.find(id); known != subjects_.end()) return &known->second;
  auto record = places_.archive.subject(id);
  if (!record) return tl::make_unexpected(record.error());
  return &subjects_.emplace(id, *std::move(record)).first->second;
}

Result<std::string> RowMaker::studyName(std::int64_t id) {
  if (id == 0) return "";
  if (const auto known = studies_.find(id); known != studies_.end()) return known->second;
  auto record = places_.archive.study(id);
  if (!record) return tl::make_unexpected(record.error());
  return studies_.emplace(id, record->name).first->second;
}

Result<NameMask> RowMaker::mask(const OpenProject& project, std::int64_t subjectId) {
  const auto record = subject(subjectId);
  if (!record) return tl::make_unexpected(record.error());
  return NameMask(project.access.showsIdentity, *record);
}

Result<void> RowMaker::addFiles(std::span<const std::int64_t> ids, Rows& out) {
  const auto files = places_.archive.files(ids);
  if (!files) return tl::make_unexpected(files.error());
  for (const FileRecord& file : *files) {
    const auto open = project(file.projectId);
    if (!open) return tl::make_unexpected(open.error());
    if (*open == nullptr) continue;
    const auto names = mask(**open, file.subjectId);
    if (!names) return tl::make_unexpected(names.error());
    const auto study = studyName(file.studyId);
    if (!study) return tl::make_unexpected(study.error());
    const std::string name = names->name(file.name), studyShown = names->name(*study);
    const bool shows = names->shows();
    auto row = commonRow(Level::file, file.id, name, file.createdUs, file.changedUs, file.revision, **open);
    const std::string hiddenPath = names->subject() + (studyShown.empty() ? "" : "/" + studyShown) + "/" + name;
    const Source source = shows ? sourceOf(file, (*open)->project) : hiddenSourceOf(file, name);
    row.update({{"subjectId", file.subjectId},
                {"subject", names->subject()},
                {"studyId", file.studyId},
                {"study", studyShown},
                {"path", shows ? file.path : hiddenPath},
                {"kind", file.kind},
                {"format", file.format},
                {"size", file.size},
                {"modified", jsonTime(file.mtimeUs)},
                {"state", std::string(stateName(file.state))},
                {"reason", shows || file.reason.empty() ? file.reason : "it cannot be shown"},
                {"modality", file.modality},
                {"sequence", names->name(file.sequence)},
                {"dims", file.dims},
                {"spacingMm", file.spacingMm},
                {"date", file.date},
                {"instances", file.instances},
                {"sourceSeries", file.sourceSeries},
                {"warnings", shows ? nlohmann::json::parse(file.warnings, nullptr, false) : nlohmann::json::array()},
                {"source", {{"path", source.path}, {"series", source.series}}},
                {"meta", names->meta(file.meta)}});
    if (source.series.empty()) row["source"].erase("series");
    out[file.id] = std::move(row);
  }
  return {};
}

Result<void> RowMaker::addStudies(std::span<const std::int64_t> ids, Rows& out) {
  const auto studies = places_.archive.studies(ids);
  if (!studies) return tl::make_unexpected(studies.error());
  const auto counts = places_.archive.countsOf(Level::study, ids);
  if (!counts) return tl::make_unexpected(counts.error());
  for (const StudyRecord& study : *studies) {
    const auto open = project(study.projectId);
    if (!open) return tl::make_unexpected(open.error());
    if (*open == nullptr) continue;
    const auto names = mask(**open, study.subjectId);
    if (!names) return tl::make_unexpected(names.error());
    auto row = commonRow(Level::study, study.id, names->name(study.name), study.createdUs, study.changedUs,
                         study.revision, **open);
    row.update({{"subjectId", study.subjectId},
                {"subject", names->subject()},
                {"date", study.date},
                {"counts", {{"files", counts->at(study.id).files}}},
                {"meta", names->meta(study.meta)}});
    out[study.id] = std::move(row);
  }
  return {};
}

Result<void> RowMaker::addSubjects(std::span<const std::int64_t> ids, Rows& out) {
  const auto subjects = places_.archive.subjects(ids);
  if (!subjects) return tl::make_unexpected(subjects.error());
  const auto counts = places_.archive.countsOf(Level::subject, ids);
  if (!counts) return tl::make_unexpected(counts.error());
  for (const SubjectRecord& record : *subjects) {
    const auto open = project(record.projectId);
    if (!open) return tl::make_unexpected(open.error());
    if (*open == nullptr) continue;
    const NameMask names((*open)->access.showsIdentity, &record);
    auto row = commonRow(Level::subject, record.id, names.subject(), record.createdUs, record.changedUs,
                         record.revision, **open);
    row.update({{"counts", {{"studies", counts->at(record.id).studies}, {"files", counts->at(record.id).files}}},
                {"meta", names.meta(record.meta)}});
    out[record.id] = std::move(row);
  }
  return {};
}

Result<void> RowMaker::addProjects(std::span<const std::int64_t> ids, Rows& out) {
  const auto counts = places_.archive.countsOf(Level::project, ids);
  if (!counts) return tl::make_unexpected(counts.error());
  for (const std::int64_t id : ids) {
    const auto open = project(id);
    if (!open) return tl::make_unexpected(open.error());
    if (*open == nullptr) continue;
    const ProjectRecord& record = (*open)->project;
    const Access& access = (*open)->access;
    auto row = commonRow(Level::project, id, record.name, record.createdUs, record.changedUs, record.revision, **open);
    row.update({{"title", record.title},
                {"inPlace", record.inPlace},
                {"hideIdentity", record.hideIdentity},
                {"rights", toJson(access.rights)},
                {"showsIdentity", access.showsIdentity},
                {"counts",
                 {{"subjects", counts->at(id).subjects},
                  {"studies", counts->at(id).studies},
                  {"files", counts->at(id).files}}},
                {"meta", NameMask(access.showsIdentity, nullptr).meta(record.meta)}});
    if (access.rights.has(Right::administer)) row["root"] = record.root;
    out[id] = std::move(row);
  }
  return {};
}

Result<std::map<std::int64_t, nlohmann::json>> RowMaker::rows(Level level, std::span<const std::int64_t> ids) {
  Rows out;
  const auto done = level == Level::file      ? addFiles(ids, out)
                    : level == Level::study   ? addStudies(ids, out)
                    : level == Level::subject ? addSubjects(ids, out)
                                              : addProjects(ids, out);
  if (!done) return tl::make_unexpected(done.error());
  const auto tags = places_.archive.tagsOf(level, ids);
  if (!tags) return tl::make_unexpected(tags.error());
  for (const auto& [id, names] : *tags) {
    if (const auto row = out.find(id); row != out.end()) row->second["tags"] = names;
  }
  return out;
}

Result<nlohmann::json> RowMaker::row(Level level, std::int64_t id) {
  auto all = rows(level, std::span(&id, 1));
  if (!all) return tl::make_unexpected(all.error());
  if (!all->contains(id))
    return fail(ErrorCode::notFound, "it is not there, or you may not see it", std::to_string(id));
  return std::move(all->at(id));
}

Result<OpenProject> RowMaker::projectOf(Level level, std::int64_t id) {
  const auto projectId = places_.archive.projectIdOf(level, id);
  auto open = projectId ? openProject(places_, visitor_, *projectId)
                        : Result<OpenProject>(tl::make_unexpected(projectId.error()));
  // The same for what is not there and what may not be read, so that ids say nothing.
  const bool isAway = !open && open.error().code == ErrorCode::notFound;
  if (isAway) return fail(ErrorCode::notFound, "it is not there, or you may not see it", std::to_string(id));
  return open;
}

}  // namespace nora
