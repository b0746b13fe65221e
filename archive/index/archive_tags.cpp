// Tags and metadata of items of all levels, and the history of metadata.
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"
#include "archive/index/remembered.hpp"
#include "archive/search/fold.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace nora {

using namespace archive_sql;

namespace {

constexpr std::size_t longestMeta = std::size_t{1} << 20;
constexpr int deepestMeta = 32;

/// Depth without recursion, before the text is parsed.
bool isTooDeep(std::string_view text) {
  int depth = 0;
  bool inText = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inText) {
      if (text[i] == '\\') ++i;
      inText = i < text.size() && text[i] != '"';
    } else if (text[i] == '"') {
      inText = true;
    } else if (text[i] == '{' || text[i] == '[') {
      if (++depth > deepestMeta) return true;
    } else if (text[i] == '}' || text[i] == ']') {
      --depth;
    }
  }
  return false;
}

Result<std::string> checkedMeta(std::string_view text) {
  if (text.size() > longestMeta) return fail(ErrorCode::limitExceeded, "metadata has at most 1 MiB", "meta");
  if (isTooDeep(text)) return fail(ErrorCode::limitExceeded, "metadata has at most 32 levels", "meta");
  try {
    const auto value = nlohmann::json::parse(text);
    if (!value.is_object()) return fail(ErrorCode::invalidInput, "metadata is a JSON object, {...}", "meta");
    return value.dump();
  } catch (const nlohmann::json::parse_error& e) {
    return fail(ErrorCode::invalidInput, "not JSON at byte " + std::to_string(e.byte), "meta");
  } catch (const nlohmann::json::exception&) {
    return fail(ErrorCode::invalidInput, "metadata must be UTF-8", "meta");
  }
}

/// 0 if there is no such tag and `make` is not set.
Result<std::int64_t> tagId(Sql& sql, const std::string& name, bool make) {
  auto rows = sql.query("SELECT id FROM tag WHERE name = ?", {name});
  if (!rows) return tl::make_unexpected(rows.error());
  if (!rows->empty()) return rows->front().integer(0);
  if (!make) return 0;
  auto made = sql.change("INSERT INTO tag (name, name_fold) VALUES (?, ?)", {name, foldText(name)});
  if (!made) return tl::make_unexpected(made.error());
  return made->newId;
}

using Items = std::map<std::int64_t, std::int64_t>;  // ids with the project of each

/// Those of the items that are there.
Result<Items> projectsOf(Sql& sql, Level level, std::span<const std::int64_t> ids) {
  Items out;
  const std::string column = level == Level::project ? "id" : "project_id";
  auto done = inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
    const auto values = valuesOf(some);
    auto rows = sql.query(
        "SELECT id, " + column + " FROM " + std::string(tableOf(level)) + " WHERE id IN " + marks(some.size()),
        std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out[row.integer(0)] = row.integer(1);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

/// Those of the items that have a tag.
Result<std::set<std::int64_t>> having(Sql& sql, Level level, std::int64_t tag, std::span<const std::int64_t> ids) {
  std::set<std::int64_t> out;
  auto done = inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
    std::vector<SqlValue> values{static_cast<std::int64_t>(level), tag};
    values.insert(values.end(), some.begin(), some.end());
    auto rows =
        sql.query("SELECT item_id FROM item_tag WHERE level = ? AND tag_id = ? AND item_id IN " + marks(some.size()),
                  std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.insert(row.integer(0));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

std::vector<std::int64_t> idsOf(const Items& items) {
  std::vector<std::int64_t> out;
  for (const auto& [id, project] : items) out.push_back(id);
  return out;
}

Result<void> addTag(Sql& sql, Level level, std::int64_t tag, const Items& items, std::set<std::int64_t>& changed) {
  std::vector<std::int64_t> wanted = idsOf(items);
  const auto there = having(sql, level, tag, wanted);
  if (!there) return tl::make_unexpected(there.error());
  std::erase_if(wanted, [&](std::int64_t id) { return there->count(id) != 0; });
  changed.insert(wanted.begin(), wanted.end());
  return inChunks(std::span<const std::int64_t>(wanted), [&](std::span<const std::int64_t> some) {
    std::string text = "INSERT INTO item_tag (level, item_id, tag_id, project_id) VALUES ";
    std::vector<SqlValue> values;
    for (const std::int64_t id : some) {
      text += values.empty() ? "(?, ?, ?, ?)" : ", (?, ?, ?, ?)";
      values.insert(values.end(), {static_cast<std::int64_t>(level), id, tag, items.at(id)});
    }
    return sql.append(text, std::span<const SqlValue>(values));
  });
}

Result<void> removeTag(Sql& sql, Level level, std::int64_t tag, const Items& items, std::set<std::int64_t>& changed) {
  const std::vector<std::int64_t> ids = idsOf(items);
  const auto there = having(sql, level, tag, ids);
  if (!there) return tl::make_unexpected(there.error());
  changed.insert(there->begin(), there->end());
  const std::vector<std::int64_t> gone(there->begin(), there->end());
  return inChunks(std::span<const std::int64_t>(gone), [&](std::span<const std::int64_t> some) -> Result<void> {
    std::vector<SqlValue> values{static_cast<std::int64_t>(level), tag};
    values.insert(values.end(), some.begin(), some.end());
    auto done = sql.change("DELETE FROM item_tag WHERE level = ? AND tag_id = ? AND item_id IN " + marks(some.size()),
                           std::span<const SqlValue>(values));
    if (!done) return tl::make_unexpected(done.error());
    return {};
  });
}

}  // namespace

Result<std::int64_t> Archive::tag(Level level, std::span<const std::int64_t> ids, std::span<const std::string> add,
                                  std::span<const std::string> remove) {
  for (const auto& name : add) {
    if (auto right = checkItemName(name, "tag"); !right) return tl::make_unexpected(right.error());
  }
  std::int64_t out = 0;
  auto done = writeRemembered([&](Sql& sql, Remembered& remembered) -> Result<void> {
    const auto items = projectsOf(sql, level, ids);
    if (!items) return tl::make_unexpected(items.error());
    std::map<std::int64_t, std::vector<std::int64_t>> ofProject;
    for (const auto& [id, project] : *items) ofProject[project].push_back(id);
    for (const auto& [project, some] : ofProject) {
      if (auto caught = remembered.catchUp(sql, project); !caught) return caught;
    }
    std::set<std::int64_t> changed;
    for (const bool isAdded : {true, false}) {
      for (const std::string& name : isAdded ? add : remove) {
        const auto tag = tagId(sql, name, isAdded);
        if (!tag) return tl::make_unexpected(tag.error());
        if (*tag == 0) continue;
        const auto stored =
            isAdded ? addTag(sql, level, *tag, *items, changed) : removeTag(sql, level, *tag, *items, changed);
        if (!stored) return stored;
      }
    }
    out = static_cast<std::int64_t>(changed.size());
    if (changed.empty()) return {};
    for (auto& [project, some] : ofProject) {
      std::erase_if(some, [&](std::int64_t id) { return !changed.contains(id); });
      if (!some.empty()) remembered.tags(level, project, some);
    }
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    const std::vector<std::int64_t> list(changed.begin(), changed.end());
    return inChunks(std::span(list), [&](std::span<const std::int64_t> some) -> Result<void> {
      std::vector<SqlValue> values{*revision};
      for (const SqlValue& id : valuesOf(some)) values.push_back(id);
      auto stored =
          sql.change("UPDATE " + std::string(tableOf(level)) + " SET revision = ? WHERE id IN " + marks(some.size()),
                     std::span<const SqlValue>(values));
      if (!stored) return tl::make_unexpected(stored.error());
      return {};
    });
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::map<std::int64_t, std::set<std::string>>> Archive::tagsOf(Level level, std::span<const std::int64_t> ids) {
  std::map<std::int64_t, std::set<std::string>> out;
  auto done = database_.read([&](Sql& sql) {
    out.clear();
    return inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
      std::vector<SqlValue> values{static_cast<std::int64_t>(level)};
      for (const SqlValue& id : valuesOf(some)) values.push_back(id);
      auto rows = sql.query(
          "SELECT item_tag.item_id, tag.name FROM item_tag JOIN tag ON tag.id = item_tag.tag_id WHERE item_tag.level = "
          "? AND "
          "item_tag.item_id IN " +
              marks(some.size()),
          std::span<const SqlValue>(values));
      if (!rows) return tl::make_unexpected(rows.error());
      for (const SqlRow& row : *rows) out[row.integer(0)].insert(row.text(1));
      return {};
    });
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::set<std::string>> Archive::tags(Level level, std::int64_t id) {
  auto found = tagsOf(level, std::span(&id, 1));
  if (!found) return tl::make_unexpected(found.error());
  return (*found)[id];
}

Result<std::map<std::string, std::int64_t>> Archive::tagCounts(Level level, const SearchScope& scope) {
  std::map<std::string, std::int64_t> out;
  std::vector<std::int64_t> projects = scope.projects;
  projects.insert(projects.end(), scope.pseudonymous.begin(), scope.pseudonymous.end());
  if (!scope.everyProject && projects.empty()) return out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    std::vector<SqlValue> values{static_cast<std::int64_t>(level)};
    std::string where = "item_tag.level = ?";
    if (!scope.everyProject) {
      where += " AND item_tag.project_id IN " + marks(projects.size());
      for (const std::int64_t id : projects) values.emplace_back(id);
    }
    auto rows = sql.query("SELECT tag.name, COUNT(*) FROM item_tag JOIN tag ON tag.id = item_tag.tag_id WHERE " +
                              where + " GROUP BY tag.name",
                          std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out[row.text(0)] = row.integer(1);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::int64_t> Archive::setMeta(Level level, std::int64_t id, std::string_view json, std::string_view user,
                                      std::optional<std::int64_t> ifRevision) {
  const auto meta = checkedMeta(json);
  if (!meta) return tl::make_unexpected(meta.error());
  const std::string table(tableOf(level));
  std::int64_t out = 0;
  auto done = writeRemembered([&](Sql& sql, Remembered& remembered) -> Result<void> {
    const auto items = projectsOf(sql, level, std::span(&id, 1));
    if (!items) return tl::make_unexpected(items.error());
    const std::int64_t project = items->empty() ? 0 : items->begin()->second;
    if (auto caught = remembered.catchUp(sql, project); !caught) return caught;
    auto rows = sql.query("SELECT meta, revision FROM " + table + " WHERE id = ?", {id});
    if (!rows) return tl::make_unexpected(rows.error());
    if (rows->empty()) return fail(ErrorCode::notFound, "there is no such " + table, table);
    const std::string before = rows->front().text(0);
    out = rows->front().integer(1);
    if (ifRevision && out != *ifRevision) {
      return fail(ErrorCode::unavailable, "it was changed by somebody else meanwhile: look at it again", table);
    }
    if (before == *meta) return {};
    const auto revision = raise(sql);
    if (!revision) return tl::make_unexpected(revision.error());
    const std::int64_t nowUs = remembered.nowUs();
    auto stored = sql.change("UPDATE " + table + " SET meta = ?, changed_us = ?, revision = ? WHERE id = ?",
                             {*meta, nowUs, *revision, id});
    if (!stored) return tl::make_unexpected(stored.error());
    auto noted = sql.change(
        "INSERT INTO meta_history (level, item_id, at_us, user_name, before_json, after_json) VALUES (?, ?, ?, ?, ?, "
        "?)",
        {static_cast<std::int64_t>(level), id, nowUs, std::string(user), before, *meta});
    if (!noted) return tl::make_unexpected(noted.error());
    out = *revision;
    remembered.meta(level, project, id, user);
    MetaNames names;
    return writeMetaKeys(sql, level, id, *meta, names);
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::vector<MetaChange>> Archive::metaHistory(Level level, std::int64_t id, int most) {
  std::vector<MetaChange> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows = sql.query(
        "SELECT at_us, user_name, before_json, after_json FROM meta_history WHERE level = ? AND item_id = ? ORDER BY "
        "id DESC LIMIT ?",
        {static_cast<std::int64_t>(level), id, std::int64_t{most}});
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.push_back({row.integer(0), row.text(1), row.text(2), row.text(3)});
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

}  // namespace nora
