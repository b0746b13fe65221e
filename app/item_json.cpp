#include "app/item_json.hpp"

#include "app/archive_command.hpp"

namespace nora {

nlohmann::json toJson(const ProjectRecord& project) {
  return {{"id", project.id},
          {"name", project.name},
          {"title", project.title},
          {"root", project.root},
          {"inPlace", project.inPlace},
          {"hideIdentity", project.hideIdentity},
          {"meta", metaOf(project.meta)}};
}

namespace {

const char* stateName(FileState state) {
  return state == FileState::present ? "present" : state == FileState::vanished ? "vanished" : "broken";
}

nlohmann::json toJson(const FileRecord& file, Names& names) {
  return {{"id", file.id},
          {"project", names.project(file.projectId).name},
          {"subject", names.subject(file.subjectId)},
          {"study", names.study(file.studyId)},
          {"path", file.path},
          {"file", names.project(file.projectId).root + "/" + file.path},
          {"kind", file.kind},
          {"format", file.format},
          {"size", file.size},
          {"state", stateName(file.state)},
          {"reason", file.reason},
          {"modality", file.modality},
          {"sequence", file.sequence},
          {"dims", file.dims},
          {"spacingMm", file.spacingMm},
          {"date", file.date},
          {"meta", metaOf(file.meta)}};
}

}  // namespace

Result<std::vector<nlohmann::json>> itemsOf(Archive& archive, Level level, const std::vector<std::int64_t>& ids,
                                            Names& names) {
  std::vector<nlohmann::json> out;
  const auto tags = archive.tagsOf(level, ids);
  if (!tags) return tl::make_unexpected(tags.error());
  const auto add = [&](std::int64_t id, nlohmann::json item) {
    const auto at = tags->find(id);
    item["tags"] = at == tags->end() ? std::set<std::string>{} : at->second;
    out.push_back(std::move(item));
  };
  if (level == Level::file) {
    const auto files = archive.files(ids);
    if (!files) return tl::make_unexpected(files.error());
    for (const FileRecord& file : *files) add(file.id, toJson(file, names));
  } else if (level == Level::study) {
    const auto studies = archive.studies(ids);
    if (!studies) return tl::make_unexpected(studies.error());
    for (const StudyRecord& study : *studies) {
      add(study.id, {{"id", study.id},
                     {"project", names.project(study.projectId).name},
                     {"subject", names.subject(study.subjectId)},
                     {"name", study.name},
                     {"date", study.date},
                     {"meta", metaOf(study.meta)}});
    }
  } else if (level == Level::subject) {
    const auto subjects = archive.subjects(ids);
    if (!subjects) return tl::make_unexpected(subjects.error());
    for (const SubjectRecord& subject : *subjects) {
      add(subject.id, {{"id", subject.id},
                       {"project", names.project(subject.projectId).name},
                       {"name", subject.name},
                       {"pseudonym", subject.pseudonym},
                       {"meta", metaOf(subject.meta)}});
    }
  } else {
    for (const std::int64_t id : ids) add(id, toJson(names.project(id)));
  }
  return out;
}

}  // namespace nora
