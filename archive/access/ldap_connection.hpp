// One connection to one LDAP server, by libldap: the only file that knows it.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nora {

struct LdapAddress {
  std::string url;  // ldap://host[:port], ldaps://host[:port], ldapi://%2Fpath
  bool startTls = false;
  std::string caFile;                       // PEM; empty: that of the system
  std::chrono::milliseconds timeout{5000};  // to connect, and again for each answer
};

struct LdapEntry {
  std::string dn;
  std::map<std::string, std::vector<std::string>> attributes;  // names in lower case; texts only

  [[nodiscard]] std::string first(const std::string& attribute) const;  // "" if there is none
};

/// Thread: one at a time. Blocks up to the time-out for each call. The process must ignore SIGPIPE.
class LdapConnection {
 public:
  /// Connects, and speaks TLS where the address says so, with the server's name checked against its certificate.
  /// Referrals are not followed. Errors: unavailable (not reachable; a certificate that is not trusted, names the CA
  /// file), invalidInput (no such CA file, an address that is none).
  [[nodiscard]] static Result<LdapConnection> open(const LdapAddress& address);

  LdapConnection(LdapConnection&&) noexcept;
  LdapConnection& operator=(LdapConnection&&) noexcept;
  ~LdapConnection();

  /// Simple bind. Errors: forbidden (wrong name or password, or the account may not log in), invalidInput (empty
  /// password: most directories would take that as nobody and answer yes), unavailable.
  [[nodiscard]] Result<void> bind(const std::string& dn, const std::string& password);

  /// Errors: limitExceeded if there are more than `most` (never a part of them), invalidInput (base or filter is
  /// wrong), forbidden, unavailable. No such base: no entries.
  [[nodiscard]] Result<std::vector<LdapEntry>> search(const std::string& base, bool below, const std::string& filter,
                                                      const std::vector<std::string>& attributes, int most);

  [[nodiscard]] const LdapAddress& address() const { return address_; }

 private:
  struct Handle;
  LdapConnection(std::unique_ptr<Handle> handle, LdapAddress address);
  [[nodiscard]] tl::unexpected<Error> failed(int code, const std::string& doing) const;

  std::unique_ptr<Handle> handle_;
  LdapAddress address_;
};

/// One spelling for a distinguished name, in lower case, so that two can be compared; "" if it is none.
[[nodiscard]] std::string normalisedDn(const std::string& dn);
/// "readers" of "cn=readers,ou=groups,dc=lab"; "" if it is no such name.
[[nodiscard]] std::string firstValueOfDn(const std::string& dn);

}  // namespace nora
