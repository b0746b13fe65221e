// Does what the lines of a journal say.
#include "archive/index/archive_sql.hpp"
#include "archive/index/registration.hpp"
#include "archive/index/remembered.hpp"
#include "archive/search/fold.hpp"

#include <nlohmann/json.hpp>

namespace nora::archive_sql {
namespace {

using Json = nlohmann::json;

class Replay {
 public:
  Replay(Sql& sql, const ProjectRecord& project, std::int64_t nowUs, std::int64_t revision)
      : sql_(sql), project_(project), nowUs_(nowUs), revision_(revision) {}

  Result<void> take(const Json& line) {
    if (line.contains("project")) return takeProject(line.at("project"));
    const std::string name = line.value("level", "");
    const Level level = name == "project"   ? Level::project
                        : name == "subject" ? Level::subject
                        : name == "study"   ? Level::study
                                            : Level::file;
    if (line.contains("movedTo")) return move(line);
    if (line.contains("foundAs")) return place(level, line);
    const auto id = itemOf(level, line);
    if (!id) return tl::make_unexpected(id.error());
    if (line.contains("name")) return rename(level, *id, line.at("name").get<std::string>());
    if (line.contains("tags")) return setTags(level, *id, line.at("tags"));
    if (line.contains("meta")) return setMeta(level, *id, line);
    return {};
  }

 private:
  Result<void> change(std::string_view text, std::initializer_list<SqlValue> values) {
    auto done = sql_.change(text, values);
    if (!done) return tl::make_unexpected(done.error());
    return {};
  }

  Result<void> takeProject(const Json& json) {
    const std::string title = json.value("title", ""), name = json.value("name", project_.name);
    const std::int64_t createdUs = json.value("createdUs", project_.createdUs);
    if (auto named = rename(Level::project, project_.id, name); !named) return named;
    return change(
        "UPDATE project SET title = ?, title_fold = ?, hide_identity = ?, settings = ?, secret = ?, created_us = ?, "
        "changed_us = ?, revision = ? WHERE id = ?",
        {title, foldText(title), std::int64_t{json.value("hideIdentity", false)},
         json.value("settings", Json::object()).dump(), json.value("secret", project_.secret), createdUs, nowUs_,
         revision_, project_.id});
  }

  Result<std::int64_t> itemOf(Level level, const Json& line) {
    const std::string subject = line.value("subject", ""), study = line.value("study", "");
    if (level == Level::project) return project_.id;
    if (level == Level::subject) return placeNamed(sql_, project_, subject, "", nowUs_, revision_);
    if (level == Level::study) return placeNamed(sql_, project_, subject, study, nowUs_, revision_);
    FoundFileRecord found;
    found.facts.path = line.at("path").get<std::string>();
    found.facts.series = line.value("series", "");
    const std::string hash = hashOfPath(found.facts.path, found.facts.series);
    for (int attempt = 0;; ++attempt) {
      auto rows = sql_.query("SELECT id FROM file WHERE project_id = ? AND path_hash = ?", {project_.id, hash});
      if (!rows) return tl::make_unexpected(rows.error());
      if (!rows->empty()) return rows->front().integer(0);
      if (attempt == 1) return fail(ErrorCode::internal, "a file of the journal could not be made", found.facts.path);
      found.facts.label = line.value("label", "");
      found.facts.size = line.value("size", std::int64_t{0});
      found.facts.mtimeUs = line.value("mtimeUs", std::int64_t{0});
      found.facts.hash = line.value("hash", "");
      found.facts.state = FileState::vanished;
      found.facts.sidecar = line.value("sidecar", Json::object()).dump();
      found.subject = subject;
      found.study = study;
      auto made = takeOver(sql_, project_, std::span(&found, 1), nowUs_, revision_, false);
      if (!made) return tl::make_unexpected(made.error());
    }
  }

  Result<void> move(const Json& line) {
    const Json& to = line.at("movedTo");
    const std::string path = to.at("path").get<std::string>(), series = to.value("series", "");
    const std::string hash = hashOfPath(path, series), name = path.substr(path.rfind('/') + 1);
    auto there = sql_.query("SELECT id FROM file WHERE project_id = ? AND path_hash = ?", {project_.id, hash});
    if (!there) return tl::make_unexpected(there.error());
    if (!there->empty()) return {};  // done before
    const std::string old = hashOfPath(line.at("path").get<std::string>(), line.value("series", ""));
    return change(
        "UPDATE file SET path = ?, path_hash = ?, path_fold = ?, series = ?, name = CASE WHEN series = '' THEN ? ELSE "
        "name END, name_fold = CASE WHEN series = '' THEN ? ELSE name_fold END, revision = ? WHERE project_id = ? AND "
        "path_hash = ?",
        {path, hash, foldText(path), series, name, foldText(name), revision_, project_.id, old});
  }

  /// A subject or study that has another name than scans find, or a subject whose pseudonym is not the first one.
  Result<void> place(Level level, const Json& line) {
    const std::string found = line.at("foundAs").get<std::string>(), name = line.at("name").get<std::string>();
    const bool isStudy = level == Level::study;
    const auto of = isStudy ? placeNamed(sql_, project_, line.at("subject").get<std::string>(), "", nowUs_, revision_)
                            : Result<std::int64_t>(project_.id);
    if (!of) return tl::make_unexpected(of.error());
    const std::string table(tableOf(level));
    auto rows = sql_.query("SELECT id FROM " + table + " WHERE found_as = ? AND " +
                               (isStudy ? "subject_id" : "project_id") + " = ? ORDER BY id LIMIT 1",
                           {found, *of});
    if (!rows) return tl::make_unexpected(rows.error());
    const auto id =
        !rows->empty() ? Result<std::int64_t>(rows->front().integer(0))
        : isStudy ? placeFoundAs(sql_, project_, line.at("subject").get<std::string>(), found, name, nowUs_, revision_)
                  : placeFoundAs(sql_, project_, found, "", name, nowUs_, revision_);
    if (!id) return tl::make_unexpected(id.error());
    if (auto named = rename(level, *id, name); !named || !line.contains("pseudonym")) return named;
    const std::string pseudonym = line.at("pseudonym").get<std::string>();
    auto taken = sql_.query("SELECT id FROM subject WHERE project_id = ? AND pseudonym = ?", {project_.id, pseudonym});
    if (!taken) return tl::make_unexpected(taken.error());
    if (!taken->empty()) return {};
    return change("UPDATE subject SET pseudonym = ?, pseudonym_fold = ?, revision = ? WHERE id = ?",
                  {pseudonym, foldText(pseudonym), revision_, *id});
  }

  Result<void> rename(Level level, std::int64_t id, const std::string& name) {
    const std::string table(tableOf(level));
    if (level == Level::project) {
      auto other = sql_.query("SELECT id FROM project WHERE name = ?", {name});
      if (!other) return tl::make_unexpected(other.error());
      if (!other->empty()) return {};
      return change("UPDATE project SET name = ?, name_fold = ? WHERE id = ?", {name, foldText(name), id});
    }
    const std::string parent = level == Level::study ? "subject_id" : "project_id";
    auto there = sql_.query("SELECT id FROM " + table + " WHERE name = ? AND " + parent + " = (SELECT " + parent +
                                " FROM " + table + " WHERE id = ?)",
                            {name, id});
    if (!there) return tl::make_unexpected(there.error());
    if (!there->empty()) return {};
    return change("UPDATE " + table + " SET name = ?, name_fold = ?, changed_us = ?, revision = ? WHERE id = ?",
                  {name, foldText(name), nowUs_, revision_, id});
  }

  Result<std::int64_t> tagId(const std::string& name) {
    if (const auto known = tags_.find(name); known != tags_.end()) return known->second;
    auto rows = sql_.query("SELECT id FROM tag WHERE name = ?", {name});
    if (!rows) return tl::make_unexpected(rows.error());
    if (!rows->empty()) return tags_[name] = rows->front().integer(0);
    auto made = sql_.change("INSERT INTO tag (name, name_fold) VALUES (?, ?)", {name, foldText(name)});
    if (!made) return tl::make_unexpected(made.error());
    return tags_[name] = made->newId;
  }

  Result<void> setTags(Level level, std::int64_t id, const Json& names) {
    const auto number = static_cast<std::int64_t>(level);
    if (auto gone = change("DELETE FROM item_tag WHERE level = ? AND item_id = ?", {number, id}); !gone) return gone;
    for (const Json& name : names) {
      const auto tag = tagId(name.get<std::string>());
      if (!tag) return tl::make_unexpected(tag.error());
      auto made = sql_.append("INSERT INTO item_tag (level, item_id, tag_id, project_id) VALUES (?, ?, ?, ?)",
                              {number, id, *tag, project_.id});
      if (!made) return made;
    }
    return change("UPDATE " + std::string(tableOf(level)) + " SET revision = ? WHERE id = ?", {revision_, id});
  }

  Result<void> setMeta(Level level, std::int64_t id, const Json& line) {
    const std::string table(tableOf(level));
    const bool isFile = level == Level::file;
    auto rows = sql_.query(
        "SELECT meta" + std::string(isFile ? ", sidecar, state" : "") + " FROM " + table + " WHERE id = ?", {id});
    if (!rows) return tl::make_unexpected(rows.error());
    if (rows->empty()) return {};
    std::string before = rows->front().text(0), meta = line.at("meta").dump();
    if (isFile) {
      const std::string known = rows->front().text(1), said = line.value("sidecar", Json::object()).dump();
      const bool isOnDisk = rows->front().integer(2) != static_cast<std::int64_t>(FileState::vanished);
      if (isOnDisk) {
        meta = mergedMeta(known, said, meta);
      } else if (said != known) {  // until it is scanned, its sidecar is the one that was there when this was said
        before = mergedMeta(said, known, before);
        if (auto set = change("UPDATE file SET sidecar = ? WHERE id = ?", {said, id}); !set) return set;
      }
    }
    if (meta == before && meta == rows->front().text(0)) return {};
    if (auto set = change("UPDATE " + table + " SET meta = ?, changed_us = ?, revision = ? WHERE id = ?",
                          {meta, nowUs_, revision_, id});
        !set)
      return set;
    if (meta == before) return writeMetaKeys(sql_, level, id, meta, names_);
    const std::string user = line.value("user", "");
    if (!user.empty()) {
      auto noted = sql_.append(
          "INSERT INTO meta_history (level, item_id, at_us, user_name, before_json, after_json) VALUES (?, ?, ?, ?, ?, "
          "?)",
          {static_cast<std::int64_t>(level), id, line.value("at", nowUs_), user, before, meta});
      if (!noted) return noted;
    }
    return writeMetaKeys(sql_, level, id, meta, names_);
  }

  Sql& sql_;
  const ProjectRecord& project_;
  const std::int64_t nowUs_, revision_;
  MetaNames names_;
  std::map<std::string, std::int64_t> tags_;
};

}  // namespace

Result<void> applyJournal(Sql& sql, const ProjectRecord& project, const std::string& lines, std::int64_t nowUs) {
  auto raised = sql.change("UPDATE revision SET n = n + 1 WHERE id = 1");
  if (!raised) return tl::make_unexpected(raised.error());
  auto rows = sql.query("SELECT n FROM revision WHERE id = 1");
  if (!rows) return tl::make_unexpected(rows.error());
  Replay replay(sql, project, nowUs, rows->front().integer(0));
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    const auto line = Json::parse(lines.begin() + static_cast<std::ptrdiff_t>(at),
                                  lines.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    at = end + 1;
    if (!line.is_object()) continue;  // damaged: the others stand for themselves
    try {
      if (auto done = replay.take(line); !done) return done;
    } catch (const Json::exception&) {
      continue;
    }
  }
  return {};
}

}  // namespace nora::archive_sql
