// The audit.
#include "archive/index/accounts.hpp"
#include "archive/index/archive_sql.hpp"

namespace nora {

using namespace archive_sql;

namespace {

constexpr int mostOfAPage = 1000;

AuditRecord auditOf(const SqlRow& row) {
  return {row.integer(0), row.integer(1), row.text(2), row.text(3),
          row.integer(4), row.text(5),    row.text(6), row.text(7)};
}

}  // namespace

Result<void> Accounts::note(const AuditRecord& record) {
  const auto noted = changeRows(
      database_,
      "INSERT INTO audit (at_us, user_name, action, project_id, item, detail, address) VALUES (?, ?, ?, ?, ?, ?, ?)",
      {now_(), storable(record.user, longestKey), storable(record.action, longestKey), record.projectId,
       storable(record.item), storable(record.detail), storable(record.address, longestKey)});
  if (!noted) return tl::make_unexpected(noted.error());
  return {};
}

Result<std::vector<AuditRecord>> Accounts::audit(const AuditFilter& filter) {
  if (filter.most < 1 || filter.most > mostOfAPage)
    return fail(ErrorCode::invalidInput, "a page has 1 to 1000 lines", "limit");
  std::string where = "at_us >= ? AND at_us < ?";
  std::vector<SqlValue> values{filter.fromUs, filter.untilUs};
  if (filter.projectId) {
    where += " AND project_id = ?";
    values.emplace_back(*filter.projectId);
  }
  if (filter.user) {
    where += " AND user_name = ?";
    values.emplace_back(*filter.user);
  }
  if (filter.action) {
    where += " AND action = ?";
    values.emplace_back(*filter.action);
  }
  if (filter.before != 0) {
    where += " AND id < ?";
    values.emplace_back(filter.before);
  }
  values.emplace_back(std::int64_t{filter.most});
  return readAll(database_,
                 "SELECT id, at_us, user_name, action, project_id, item, detail, address FROM audit WHERE " + where +
                     " ORDER BY id DESC LIMIT ?",
                 values, auditOf);
}

}  // namespace nora
