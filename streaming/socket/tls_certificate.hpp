// TlsCertificate: the server's certificate and key, from PEM files that are looked at again while it runs. The only
// place that knows OpenSSL.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace nora {

/// Thread: any. A thread of its own looks at the files, so that no connection waits for a disk.
class TlsCertificate {
 public:
  struct Options {
    std::string certificateFile;  // PEM: the server's own first, then those that lead to a known authority
    std::string keyFile;          // PEM, without a pass phrase
    std::chrono::milliseconds lookEvery{2000};
  };

  /// Errors: notFound, forbidden, invalidInput (names the file and what is wrong with it: no PEM, a pass phrase, a key
  /// of another certificate, too weak).
  [[nodiscard]] static Result<std::unique_ptr<TlsCertificate>> open(Options options);
  ~TlsCertificate();
  TlsCertificate(const TlsCertificate&) = delete;
  TlsCertificate& operator=(const TlsCertificate&) = delete;

  /// Has every handshake of the context use the newest pair, TLS 1.2 at least. This must outlive the context.
  [[nodiscard]] bool serve(ssl_ctx_st* context);
  /// Reads the files again soon, changed or not. What cannot be used is a warning, and the old pair stays in force.
  void reload();
  /// When the pair in force stops being valid.
  [[nodiscard]] std::chrono::system_clock::time_point validUntil() const;

 private:
  struct State;
  explicit TlsCertificate(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// How many bytes a connection of TLS has taken from its socket so far.
[[nodiscard]] std::uint64_t takenBytes(const ssl_st* connection);

}  // namespace nora
