#include "archive/access/ldap_connection.hpp"

#include "base/unique_fd.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include <ldap.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr const char* systemCaFile = "/etc/ssl/certs/ca-certificates.crt";

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

timeval timevalOf(std::chrono::milliseconds time) {
  return {static_cast<time_t>(time.count() / 1000), static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

bool usesTls(const LdapAddress& address) {
  return address.startTls || address.url.rfind("ldaps:", 0) == 0;
}

/// All that matters is set here, whatever ldap.conf or the environment say.
bool setOptions(LDAP* ldap, const LdapAddress& address) {
  const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, client = 0,
            oldest = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
  const timeval time = timevalOf(address.timeout);
  bool fine = ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
              ldap_set_option(ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
              ldap_set_option(ldap, LDAP_OPT_NETWORK_TIMEOUT, &time) == LDAP_OPT_SUCCESS &&
              ldap_set_option(ldap, LDAP_OPT_TIMEOUT, &time) == LDAP_OPT_SUCCESS;
  if (!usesTls(address)) return fine;
  const std::string ca = address.caFile.empty() ? systemCaFile : address.caFile;
  fine = fine && ldap_set_option(ldap, LDAP_OPT_X_TLS_CACERTFILE, ca.c_str()) == LDAP_OPT_SUCCESS &&
         ldap_set_option(ldap, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == LDAP_OPT_SUCCESS &&
         ldap_set_option(ldap, LDAP_OPT_X_TLS_PROTOCOL_MIN, &oldest) == LDAP_OPT_SUCCESS;
  return fine && ldap_set_option(ldap, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
}

std::string diagnosticOf(LDAP* ldap) {
  char* text = nullptr;
  if (ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text) != LDAP_OPT_SUCCESS || text == nullptr) return {};
  std::string out = text;
  ldap_memfree(text);
  return out;
}

/// Shuts a socket down at its time, whatever the library waits for: the library has time-outs of its own, but none for
/// TLS (libldap 2.5 with GnuTLS tries the handshake without end when a server is silent).
class Deadline {
 public:
  Deadline(int fd, std::chrono::milliseconds time)
      : fd_(::dup(fd)), thread_([this, time](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          wake_.wait_for(lock, stop, time, [] { return false; });
          if (stop.stop_requested()) return;
          passed_ = true;
          ::shutdown(fd_.get(), SHUT_RDWR);
        }) {}
  [[nodiscard]] bool passed() const { return passed_; }

 private:
  UniqueFd fd_;  // of our own: the library may close its, and the number may be another's by then
  std::atomic<bool> passed_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: stops before what it uses
};

bool isConnectionFailure(int code) {
  return code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR || code == LDAP_TIMEOUT || code == LDAP_BUSY ||
         code == LDAP_UNAVAILABLE || code == LDAP_UNWILLING_TO_PERFORM || code == LDAP_OTHER ||
         code == LDAP_TIMELIMIT_EXCEEDED || code == LDAP_OPERATIONS_ERROR || code == LDAP_ADMINLIMIT_EXCEEDED ||
         code == LDAP_NO_MEMORY;
}

LdapEntry entryOf(LDAP* ldap, LDAPMessage* message) {
  LdapEntry entry;
  if (char* const dn = ldap_get_dn(ldap, message)) {
    entry.dn = dn;
    ldap_memfree(dn);
  }
  BerElement* place = nullptr;
  for (char* name = ldap_first_attribute(ldap, message, &place); name != nullptr;
       name = ldap_next_attribute(ldap, message, place)) {
    auto& values = entry.attributes[lowered(name)];
    if (berval** const found = ldap_get_values_len(ldap, message, name)) {
      for (berval** value = found; *value != nullptr; ++value) values.emplace_back((*value)->bv_val, (*value)->bv_len);
      ldap_value_free_len(found);
    }
    ldap_memfree(name);
  }
  if (place != nullptr) ber_free(place, 0);
  return entry;
}

}  // namespace

struct LdapConnection::Handle {
  LDAP* ldap = nullptr;
  std::chrono::milliseconds timeout;
  std::optional<Deadline> deadline;  // of the call that runs
  bool reached = false;              // TCP connected
  ldap_conncb callback{connected, closed, this};

  explicit Handle(std::chrono::milliseconds time) : timeout(time) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (ldap != nullptr) ldap_unbind_ext_s(ldap, nullptr, nullptr);
  }

  /// Lasts as long as one call on a connection that is there.
  class Call {
   public:
    explicit Call(Handle& handle) : handle_(handle) {
      int fd = -1;
      if (ldap_get_option(handle.ldap, LDAP_OPT_DESC, &fd) != LDAP_OPT_SUCCESS || fd < 0) return;
      handle.deadline.emplace(fd, handle.timeout * 2);
    }
    ~Call() { handle_.deadline.reset(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Handle& handle_;
  };
  [[nodiscard]] bool late() const { return deadline && deadline->passed(); }

  static int connected(LDAP* ldap, Sockbuf* socket, LDAPURLDesc*, sockaddr*, ldap_conncb* callback) {
    auto& self = *static_cast<Handle*>(callback->lc_arg);
    self.reached = true;
    ber_socket_t fd = -1;
    ber_sockbuf_ctrl(socket, LBER_SB_OPT_GET_FD, &fd);
    if (fd >= 0) self.deadline.emplace(fd, self.timeout);
    // TLS on a socket that blocks: with this time-out the library would spin.
    ldap_set_option(ldap, LDAP_OPT_NETWORK_TIMEOUT, nullptr);
    return 0;
  }
  static void closed(LDAP*, Sockbuf*, ldap_conncb*) {}
};

std::string LdapEntry::first(const std::string& attribute) const {
  const auto at = attributes.find(lowered(attribute));
  return at == attributes.end() || at->second.empty() ? std::string() : at->second.front();
}

LdapConnection::LdapConnection(std::unique_ptr<Handle> handle, LdapAddress address)
    : handle_(std::move(handle)), address_(std::move(address)) {}
LdapConnection::LdapConnection(LdapConnection&&) noexcept = default;
LdapConnection& LdapConnection::operator=(LdapConnection&&) noexcept = default;
LdapConnection::~LdapConnection() = default;

Result<LdapConnection> LdapConnection::open(const LdapAddress& address) {
  if (!address.caFile.empty() && ::access(address.caFile.c_str(), R_OK) != 0) {
    return fail(ErrorCode::invalidInput, "cannot be read: name the file of the directory's CA certificate (PEM)",
                address.caFile);
  }
  auto handle = std::make_unique<Handle>(address.timeout);
  {
    // The first call reads the library's global settings, which is not safe in two threads at once.
    static std::mutex starting;
    const std::lock_guard lock(starting);
    if (ldap_initialize(&handle->ldap, address.url.c_str()) != LDAP_SUCCESS) {
      return fail(ErrorCode::invalidInput, "is not an address of a directory: use ldap://HOST or ldaps://HOST",
                  address.url);
    }
  }
  LdapConnection connection(std::move(handle), address);
  LDAP* const ldap = connection.handle_->ldap;
  if (!setOptions(ldap, address)) {
    return fail(ErrorCode::invalidInput,
                "TLS cannot be set up: " + (address.caFile.empty() ? std::string(systemCaFile) : address.caFile) +
                    " must be a readable PEM file of CA certificates",
                address.url);
  }
  ldap_set_option(ldap, LDAP_OPT_CONNECT_CB, &connection.handle_->callback);
  const int code = address.startTls ? ldap_start_tls_s(ldap, nullptr, nullptr) : ldap_connect(ldap);
  if (code != LDAP_SUCCESS) return connection.failed(code, address.startTls ? "StartTLS" : "connecting");
  connection.handle_->deadline.reset();
  return connection;
}

tl::unexpected<Error> LdapConnection::failed(int code, const std::string& doing) const {
  const std::string diagnostic = diagnosticOf(handle_->ldap);
  std::string what = doing + " failed: " + ldap_err2string(code);
  if (!diagnostic.empty() && diagnostic.find("unknown error") == std::string::npos) {
    what += " (" + printable(diagnostic) + ")";
  }
  if (!isConnectionFailure(code)) return fail(ErrorCode::invalidInput, what, address_.url);
  const bool lost = code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR;
  if (code == LDAP_TIMEOUT || handle_->late()) {
    what += "; it did not answer in time: is the address right, and TLS as the server expects it?";
  } else if (lost && !handle_->reached) {
    what += "; is the server running, and host and port right?";
  } else if (lost && usesTls(address_)) {
    // The library does not say which it was.
    what += "; the server is there, but TLS with it is not: is " +
            (address_.caFile.empty() ? std::string("the system's CA file") : address_.caFile) +
            " that of the CA which signed its certificate, is the host's name in it, and is it valid today?";
  } else if (lost) {
    what += "; the server has closed the connection";
  }
  return fail(ErrorCode::unavailable, what, address_.url);
}

Result<void> LdapConnection::bind(const std::string& dn, const std::string& password) {
  if (password.empty()) return fail(ErrorCode::invalidInput, "an empty password is not taken", "password");
  const Handle::Call call(*handle_);
  berval secret{password.size(), const_cast<char*>(password.data())};
  LDAPMessage* message = nullptr;
  int id = 0;
  int code = ldap_sasl_bind(handle_->ldap, dn.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, &id);
  if (code != LDAP_SUCCESS) return failed(code, "log-in");
  timeval time = timevalOf(address_.timeout);
  const int kind = ldap_result(handle_->ldap, id, LDAP_MSG_ALL, &time, &message);
  const std::unique_ptr<LDAPMessage, int (*)(LDAPMessage*)> freed(message, ldap_msgfree);
  if (kind == 0) return failed(LDAP_TIMEOUT, "log-in");
  if (kind < 0) {
    ldap_get_option(handle_->ldap, LDAP_OPT_RESULT_CODE, &code);
    return failed(code == LDAP_SUCCESS ? LDAP_SERVER_DOWN : code, "log-in");
  }
  int parsed = LDAP_OTHER;
  const int parsing = ldap_parse_result(handle_->ldap, message, &parsed, nullptr, nullptr, nullptr, nullptr, 0);
  if (parsing != LDAP_SUCCESS) return failed(parsing, "log-in");
  switch (parsed) {
    case LDAP_SUCCESS: return {};
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_INVALID_DN_SYNTAX:
    case LDAP_INAPPROPRIATE_AUTH:
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_CONSTRAINT_VIOLATION: return fail(ErrorCode::forbidden, "wrong name or password");
    case LDAP_CONFIDENTIALITY_REQUIRED:
    case LDAP_STRONG_AUTH_REQUIRED:
      return fail(ErrorCode::invalidInput, "the directory takes passwords by TLS only: use ldaps:// or StartTLS",
                  address_.url);
    default: return failed(parsed, "log-in");
  }
}

Result<std::vector<LdapEntry>> LdapConnection::search(const std::string& base, bool below, const std::string& filter,
                                                      const std::vector<std::string>& attributes, int most) {
  const Handle::Call call(*handle_);
  std::vector<char*> names;
  for (const auto& name : attributes) names.push_back(const_cast<char*>(name.c_str()));
  names.push_back(nullptr);
  timeval time = timevalOf(address_.timeout);
  LDAPMessage* message = nullptr;
  const int code = ldap_search_ext_s(handle_->ldap, base.c_str(), below ? LDAP_SCOPE_SUBTREE : LDAP_SCOPE_BASE,
                                     filter.c_str(), names.data(), 0, nullptr, nullptr, &time, most, &message);
  const std::unique_ptr<LDAPMessage, int (*)(LDAPMessage*)> freed(message, ldap_msgfree);
  if (code == LDAP_NO_SUCH_OBJECT) return std::vector<LdapEntry>{};
  if (code == LDAP_SIZELIMIT_EXCEEDED) {
    return fail(ErrorCode::limitExceeded, "more than " + std::to_string(most) + " entries match " + printable(filter),
                address_.url);
  }
  if (code == LDAP_INSUFFICIENT_ACCESS) {
    return fail(ErrorCode::forbidden, "the directory does not let this account search " + printable(base),
                address_.url);
  }
  if (code != LDAP_SUCCESS) return failed(code, "searching " + printable(base) + " for " + printable(filter));
  std::vector<LdapEntry> found;
  for (LDAPMessage* entry = ldap_first_entry(handle_->ldap, message); entry != nullptr;
       entry = ldap_next_entry(handle_->ldap, entry)) {
    found.push_back(entryOf(handle_->ldap, entry));
  }
  return found;
}

std::string normalisedDn(const std::string& dn) {
  LDAPDN parsed = nullptr;
  if (ldap_str2dn(dn.c_str(), &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS) return {};
  char* text = nullptr;
  std::string out;
  if (parsed != nullptr && ldap_dn2str(parsed, &text, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && text != nullptr) {
    out = lowered(text);
  }
  ldap_memfree(text);
  ldap_dnfree(parsed);
  return out;
}

std::string firstValueOfDn(const std::string& dn) {
  LDAPDN parsed = nullptr;
  if (ldap_str2dn(dn.c_str(), &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || parsed == nullptr) return {};
  std::string out;
  if (parsed[0] != nullptr && parsed[0][0] != nullptr) {
    const berval& value = parsed[0][0]->la_value;
    out.assign(value.bv_val, value.bv_len);
  }
  ldap_dnfree(parsed);
  return out;
}

}  // namespace nora
