#include "archive/index/archive_sql.hpp"

#include "archive/search/meta_keys.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <bit>
#include <chrono>

namespace nora::archive_sql {

const std::string projectColumns =
    "id, name, title, root, in_place, hide_identity, secret, settings, meta, created_us, changed_us, revision";
const std::string subjectColumns = "id, name, project_id, pseudonym, meta, created_us, changed_us, revision";
const std::string studyColumns = "id, name, project_id, subject_id, date, uid, meta, created_us, changed_us, revision";
const std::string fileColumns =
    "id, name, project_id, subject_id, study_id, path, kind, format, size, mtime_us, hash, state, reason, modality, "
    "sequence, nx, ny, nz, nt, dx, dy, dz, date, sidecar, meta, created_us, changed_us, revision, "
    "series, source_series, instances, warnings";

std::string_view tableOf(Level level) {
  switch (level) {
    case Level::project: return "project";
    case Level::subject: return "subject";
    case Level::study: return "study";
    case Level::file:
    case Level::none: break;
  }
  return "file";
}

std::string marks(std::size_t count) {
  std::string out = "(";
  for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ", ?";
  return out + ")";
}

std::vector<SqlValue> valuesOf(std::span<const std::int64_t> ids) {
  return {ids.begin(), ids.end()};
}

std::vector<SqlValue> valuesOf(const SqlText& text) {
  std::vector<SqlValue> out;
  for (const SqlParameter& parameter : text.parameters) {
    out.push_back(std::visit([](const auto& value) -> SqlValue { return value; }, parameter));
  }
  return out;
}

Result<Sql::Changed> changeRows(Database& database, std::string_view text, std::initializer_list<SqlValue> parameters) {
  const std::vector<SqlValue> values(parameters);
  Result<Sql::Changed> out;
  auto done = database.write([&](Sql& sql) -> Result<void> {
    out = sql.change(text, std::span<const SqlValue>(values));
    if (!out) return tl::make_unexpected(out.error());
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<void> changeOne(Database& database, std::string_view text, std::initializer_list<SqlValue> parameters,
                       std::string_view what) {
  const auto changed = changeRows(database, text, parameters);
  if (!changed) return tl::make_unexpected(changed.error());
  if (changed->rows == 0) return fail(ErrorCode::notFound, "there is no such " + std::string(what), std::string(what));
  return {};
}

std::string storable(std::string_view text, std::size_t most) {
  std::string out;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size() && count < most; ++count) {
    const std::size_t size = text[i] == '\0' ? 0 : utf8Length(text, i);
    out += size == 0 ? "?" : text.substr(i, size);
    i += std::max<std::size_t>(size, 1);
  }
  return out;
}

std::function<std::int64_t()> clockOr(std::function<std::int64_t()> clock) {
  if (clock) return clock;
  return [] {
    using namespace std::chrono;
    return std::int64_t{duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
  };
}

Result<void> oneAtATime(Sql& sql) {
  auto locked = sql.change("UPDATE revision SET n = n WHERE id = 1");
  if (!locked) return tl::make_unexpected(locked.error());
  return {};
}

namespace {

template <class Record>
void readTimes(const SqlRow& row, std::size_t at, Record& out) {
  out.createdUs = row.integer(at);
  out.changedUs = row.integer(at + 1);
  out.revision = row.integer(at + 2);
}

}  // namespace

ProjectRecord projectOf(const SqlRow& row) {
  ProjectRecord out;
  out.id = row.integer(0);
  out.name = row.text(1);
  out.title = row.text(2);
  out.root = row.text(3);
  out.inPlace = row.integer(4) != 0;
  out.hideIdentity = row.integer(5) != 0;
  out.secret = row.text(6);
  out.settings = row.text(7);
  out.meta = row.text(8);
  readTimes(row, 9, out);
  return out;
}

SubjectRecord subjectOf(const SqlRow& row) {
  SubjectRecord out;
  out.id = row.integer(0);
  out.name = row.text(1);
  out.projectId = row.integer(2);
  out.pseudonym = row.text(3);
  out.meta = row.text(4);
  readTimes(row, 5, out);
  return out;
}

StudyRecord studyOf(const SqlRow& row) {
  StudyRecord out;
  out.id = row.integer(0);
  out.name = row.text(1);
  out.projectId = row.integer(2);
  out.subjectId = row.integer(3);
  out.date = row.text(4);
  out.uid = row.text(5);
  out.meta = row.text(6);
  readTimes(row, 7, out);
  return out;
}

FileRecord fileOf(const SqlRow& row) {
  return fileOf(row, 0);
}

FileRecord fileOf(const SqlRow& row, std::size_t at) {
  FileRecord out;
  out.id = row.integer(at);
  out.name = row.text(at + 1);
  out.projectId = row.integer(at + 2);
  out.subjectId = row.integer(at + 3);
  out.studyId = row.integer(at + 4);
  out.path = row.text(at + 5);
  out.kind = row.text(at + 6);
  out.format = row.text(at + 7);
  out.size = row.integer(at + 8);
  out.mtimeUs = row.integer(at + 9);
  out.hash = row.text(at + 10);
  out.state = static_cast<FileState>(row.integer(at + 11));
  out.reason = row.text(at + 12);
  out.modality = row.text(at + 13);
  out.sequence = row.text(at + 14);
  for (std::size_t i = 0; i < 4; ++i) out.dims.at(i) = row.integer(at + 15 + i);
  for (std::size_t i = 0; i < 3; ++i) out.spacingMm.at(i) = row.real(at + 19 + i);
  out.date = row.text(at + 22);
  out.sidecar = row.text(at + 23);
  out.meta = row.text(at + 24);
  readTimes(row, at + 25, out);
  out.series = row.text(at + 28);
  out.sourceSeries = row.text(at + 29);
  out.instances = row.integer(at + 30);
  out.warnings = row.text(at + 31);
  return out;
}

namespace {

Result<std::int64_t> metaNameId(Sql& sql, const std::string& name) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto rows = sql.query("SELECT id FROM meta_name WHERE name = ?", {name});
    if (!rows) return tl::make_unexpected(rows.error());
    if (!rows->empty()) return rows->front().integer(0);
    auto made = sql.change("INSERT INTO meta_name (name) VALUES (?)", {name});
    if (made) return made->newId;
    if (made.error().code != ErrorCode::invalidInput) return tl::make_unexpected(made.error());
  }
  return fail(ErrorCode::unavailable, "the name of a metadata key is being made by somebody else; try again", name);
}

/// Rows of one statement, most of them a power of two, so that there are few different statements.
constexpr std::size_t mostRows = 32;

Result<void> insertMetaRows(Sql& sql, std::span<const SqlValue> values, std::size_t rows) {
  constexpr std::size_t columns = 6;
  for (std::size_t at = 0; at < rows;) {
    const std::size_t count = std::min(mostRows, std::bit_floor(rows - at));
    std::string text = "INSERT INTO meta_key (level, item_id, name_id, ordinal, number, text) VALUES ";
    for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "(?, ?, ?, ?, ?, ?)" : ", (?, ?, ?, ?, ?, ?)";
    if (auto made = sql.append(text, values.subspan(at * columns, count * columns)); !made) return made;
    at += count;
  }
  return {};
}

}  // namespace

Result<void> addMetaKeys(Sql& sql, Level level, std::int64_t id, const std::string& json, MetaNames& names) {
  if (json == "{}") return {};
  std::vector<SqlValue> values;
  const auto keys = metaKeys(json);
  for (const MetaKey& key : keys) {
    auto at = names.find(key.name);
    if (at == names.end()) {
      const auto nameId = metaNameId(sql, key.name);
      if (!nameId) return tl::make_unexpected(nameId.error());
      at = names.emplace(key.name, *nameId).first;
    }
    values.insert(values.end(), {static_cast<std::int64_t>(level), id, at->second, std::int64_t{key.ordinal},
                                 key.number ? SqlValue(*key.number) : SqlValue(), key.text});
  }
  return insertMetaRows(sql, values, keys.size());
}

Result<void> writeMetaKeys(Sql& sql, Level level, std::int64_t id, const std::string& json, MetaNames& names) {
  auto gone =
      sql.change("DELETE FROM meta_key WHERE level = ? AND item_id = ?", {static_cast<std::int64_t>(level), id});
  if (!gone) return tl::make_unexpected(gone.error());
  return addMetaKeys(sql, level, id, json, names);
}

}  // namespace nora::archive_sql
