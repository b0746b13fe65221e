// Gate: who a request is from.
#pragma once

#include "app/api/route.hpp"
#include "archive/access/login_limiter.hpp"
#include "archive/access/web_secrets.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace nora {

/// Thread: any; asks the index, so not the socket's.
class Gate {
 public:
  struct Options {
    bool local = false;  // whoever sits at this machine is its single user, as long as there are no accounts
    std::chrono::hours session{12};  // of a log-in, counted from its last use
    /// Of users of directories and providers: so long after these have last said who they are, sessions go on, and
    /// tokens and share links are good.
    std::chrono::hours confirmedSession{12};
    std::chrono::hours confirmedSecret{24 * 30};
  };
  Gate(const ApiPlaces& places, Options options);

  /// A guest is a visitor, too. Errors: forbidden (a token, link or session that is wrong or has expired; a request
  /// that another site has made), and those of the index.
  [[nodiscard]] Result<Visitor> visitor(const HttpRequest& request);

  /// For a stream; its key, under which the visitor goes on with sessions until they lose something (see mayStay).
  [[nodiscard]] Result<Visitor> streamVisitor(const HttpRequest& request, std::string& key);
  /// Whether the visitor of a stream may see all that they could when it began. Forgets keys that may not.
  [[nodiscard]] bool mayStay(const std::string& key);
  /// The visitor of a stream as they are now, with what they have gained. Errors: forbidden (they may not stay).
  [[nodiscard]] Result<Visitor> visitorOfStream(const std::string& key);

  /// An answer that goes on only as long as the visitor may do all that they could when it began.
  [[nodiscard]] Result<std::shared_ptr<HttpStream>> whileAdmitted(std::shared_ptr<HttpStream> stream,
                                                                  const Visitor& visitor);
  /// One transaction; see Database::together.
  [[nodiscard]] Database& database() const { return places_.database; }

  /// Logs somebody in: the answer gets the cookie.
  [[nodiscard]] Result<Visitor> logIn(const UserRecord& user, const HttpRequest& request, HttpResponse& response);
  [[nodiscard]] Result<void> logOut(const Visitor& visitor, const HttpRequest& request, HttpResponse& response);

  /// Nobody has an account, and it is allowed: then who sits here needs none.
  [[nodiscard]] bool isLocal(const HttpRequest& request);
  [[nodiscard]] Result<bool> hasAccounts();

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] Result<Visitor> byToken(std::string_view header);
  [[nodiscard]] Result<Visitor> byShare(std::string_view secret);
  [[nodiscard]] Result<Visitor> bySession(const HttpRequest& request, std::string_view secret);
  /// Errors: forbidden (where: "confirmed") if the user's directory has to say again who they are.
  [[nodiscard]] Result<Visitor> ofUser(std::int64_t userId, Entrance entrance);
  [[nodiscard]] static CookiePlace placeOf(const HttpRequest& request);
  /// The same visitor as the index knows them now. Errors: notFound, forbidden if they have been sent away.
  [[nodiscard]] Result<Visitor> asNow(const Visitor& visitor);
  /// Who somebody is and what they may do in each project, from what is known last.
  struct Standing {
    Visitor visitor;
    std::map<std::int64_t, Access> had;  // by project
  };
  /// Whether nothing of it was lost, of the rights that count; it is then as it is now.
  [[nodiscard]] bool goesOn(Standing& standing, Rights counted);

  const ApiPlaces places_;
  const Options options_;
  const std::string localCsrf_;
  std::mutex mutex_;  // what follows
  bool hasAccounts_ = false;
  Clock::time_point lookedAt_;
  struct Stream {
    Standing standing;
    Clock::time_point seen;  // somebody asked for it
  };
  std::map<std::string, Stream> streams_;  // by key; those that nobody asks for are forgotten
  std::int64_t streamCount_ = 0;
};

}  // namespace nora
