// Tokens, sessions, share links and the audit.
#include "archive/index/accounts.hpp"
#include "archive/index/accounts_sql.hpp"

namespace nora {

namespace accounts_sql {

Result<void> changeOne(Database& database, const std::string& text, std::vector<SqlValue> values,
                       std::string_view what) {
  return database.write([&](Sql& sql) -> Result<void> {
    auto done = sql.change(text, std::span<const SqlValue>(values));
    if (!done) return tl::make_unexpected(done.error());
    if (done->rows == 0) return fail(ErrorCode::notFound, "there is no such " + std::string(what), std::string(what));
    return {};
  });
}

}  // namespace accounts_sql

using namespace accounts_sql;

namespace {

constexpr std::int64_t useNotedUs = 60'000'000;
constexpr int mostOfAPage = 1000;

const std::string tokenColumns = "id, secret_hash, user_id, name, rights, created_us, expires_us, used_us";
const std::string sessionColumns = "id, secret_hash, user_id, csrf, address, created_us, seen_us, expires_us";
const std::string linkColumns = "id, secret_hash, project_id, owner_id, rights, scene, created_us, expires_us";

Rights rightsOf(const SqlRow& row, std::size_t column) {
  return Rights::fromBits(static_cast<std::uint32_t>(row.integer(column)));
}

TokenRecord tokenOf(const SqlRow& row) {
  return {row.integer(0),   row.text(1),    row.integer(2), row.text(3),
          rightsOf(row, 4), row.integer(5), row.integer(6), row.integer(7)};
}

WebSessionRecord sessionOf(const SqlRow& row) {
  return {row.integer(0), row.text(1),    row.integer(2), row.text(3),
          row.text(4),    row.integer(5), row.integer(6), row.integer(7)};
}

ShareLinkRecord linkOf(const SqlRow& row) {
  return {row.integer(0),   row.text(1), row.integer(2), row.integer(3),
          rightsOf(row, 4), row.text(5), row.integer(6), row.integer(7)};
}

AuditRecord auditOf(const SqlRow& row) {
  return {row.integer(0), row.integer(1), row.text(2), row.text(3),
          row.integer(4), row.text(5),    row.text(6), row.text(7)};
}

Result<std::int64_t> insert(Database& database, const std::string& text, std::vector<SqlValue> values) {
  std::int64_t out = 0;
  auto done = database.write([&](Sql& sql) -> Result<void> {
    auto made = sql.change(text, std::span<const SqlValue>(values));
    if (!made) return tl::make_unexpected(made.error());
    out = made->newId;
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

}  // namespace

Result<TokenRecord> Accounts::addToken(const TokenRecord& wanted) {
  TokenRecord out = wanted;
  out.createdUs = now_();
  const auto id =
      insert(database_,
             "INSERT INTO token (secret_hash, user_id, name, rights, created_us, expires_us) VALUES (?, ?, ?, ?, ?, ?)",
             {out.secretHash, out.userId, out.name, std::int64_t{out.rights.bits()}, out.createdUs, out.expiresUs});
  if (!id) return tl::make_unexpected(id.error());
  out.id = *id;
  return out;
}

Result<TokenRecord> Accounts::token(std::string_view secretHash) {
  const std::int64_t now = now_();
  auto out = readOne(database_, "SELECT " + tokenColumns + " FROM token WHERE secret_hash = ? AND expires_us > ?",
                     {std::string(secretHash), now}, tokenOf, "token");
  if (!out || now - out->usedUs < useNotedUs) return out;
  out->usedUs = now;
  if (auto noted = changeOne(database_, "UPDATE token SET used_us = ? WHERE id = ?", {now, out->id}, "token"); !noted)
    return tl::make_unexpected(noted.error());
  return out;
}

Result<std::vector<TokenRecord>> Accounts::tokens(std::int64_t userId) {
  return readAll(database_, "SELECT " + tokenColumns + " FROM token WHERE user_id = ? ORDER BY id", {userId}, tokenOf);
}

Result<void> Accounts::removeToken(std::int64_t id) {
  return changeOne(database_, "DELETE FROM token WHERE id = ?", {id}, "token");
}

Result<WebSessionRecord> Accounts::addSession(const WebSessionRecord& wanted) {
  WebSessionRecord out = wanted;
  out.createdUs = out.seenUs = now_();
  const auto id = insert(database_,
                         "INSERT INTO web_session (secret_hash, user_id, csrf, address, created_us, seen_us, "
                         "expires_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
                         {out.secretHash, out.userId, out.csrf, out.address, out.createdUs, out.seenUs, out.expiresUs});
  if (!id) return tl::make_unexpected(id.error());
  out.id = *id;
  return out;
}

Result<WebSessionRecord> Accounts::session(std::string_view secretHash) {
  return readOne(database_, "SELECT " + sessionColumns + " FROM web_session WHERE secret_hash = ? AND expires_us > ?",
                 {std::string(secretHash), now_()}, sessionOf, "session");
}

Result<void> Accounts::extendSession(std::int64_t id, std::int64_t expiresUs) {
  return changeOne(database_, "UPDATE web_session SET seen_us = ?, expires_us = ? WHERE id = ?",
                   {now_(), expiresUs, id}, "session");
}

Result<void> Accounts::removeSession(std::int64_t id) {
  return changeOne(database_, "DELETE FROM web_session WHERE id = ?", {id}, "session");
}

Result<std::int64_t> Accounts::removeSessions(std::int64_t userId) {
  std::int64_t out = 0;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    auto gone = userId != 0 ? sql.change("DELETE FROM web_session WHERE user_id = ?", {userId})
                            : sql.change("DELETE FROM web_session WHERE expires_us <= ?", {now_()});
    if (!gone) return tl::make_unexpected(gone.error());
    out = gone->rows;
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<ShareLinkRecord> Accounts::addShareLink(const ShareLinkRecord& wanted) {
  ShareLinkRecord out = wanted;
  out.createdUs = now_();
  const auto id = insert(database_,
                         "INSERT INTO share_link (secret_hash, project_id, owner_id, rights, scene, created_us, "
                         "expires_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
                         {out.secretHash, out.projectId, out.ownerId, std::int64_t{out.rights.bits()}, out.scene,
                          out.createdUs, out.expiresUs});
  if (!id) return tl::make_unexpected(id.error());
  out.id = *id;
  return out;
}

Result<ShareLinkRecord> Accounts::shareLink(std::string_view secretHash) {
  return readOne(database_, "SELECT " + linkColumns + " FROM share_link WHERE secret_hash = ? AND expires_us > ?",
                 {std::string(secretHash), now_()}, linkOf, "link");
}

Result<void> Accounts::removeShareLink(std::int64_t id) {
  return changeOne(database_, "DELETE FROM share_link WHERE id = ?", {id}, "link");
}

Result<void> Accounts::note(const AuditRecord& record) {
  const auto id = insert(
      database_,
      "INSERT INTO audit (at_us, user_name, action, project_id, item, detail, address) VALUES (?, ?, ?, ?, ?, ?, ?)",
      {now_(), record.user, record.action, record.projectId, record.item, record.detail, record.address});
  if (!id) return tl::make_unexpected(id.error());
  return {};
}

Result<std::vector<AuditRecord>> Accounts::audit(const AuditFilter& filter) {
  if (filter.most < 1 || filter.most > mostOfAPage)
    return fail(ErrorCode::invalidInput, "a page has 1 to 1000 lines", "limit");
  std::string where = "at_us >= ?";
  std::vector<SqlValue> values{filter.fromUs};
  if (filter.projectId) {
    where += " AND project_id = ?";
    values.emplace_back(*filter.projectId);
  }
  if (filter.user) {
    where += " AND user_name = ?";
    values.emplace_back(*filter.user);
  }
  if (filter.before != 0) {
    where += " AND id < ?";
    values.emplace_back(filter.before);
  }
  values.emplace_back(std::int64_t{filter.most});
  return readAll(database_,
                 "SELECT id, at_us, user_name, action, project_id, item, detail, address FROM audit WHERE " + where +
                     " ORDER BY id DESC LIMIT ?",
                 std::move(values), auditOf);
}

}  // namespace nora
