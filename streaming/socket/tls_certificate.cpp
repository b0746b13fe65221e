#include "streaming/socket/tls_certificate.hpp"

#include "base/log.hpp"
#include "base/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr std::size_t largestFile = std::size_t{1} << 20;

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* p) const {
    release(p);
  }
};
void freeChain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, X509_free);
}
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Chain = std::unique_ptr<STACK_OF(X509), Release<freeChain>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;

struct Pair {
  Certificate certificate;
  Chain chain;
  Key key;
};

/// What tells that files were changed, also by a link that leads elsewhere now.
struct Look {
  std::array<struct timespec, 2> changed{};
  std::array<ino_t, 2> inodes{};
  std::array<off_t, 2> sizes{};

  bool operator==(const Look& other) const {
    for (std::size_t i = 0; i < 2; ++i) {
      if (changed[i].tv_sec != other.changed[i].tv_sec || changed[i].tv_nsec != other.changed[i].tv_nsec) return false;
    }
    return inodes == other.inodes && sizes == other.sizes;
  }
};

Look lookAt(const TlsCertificate::Options& options) {
  Look look;
  const std::array<const std::string*, 2> files{&options.certificateFile, &options.keyFile};
  for (std::size_t i = 0; i < files.size(); ++i) {
    struct stat status {};
    if (::stat(files[i]->c_str(), &status) != 0) continue;
    look.changed[i] = status.st_mtim;
    look.inodes[i] = status.st_ino;
    look.sizes[i] = status.st_size;
  }
  return look;
}

Result<std::string> contentOf(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const auto code = errno == ENOENT ? ErrorCode::notFound : ErrorCode::forbidden;
    return fail(code, std::string("cannot be read: ") + std::strerror(errno), path);
  }
  std::string out(largestFile + 1, '\0');
  std::size_t length = 0;
  while (length < out.size()) {
    const auto got = ::read(fd.get(), out.data() + length, out.size() - length);
    if (got < 0) return fail(ErrorCode::forbidden, std::string("cannot be read: ") + std::strerror(errno), path);
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  if (length > largestFile) return fail(ErrorCode::invalidInput, "too large for a PEM file", path);
  out.resize(length);
  return out;
}

Bio memoryBio(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// The library would ask at the terminal.
int noPassPhrase(char*, int, int, void*) {
  return -1;
}

std::string opensslReason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "unknown reason" : reason;
}

Result<void> readCertificates(Pair& pair, const std::string& path) {
  const auto text = contentOf(path);
  if (!text) return tl::make_unexpected(text.error());
  const Bio bio = memoryBio(*text);
  pair.certificate.reset(PEM_read_bio_X509_AUX(bio.get(), nullptr, noPassPhrase, nullptr));
  if (!pair.certificate) return fail(ErrorCode::invalidInput, "holds no certificate in PEM form", path);
  pair.chain.reset(sk_X509_new_null());
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, noPassPhrase, nullptr)) {
    sk_X509_push(pair.chain.get(), next);
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return fail(ErrorCode::invalidInput, "a certificate after the first one is damaged: " + opensslReason(), path);
  }
  return {};
}

Result<std::shared_ptr<const Pair>> readPair(const TlsCertificate::Options& options) {
  ERR_clear_error();
  auto pair = std::make_shared<Pair>();
  if (auto read = readCertificates(*pair, options.certificateFile); !read) return tl::make_unexpected(read.error());
  const auto text = contentOf(options.keyFile);
  if (!text) return tl::make_unexpected(text.error());
  pair->key.reset(PEM_read_bio_PrivateKey(memoryBio(*text).get(), nullptr, noPassPhrase, nullptr));
  if (!pair->key) {
    return fail(ErrorCode::invalidInput, "holds no private key in PEM form without a pass phrase", options.keyFile);
  }
  if (X509_check_private_key(pair->certificate.get(), pair->key.get()) != 1) {
    return fail(ErrorCode::invalidInput, "is not the key of the certificate in " + options.certificateFile,
                options.keyFile);
  }
  const Context trial(SSL_CTX_new(TLS_server_method()));  // says now what a handshake would say later
  if (!trial ||
      SSL_CTX_use_cert_and_key(trial.get(), pair->certificate.get(), pair->key.get(), pair->chain.get(), 1) != 1) {
    return fail(ErrorCode::invalidInput, "cannot be used: " + opensslReason(), options.certificateFile);
  }
  ERR_clear_error();
  return pair;
}

std::chrono::system_clock::time_point timeOf(const ASN1_TIME* time) {
  std::tm fields{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &fields) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&fields));
}

void warnOfDates(const Pair& pair, const std::string& path) {
  const auto now = std::chrono::system_clock::now();
  if (timeOf(X509_get0_notAfter(pair.certificate.get())) < now) log::warning(path + ": the certificate has expired");
  if (timeOf(X509_get0_notBefore(pair.certificate.get())) > now) {
    log::warning(path + ": the certificate is not valid yet");
  }
}

}  // namespace

struct TlsCertificate::State {
  Options options;
  mutable std::mutex mutex;
  std::condition_variable_any news;
  std::shared_ptr<const Pair> pair;
  bool asked = false;  // to read the files again
  std::jthread thread;

  std::shared_ptr<const Pair> current() const {
    const std::lock_guard lock(mutex);
    return pair;
  }

  void readAgain() {
    auto fresh = readPair(options);
    if (!fresh) {
      log::warning("TLS: the new certificate is not used, the old one stays in force: " + describe(fresh.error()));
      return;
    }
    warnOfDates(**fresh, options.certificateFile);
    log::info("TLS: certificate read again");
    const std::lock_guard lock(mutex);
    pair = *std::move(fresh);
  }

  /// Reads when files have changed and stayed so for one look: certificate and key are written one after the other.
  void watch(const std::stop_token& stop, Look known) {
    Look last = known;
    while (!stop.stop_requested()) {
      bool now = false;
      {
        std::unique_lock lock(mutex);
        news.wait_for(lock, stop, options.lookEvery, [this] { return asked; });
        now = std::exchange(asked, false);
      }
      if (stop.stop_requested()) return;
      const Look look = lookAt(options);
      if (now || (look == last && !(look == known))) {
        readAgain();
        known = look;
      }
      last = look;
    }
  }
};

TlsCertificate::TlsCertificate(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsCertificate::~TlsCertificate() = default;

Result<std::unique_ptr<TlsCertificate>> TlsCertificate::open(Options options) {
  const Look look = lookAt(options);
  auto pair = readPair(options);
  if (!pair) return tl::make_unexpected(pair.error());
  warnOfDates(**pair, options.certificateFile);
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  state->pair = *std::move(pair);
  state->thread = std::jthread([at = state.get(), look](const std::stop_token& stop) { at->watch(stop, look); });
  return std::unique_ptr<TlsCertificate>(new TlsCertificate(std::move(state)));
}

bool TlsCertificate::serve(ssl_ctx_st* context) {
  const auto choose = [](SSL* ssl, void* state) {
    const auto pair = static_cast<const State*>(state)->current();
    SSL_certs_clear(ssl);  // else one of another kind (RSA, EC) that was in force before is offered as well
    return SSL_use_cert_and_key(ssl, pair->certificate.get(), pair->key.get(), pair->chain.get(), 1);
  };
  SSL_CTX_set_cert_cb(context, choose, state_.get());
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  const auto pair = state_->current();  // libwebsockets looks into the context as well
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_use_cert_and_key(context, pair->certificate.get(), pair->key.get(), pair->chain.get(), 1) == 1;
}

void TlsCertificate::reload() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->asked = true;
  }
  state_->news.notify_all();
}

std::chrono::system_clock::time_point TlsCertificate::validUntil() const {
  return timeOf(X509_get0_notAfter(state_->current()->certificate.get()));
}

std::uint64_t takenBytes(const ssl_st* connection) {
  return BIO_number_read(SSL_get_rbio(connection));
}

}  // namespace nora
