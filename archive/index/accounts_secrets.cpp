// Tokens, sessions and share links.
#include "archive/index/accounts.hpp"
#include "archive/index/archive_sql.hpp"

namespace nora {

using namespace archive_sql;

namespace {

constexpr std::int64_t useNotedUs = 60'000'000;

const std::string tokenColumns = "id, secret_hash, user_id, name, rights, created_us, expires_us, used_us, project_id";
const std::string sessionColumns = "id, secret_hash, user_id, csrf, address, created_us, seen_us, expires_us";
const std::string linkColumns = "id, secret_hash, project_id, owner_id, rights, scene, created_us, expires_us";

Rights rightsOf(const SqlRow& row, std::size_t column) {
  return Rights::fromBits(static_cast<std::uint32_t>(row.integer(column)));
}

TokenRecord tokenOf(const SqlRow& row) {
  return {row.integer(0), row.text(1),    row.integer(2), row.text(3),   rightsOf(row, 4),
          row.integer(5), row.integer(6), row.integer(7), row.integer(8)};
}

WebSessionRecord sessionOf(const SqlRow& row) {
  return {row.integer(0), row.text(1),    row.integer(2), row.text(3),
          row.text(4),    row.integer(5), row.integer(6), row.integer(7)};
}

ShareLinkRecord linkOf(const SqlRow& row) {
  return {row.integer(0),   row.text(1), row.integer(2), row.integer(3),
          rightsOf(row, 4), row.text(5), row.integer(6), row.integer(7)};
}

constexpr std::int64_t mostPendingOfAnAddress = 500;

PendingLogin pendingOf(const SqlRow& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5), row.text(6), row.integer(7)};
}

tl::unexpected<Error> expired() {
  return fail(ErrorCode::invalidInput, "it has expired already", "expires");
}

}  // namespace

Result<TokenRecord> Accounts::addToken(const TokenRecord& wanted) {
  TokenRecord out = wanted;
  out.createdUs = now_();
  if (out.expiresUs <= out.createdUs) return expired();
  const auto made = changeRows(database_,
                               "INSERT INTO token (secret_hash, user_id, name, rights, created_us, expires_us, "
                               "project_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
                               {out.secretHash, out.userId, out.name, std::int64_t{out.rights.bits()}, out.createdUs,
                                out.expiresUs, out.projectId});
  if (!made) return tl::make_unexpected(made.error());
  out.id = made->newId;
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
  if (out.expiresUs <= out.createdUs) return expired();
  const auto made =
      changeRows(database_,
                 "INSERT INTO web_session (secret_hash, user_id, csrf, address, created_us, seen_us, "
                 "expires_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
                 {out.secretHash, out.userId, out.csrf, out.address, out.createdUs, out.seenUs, out.expiresUs});
  if (!made) return tl::make_unexpected(made.error());
  out.id = made->newId;
  return out;
}

Result<WebSessionRecord> Accounts::session(std::string_view secretHash) {
  return readOne(database_, "SELECT " + sessionColumns + " FROM web_session WHERE secret_hash = ? AND expires_us > ?",
                 {std::string(secretHash), now_()}, sessionOf, "session");
}

Result<std::vector<WebSessionRecord>> Accounts::sessions(std::int64_t userId) {
  return readAll(database_,
                 "SELECT " + sessionColumns +
                     " FROM web_session WHERE expires_us > ? AND (? = 0 OR user_id = ?) ORDER BY seen_us DESC, id DESC",
                 {now_(), userId, userId}, sessionOf);
}

Result<void> Accounts::isAlive(std::string_view kind, std::int64_t id) {
  const std::string table = kind == "session" ? "web_session" : kind == "token" ? "token" : "share_link";
  const auto one = readOne<std::int64_t>(
      database_, "SELECT id FROM " + table + " WHERE id = ? AND expires_us > ?", {id, now_()},
      [](const SqlRow& row) { return row.integer(0); }, kind);
  if (!one) return tl::make_unexpected(one.error());
  return {};
}

Result<void> Accounts::extendSession(std::int64_t id, std::int64_t expiresUs) {
  return changeOne(database_, "UPDATE web_session SET seen_us = ?, expires_us = ? WHERE id = ?",
                   {now_(), expiresUs, id}, "session");
}

Result<void> Accounts::removeSession(std::int64_t id) {
  return changeOne(database_, "DELETE FROM web_session WHERE id = ?", {id}, "session");
}

Result<std::int64_t> Accounts::removeSessions(std::int64_t userId) {
  const auto gone = userId != 0 ? changeRows(database_, "DELETE FROM web_session WHERE user_id = ?", {userId})
                                : changeRows(database_, "DELETE FROM web_session WHERE expires_us <= ?", {now_()});
  if (!gone) return tl::make_unexpected(gone.error());
  return gone->rows;
}

Result<void> Accounts::removeAllSessions() {
  const auto gone = changeRows(database_, "DELETE FROM web_session", {});
  if (!gone) return tl::make_unexpected(gone.error());
  return {};
}

Result<void> Accounts::addPendingLogin(const PendingLogin& login) {
  return database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const std::int64_t now = now_();
    auto old = sql.change("DELETE FROM pending_login WHERE started_us <= ?", {now - pendingLoginUs});
    if (!old) return tl::make_unexpected(old.error());
    auto rows = sql.query("SELECT id FROM pending_login WHERE address = ? ORDER BY id DESC LIMIT 1 OFFSET ?",
                          {login.address, mostPendingOfAnAddress - 1});
    if (!rows) return tl::make_unexpected(rows.error());
    if (!rows->empty()) {
      auto gone = sql.change("DELETE FROM pending_login WHERE address = ? AND id <= ?",
                             {login.address, rows->front().integer(0)});
      if (!gone) return tl::make_unexpected(gone.error());
    }
    return sql.append(
        "INSERT INTO pending_login (state_hash, browser_hash, provider, nonce, verifier, return_to, address, "
        "started_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        {login.stateHash, login.browserHash, login.provider, login.nonce, login.verifier, login.returnTo, login.address,
         now});
  });
}

Result<PendingLogin> Accounts::takePendingLogin(std::string_view stateHash, std::string_view browserHash) {
  Result<PendingLogin> out;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    out = oneOf(sql.query("SELECT state_hash, browser_hash, provider, nonce, verifier, return_to, address, started_us "
                          "FROM pending_login WHERE state_hash = ? AND browser_hash = ? AND started_us > ?",
                          {std::string(stateHash), std::string(browserHash), now_() - pendingLoginUs}),
                pendingOf, "log-in");
    if (!out) return tl::make_unexpected(out.error());
    auto taken = sql.change("DELETE FROM pending_login WHERE state_hash = ?", {std::string(stateHash)});
    if (!taken) return tl::make_unexpected(taken.error());
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<ShareLinkRecord> Accounts::addShareLink(const ShareLinkRecord& wanted) {
  ShareLinkRecord out = wanted;
  out.createdUs = now_();
  if (out.expiresUs <= out.createdUs) return expired();
  const auto made = changeRows(database_,
                               "INSERT INTO share_link (secret_hash, project_id, owner_id, rights, scene, created_us, "
                               "expires_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
                               {out.secretHash, out.projectId, out.ownerId, std::int64_t{out.rights.bits()}, out.scene,
                                out.createdUs, out.expiresUs});
  if (!made) return tl::make_unexpected(made.error());
  out.id = made->newId;
  return out;
}

Result<ShareLinkRecord> Accounts::shareLink(std::string_view secretHash) {
  return readOne(database_, "SELECT " + linkColumns + " FROM share_link WHERE secret_hash = ? AND expires_us > ?",
                 {std::string(secretHash), now_()}, linkOf, "link");
}

Result<std::vector<ShareLinkRecord>> Accounts::shareLinks(std::int64_t projectId) {
  return readAll(database_, "SELECT " + linkColumns + " FROM share_link WHERE project_id = ? ORDER BY id DESC",
                 {projectId}, linkOf);
}

Result<void> Accounts::removeShareLink(std::int64_t id) {
  return changeOne(database_, "DELETE FROM share_link WHERE id = ?", {id}, "link");
}

}  // namespace nora
