#include "archive/index/registration.hpp"

#include "archive/access/digest.hpp"
#include "archive/access/pseudonym.hpp"
#include "archive/index/archive_sql.hpp"
#include "archive/search/fold.hpp"
#include "archive/search/meta_keys.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <nlohmann/json.hpp>

namespace nora::archive_sql {

std::string hashOfPath(const std::string& path, const std::string& series) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : sha256(series.empty() ? path : path + '\0' + series)) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 0xF];
  }
  return out;
}

std::string mergedMeta(const std::string& sidecar, const std::string& oldSidecar, const std::string& oldMeta) {
  if (oldMeta == oldSidecar) return sidecar;
  const auto before = nlohmann::json::parse(oldSidecar, nullptr, false);
  const auto mine = nlohmann::json::parse(oldMeta, nullptr, false);
  auto merged = nlohmann::json::parse(sidecar, nullptr, false);
  if (!before.is_object() || !mine.is_object() || !merged.is_object()) return oldMeta;
  for (const auto& [key, value] : mine.items()) {
    if (!before.contains(key) || before.at(key) != value) merged[key] = value;
  }
  for (const auto& [key, value] : before.items()) {
    if (!mine.contains(key)) merged.erase(key);
  }
  return merged.dump();
}

namespace {

std::string nameOf(const FileFacts& facts) {
  return facts.label.empty() ? facts.path.substr(facts.path.rfind('/') + 1) : facts.label;
}

/// Subjects and studies by name, made where they are not there. For one transaction.
class Places {
 public:
  Places(Sql& sql, const ProjectRecord& project, std::int64_t nowUs, std::int64_t revision)
      : sql_(sql), project_(project), nowUs_(nowUs), revision_(revision) {}

  /// `found`: the name by which the scan knows it, which may not be the one that people gave it.
  Result<std::int64_t> subject(const std::string& found) {
    if (found.empty()) return 0;
    if (const auto known = subjects_.find(found); known != subjects_.end()) return known->second;
    auto rows = sql_.query(
        "SELECT id FROM subject WHERE project_id = ? AND (found_as = ? OR name = ?) ORDER BY found_as <> ?, id LIMIT 1",
        {project_.id, found, found, found});
    if (!rows) return tl::make_unexpected(rows.error());
    if (!rows->empty()) return subjects_[found] = rows->front().integer(0);
    auto made = makeSubject(found, found);
    if (made) subjects_[found] = *made;
    return made;
  }

  /// As people know it.
  Result<std::int64_t> subjectNamed(const std::string& name) {
    auto rows = sql_.query("SELECT id FROM subject WHERE project_id = ? AND name = ?", {project_.id, name});
    if (!rows) return tl::make_unexpected(rows.error());
    return rows->empty() ? makeSubject(name, name) : Result<std::int64_t>(rows->front().integer(0));
  }

  Result<std::int64_t> makeSubject(const std::string& found, const std::string& name) {
    if (auto right = checkItemName(found, "subject"); !right) return tl::make_unexpected(right.error());
    unsigned attempt = 0;
    const auto other = freePseudonym(found, attempt);
    if (!other) return tl::make_unexpected(other.error());
    auto made = sql_.change(
        "INSERT INTO subject (project_id, name, found_as, pseudonym, meta, created_us, changed_us, revision, "
        "name_fold, pseudonym_fold) "
        "VALUES (?, ?, ?, ?, '{}', ?, ?, ?, ?, ?)",
        {project_.id, name, found, *other, nowUs_, nowUs_, revision_, foldText(name), foldText(*other)});
    if (!made) return tl::make_unexpected(made.error());
    if (attempt > 0) shared.push_back(made->newId);
    return made->newId;
  }

  Result<std::int64_t> study(std::int64_t subject, const FoundFileRecord& found) {
    if (subject == 0 || found.study.empty()) return 0;
    const auto key = std::pair(subject, found.study);
    if (const auto known = studies_.find(key); known != studies_.end()) return known->second;
    auto rows = sql_.query(
        "SELECT id, uid FROM study WHERE subject_id = ? AND (found_as = ? OR name = ?) ORDER BY found_as <> ?, id "
        "LIMIT 1",
        {subject, found.study, found.study, found.study});
    if (!rows) return tl::make_unexpected(rows.error());
    if (!rows->empty()) {
      const std::int64_t id = rows->front().integer(0);
      if (rows->front().text(1).empty() && !found.studyUid.empty()) {  // made by a journal, which has the name alone
        auto told = sql_.change("UPDATE study SET date = ?, uid = ?, revision = ? WHERE id = ?",
                                {found.studyDate, found.studyUid, revision_, id});
        if (!told) return tl::make_unexpected(told.error());
      }
      return studies_[key] = id;
    }
    auto made = makeStudy(subject, found, found.study);
    if (made) studies_[key] = *made;
    return made;
  }

  Result<std::int64_t> studyNamed(std::int64_t subject, const std::string& name) {
    auto rows = sql_.query("SELECT id FROM study WHERE subject_id = ? AND name = ?", {subject, name});
    if (!rows) return tl::make_unexpected(rows.error());
    if (!rows->empty()) return rows->front().integer(0);
    FoundFileRecord found;
    found.study = name;
    return makeStudy(subject, found, name);
  }

  Result<std::int64_t> makeStudy(std::int64_t subject, const FoundFileRecord& found, const std::string& name) {
    if (auto right = checkItemName(found.study, "study"); !right) return tl::make_unexpected(right.error());
    auto made = sql_.change(
        "INSERT INTO study (project_id, subject_id, name, found_as, date, uid, meta, created_us, changed_us, revision, "
        "name_fold) "
        "VALUES (?, ?, ?, ?, ?, ?, '{}', ?, ?, ?, ?)",
        {project_.id, subject, name, found.study, found.studyDate, found.studyUid, nowUs_, nowUs_, revision_,
         foldText(name)});
    if (!made) return tl::make_unexpected(made.error());
    return made->newId;
  }

  /// Subjects whose pseudonym is not the first that their name gives, because another one has that.
  std::vector<std::int64_t> shared;

 private:
  Result<std::string> freePseudonym(const std::string& name, unsigned& attempt) {
    for (;; ++attempt) {
      std::string out = pseudonym(project_.secret, name, attempt);
      auto taken = sql_.query("SELECT 1 FROM subject WHERE project_id = ? AND pseudonym = ?", {project_.id, out});
      if (!taken) return tl::make_unexpected(taken.error());
      if (taken->empty()) return out;
    }
  }

  Sql& sql_;
  const ProjectRecord& project_;
  const std::int64_t nowUs_, revision_;
  std::map<std::string, std::int64_t> subjects_;
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> studies_;
};

/// The columns of what was found, in the order of `factColumns`.
constexpr std::string_view factColumns =
    "subject_id = ?, study_id = ?, path = ?, path_hash = ?, name = ?, kind = ?, format = ?, size = ?, mtime_us = ?, "
    "hash = ?, "
    "state = ?, reason = ?, modality = ?, sequence = ?, nx = ?, ny = ?, nz = ?, nt = ?, dx = ?, dy = ?, dz = ?, date = "
    "?, "
    "series = ?, source_series = ?, instances = ?, warnings = ?, "
    "sidecar = ?, meta = ?, changed_us = ?, revision = ?, path_fold = ?, name_fold = ?, modality_fold = ?, "
    "sequence_fold = ?, format_fold = ?";

SqlValue idOrNull(std::int64_t id) {
  return id == 0 ? SqlValue() : SqlValue(id);
}

std::vector<SqlValue> factValues(const FileFacts& facts, const std::string& hash, const std::string& meta,
                                 std::int64_t subject, std::int64_t study, std::int64_t nowUs, std::int64_t revision) {
  const std::string name = nameOf(facts);
  return {idOrNull(subject),
          idOrNull(study),
          facts.path,
          hash,
          name,
          facts.kind,
          facts.format,
          facts.size,
          facts.mtimeUs,
          facts.hash,
          static_cast<std::int64_t>(facts.state),
          facts.reason,
          facts.modality,
          facts.sequence,
          facts.dims[0],
          facts.dims[1],
          facts.dims[2],
          facts.dims[3],
          facts.spacingMm[0],
          facts.spacingMm[1],
          facts.spacingMm[2],
          facts.date,
          facts.series,
          facts.sourceSeries,
          facts.instances,
          facts.warnings,
          facts.sidecar,
          meta,
          nowUs,
          revision,
          foldText(facts.path),
          foldText(name),
          metaText(facts.modality),
          metaText(facts.sequence),
          metaText(facts.format)};
}

/// New files that one statement stores. SQLite finds its way into two dozen indexes once for all of them: half the
/// time.
constexpr std::size_t filesAtOnce = 16;

/// For so many rows.
std::string insertFiles(std::size_t count) {
  std::string columns, row = "(";
  for (std::size_t at = 0; at < factColumns.size();) {
    const auto end = factColumns.find(" = ?", at);
    columns += std::string(factColumns.substr(at, end - at)) + ", ";
    row += "?, ";
    at = end + 6;
  }
  row += "?, ?)";
  std::string out = "INSERT INTO file (" + columns + "project_id, created_us) VALUES " + row;
  for (std::size_t i = 1; i < count; ++i) out += ", " + row;
  return out;
}

bool hasChanged(const FileRecord& old, const FileFacts& facts, std::int64_t subject, std::int64_t study) {
  FileFacts before = old;
  before.hash = facts.hash;  // what was not computed this time stays known where size and time do
  const bool isRenamed = old.name != nameOf(facts);
  before.label = facts.label;  // the index has the name alone
  return isRenamed || !(before == facts) || old.subjectId != subject || old.studyId != study;
}

/// A vanished file that this one may have been: the same content where both are known by it, else the same name, size
/// and time. None where there is no telling which of several.
Result<std::optional<FileRecord>> movedFrom(Sql& sql, std::int64_t project, const FileFacts& facts) {
  static const std::string same =
      "SELECT " + fileColumns + " FROM file WHERE project_id = ? AND state = 1 AND size = ? AND ";
  const bool hasHash = !facts.hash.empty();
  const std::string name = nameOf(facts);
  for (const bool byHash : {true, false}) {
    if (byHash && !hasHash) continue;
    auto rows =
        byHash ? sql.query(same + "hash = ? ORDER BY name <> ?, id LIMIT 2", {project, facts.size, facts.hash, name})
               : sql.query(same + "mtime_us = ? AND name = ? AND (hash = '' OR ?) LIMIT 2",
                           {project, facts.size, facts.mtimeUs, name, std::int64_t{!hasHash}});
    if (!rows) return tl::make_unexpected(rows.error());
    if (rows->size() == 1) return fileOf(rows->front());
    if (rows->size() < 2) continue;
    const auto first = fileOf((*rows)[0]), second = fileOf((*rows)[1]);
    if (byHash && first.name == name && second.name != name) return first;
    return std::nullopt;
  }
  return std::nullopt;
}

/// One call of registerFiles.
class Registration {
 public:
  Registration(Sql& sql, const ProjectRecord& project, std::int64_t nowUs, std::int64_t revision, bool anyVanished)
      : sql_(sql),
        project_(project.id),
        nowUs_(nowUs),
        revision_(revision),
        anyVanished_(anyVanished),
        places_(sql, project, nowUs, revision) {}

  /// Asks for many at once what is known of them.
  Result<void> take(std::span<const FoundFileRecord> some) {
    std::vector<std::string> hashes;
    for (const FoundFileRecord& found : some) hashes.push_back(hashOfPath(found.facts.path, found.facts.series));
    if (auto known = lookUp(hashes); !known) return known;
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (auto taken = take(some[i], hashes[i]); !taken) return taken;
    }
    return insertWaiting();
  }

  [[nodiscard]] const std::vector<std::int64_t>& sharedPseudonyms() const { return places_.shared; }

  Archive::Registered counts;

 private:
  Result<void> lookUp(const std::vector<std::string>& hashes) {
    known_.clear();
    std::vector<SqlValue> values{project_};
    values.insert(values.end(), hashes.begin(), hashes.end());
    auto rows = sql_.query(
        "SELECT path_hash, " + fileColumns + " FROM file WHERE project_id = ? AND path_hash IN " + marks(hashes.size()),
        std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) known_[row.text(0)] = fileOf(row, 1);
    return {};
  }

  Result<void> take(const FoundFileRecord& found, const std::string& hash) {
    const auto subject = places_.subject(found.subject);
    if (!subject) return tl::make_unexpected(subject.error());
    const auto study = places_.study(*subject, found);
    if (!study) return tl::make_unexpected(study.error());
    bool isMoved = false;
    const auto old = oldOf(found.facts, hash, isMoved);
    if (!old) return tl::make_unexpected(old.error());
    const bool isSame = *old && !hasChanged(**old, found.facts, *subject, *study);
    if (isSame) ++counts.unchanged;
    if (!*old) return insertLater(found, hash, *subject, *study);
    if (!isSame) {
      if (auto stored = update(found.facts, hash, **old, *subject, *study, isMoved); !stored) return stored;
    }
    return found.parts.empty() ? Result<void>() : writeParts((*old)->id, found.parts);
  }

  /// Only where they differ.
  Result<void> writeParts(std::int64_t id, const std::vector<std::string>& parts) {
    auto rows = sql_.query("SELECT path FROM file_part WHERE file_id = ? ORDER BY ordinal", {id});
    if (!rows) return tl::make_unexpected(rows.error());
    const auto isSame = [](const SqlRow& row, const std::string& path) { return row.text(0) == path; };
    if (std::equal(rows->begin(), rows->end(), parts.begin(), parts.end(), isSame)) return {};
    if (auto gone = sql_.change("DELETE FROM file_part WHERE file_id = ?", {id}); !gone)
      return tl::make_unexpected(gone.error());
    return addParts(id, parts);
  }

  Result<void> addParts(std::int64_t id, const std::vector<std::string>& parts) {
    std::int64_t ordinal = 0;
    for (const std::string& path : parts) {
      auto made = sql_.append("INSERT INTO file_part (file_id, ordinal, path) VALUES (?, ?, ?)", {id, ordinal++, path});
      if (!made) return made;
    }
    return {};
  }

  Result<std::optional<FileRecord>> oldOf(const FileFacts& facts, const std::string& hash, bool& isMoved) {
    if (stored_.count(hash) != 0) {  // by this call: what was looked up is old
      if (auto inserted = insertWaiting(); !inserted) return tl::make_unexpected(inserted.error());
      static const std::string byPath = "SELECT " + fileColumns + " FROM file WHERE project_id = ? AND path_hash = ?";
      auto there = sql_.query(byPath, {project_, hash});
      if (!there) return tl::make_unexpected(there.error());
      if (!there->empty()) return fileOf(there->front());
    } else if (const auto known = known_.find(hash); known != known_.end()) {
      return known->second;
    }
    if (!anyVanished_) return std::nullopt;
    auto before = movedFrom(sql_, project_, facts);
    isMoved = before && *before;
    return before;
  }

  Result<void> update(const FileFacts& facts, const std::string& hash, const FileRecord& old, std::int64_t subject,
                      std::int64_t study, bool isMoved) {
    const std::string meta = mergedMeta(facts.sidecar, old.sidecar, old.meta);
    FileFacts kept = facts;
    if (kept.hash.empty() && old.size == kept.size && old.mtimeUs == kept.mtimeUs) kept.hash = old.hash;
    auto values = factValues(kept, hash, meta, subject, study, nowUs_, revision_);
    stored_.insert(hash);
    if (isMoved) stored_.insert(hashOfPath(old.path, old.series));
    static const std::string text = "UPDATE file SET " + std::string(factColumns) + " WHERE id = ?";
    values.emplace_back(old.id);
    if (auto changed = sql_.change(text, std::span<const SqlValue>(values)); !changed)
      return tl::make_unexpected(changed.error());
    ++(isMoved ? counts.moved : counts.changed);
    if (isMoved) counts.moves.push_back({old.id, old.path, old.series});
    return meta == old.meta ? Result<void>() : writeMetaKeys(sql_, Level::file, old.id, meta, names_);
  }

  Result<void> insertLater(const FoundFileRecord& found, const std::string& hash, std::int64_t subject,
                           std::int64_t study) {
    stored_.insert(hash);
    waiting_.push_back({&found, hash});
    auto values = factValues(found.facts, hash, found.facts.sidecar, subject, study, nowUs_, revision_);
    values.emplace_back(project_);
    values.emplace_back(nowUs_);
    std::move(values.begin(), values.end(), std::back_inserter(waitingValues_));
    return waiting_.size() < filesAtOnce ? Result<void>() : insertWaiting();
  }

  /// Some or one at a time, so that there are two texts for the database.
  Result<void> insertWaiting() {
    static const std::string some = insertFiles(filesAtOnce), one = insertFiles(1);
    if (waiting_.empty()) return {};
    const std::span<const SqlValue> all(waitingValues_);
    const bool areAll = waiting_.size() == filesAtOnce;
    const std::size_t step = areAll ? all.size() : all.size() / waiting_.size();
    for (std::size_t i = 0; i < all.size(); i += step) {
      if (auto made = sql_.append(areAll ? some : one, all.subspan(i, step)); !made) return made;
    }
    counts.added += static_cast<std::int64_t>(waiting_.size());
    auto more = insertMore();
    waiting_.clear();
    waitingValues_.clear();
    return more;
  }

  /// What hangs on the ids of those that were inserted.
  Result<void> insertMore() {
    std::map<std::string, const FoundFileRecord*> wanted;  // by hash
    std::vector<SqlValue> values{project_};
    for (const auto& [found, hash] : waiting_) {
      if (found->facts.sidecar == "{}" && found->parts.empty()) continue;
      wanted.emplace(hash, found);
      values.emplace_back(hash);
    }
    if (wanted.empty()) return {};
    auto rows =
        sql_.query("SELECT path_hash, id FROM file WHERE project_id = ? AND path_hash IN " + marks(wanted.size()),
                   std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) {
      const FoundFileRecord& found = *wanted.at(row.text(0));
      if (auto added = addMetaKeys(sql_, Level::file, row.integer(1), found.facts.sidecar, names_); !added)
        return added;
      if (auto added = addParts(row.integer(1), found.parts); !added) return added;
    }
    return {};
  }

  struct Waiting {
    const FoundFileRecord* found;  // of the caller
    std::string hash;
  };

  Sql& sql_;
  const std::int64_t project_, nowUs_, revision_;
  const bool anyVanished_;
  Places places_;
  MetaNames names_;
  std::unordered_map<std::string, FileRecord> known_;  // by the hash of the path
  std::unordered_set<std::string> stored_;
  std::vector<Waiting> waiting_;  // new files
  std::vector<SqlValue> waitingValues_;
};

}  // namespace

Result<Archive::Registered> takeOver(Sql& sql, const ProjectRecord& project, std::span<const FoundFileRecord> files,
                                     std::int64_t nowUs, std::int64_t revision, bool mayMove) {
  const auto vanished = sql.query("SELECT 1 FROM file WHERE project_id = ? AND state = 1 LIMIT 1", {project.id});
  if (!vanished) return tl::make_unexpected(vanished.error());
  Registration registration(sql, project, nowUs, revision, mayMove && !vanished->empty());
  auto done = inChunks(files, [&](std::span<const FoundFileRecord> some) { return registration.take(some); });
  if (!done) return tl::make_unexpected(done.error());
  registration.counts.pseudonyms = registration.sharedPseudonyms();
  return registration.counts;
}

Result<std::int64_t> placeNamed(Sql& sql, const ProjectRecord& project, const std::string& subject,
                                const std::string& study, std::int64_t nowUs, std::int64_t revision) {
  Places places(sql, project, nowUs, revision);
  const auto id = places.subjectNamed(subject);
  if (!id || study.empty()) return id;
  return places.studyNamed(*id, study);
}

Result<std::int64_t> placeFoundAs(Sql& sql, const ProjectRecord& project, const std::string& subject,
                                  const std::string& study, const std::string& name, std::int64_t nowUs,
                                  std::int64_t revision) {
  Places places(sql, project, nowUs, revision);
  if (study.empty()) return places.makeSubject(subject, name);
  const auto of = places.subjectNamed(subject);
  if (!of) return of;
  FoundFileRecord found;
  found.study = study;
  return places.makeStudy(*of, found, name);
}

}  // namespace nora::archive_sql
