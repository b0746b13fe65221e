// What server and reader process say to each other: JSON messages over a SOCK_SEQPACKET pair, file descriptors beside.
//
// A message longer than a datagram goes in pieces: each starts with 'M' (more follows) or 'E' (the end). Descriptors
// travel with the first piece, and only from the server to the reader.
// Server: hello, then peek or read. Reader: ready; one answer a file for peek; for read any number of messages of
// progress and one answer.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "image/io/file_reader.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora::reader {

constexpr std::size_t maxDescriptors = 128;                     // a message; the kernel allows 253
constexpr std::size_t maxMessageBytes = std::size_t{16} << 20;  // longer answers are a lie
constexpr std::size_t voxelFileSlack = std::size_t{1} << 20;    // alignment and padding beside the voxels
constexpr std::size_t maxParts = 65536;                         // files that one header may name
constexpr int socketInReader = 3;

/// Why a conversation broke off.
enum class Ending { closed, tooLate, cancelled, malformed };

template <class T>
using Talk = tl::expected<T, Ending>;

/// How long a side is ready to wait: until a time, and until a stop is requested.
class Patience {
 public:
  /// For ever: the reader's side.
  Patience();
  Patience(std::chrono::milliseconds limit, std::stop_token stop);
  ~Patience();
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  /// Starts the time again.
  void renew();

  /// Waits until poll(2) reports `events` on `socket`. Never sleeps and looks: `stop` wakes it.
  [[nodiscard]] Talk<void> wait(int socket, short events) const;
  /// The same for a while: false if nothing happened until then.
  [[nodiscard]] Talk<bool> waitFor(int socket, short events, std::chrono::milliseconds atMost) const;

  [[nodiscard]] std::optional<std::chrono::milliseconds> limit() const { return limit_; }

 private:
  struct Wake;
  std::optional<std::chrono::milliseconds> limit_;
  std::chrono::steady_clock::time_point deadline_{};
  std::unique_ptr<Wake> wake_;
};

struct Message {
  nlohmann::json json;
  std::vector<UniqueFd> descriptors;
};

[[nodiscard]] Talk<void> send(int socket, const nlohmann::json& json, std::span<const int> descriptors,
                              const Patience& patience);

/// Descriptors that come unasked are dropped by the kernel.
[[nodiscard]] Talk<Message> receive(int socket, bool takeDescriptors, const Patience& patience);

/// File names may be any bytes, JSON strings are UTF-8: one code point (U+0000 to U+00FF) a byte.
[[nodiscard]] std::string utf8FromBytes(std::string_view bytes);
/// The reverse; other code points become '?'.
[[nodiscard]] std::string bytesFromUtf8(std::string_view utf8);

/// Unavailable: "the reader gave an answer that makes no sense".
[[nodiscard]] Error senselessAnswer();

/// {"error": {code, what, where}}
[[nodiscard]] nlohmann::json toJson(const Error& error);

/// The Error that an answer carries, if it carries one; invalid ones become an Error as well.
[[nodiscard]] std::optional<Error> errorIn(const nlohmann::json& answer);

[[nodiscard]] nlohmann::json toJson(const FileSummary& summary);
/// Checks the kind, the sizes and the header by its kind.
[[nodiscard]] Result<FileSummary> fileSummaryFromJson(const nlohmann::json& json);

}  // namespace nora::reader
