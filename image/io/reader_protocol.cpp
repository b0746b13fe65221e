#include "image/io/reader_protocol.hpp"

#include "image/image_info.hpp"
#include "image/io/dicom_header.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace nora::reader {
namespace {

constexpr std::size_t maxDatagramBytes = std::size_t{32} << 10;  // well below the default socket buffer of 208 KiB
constexpr std::size_t maxTextBytes = 4096;                       // of one string that a reader sends
constexpr char moreFollows = 'M';
constexpr char theEnd = 'E';

using ControlBuffer = std::array<char, CMSG_SPACE(maxDescriptors * sizeof(int))>;

void attach(msghdr& header, ControlBuffer& buffer, std::span<const int> descriptors) {
  header.msg_control = buffer.data();
  header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(control), descriptors.data(), descriptors.size_bytes());
}

std::vector<UniqueFd> detach(msghdr& header) {
  std::vector<UniqueFd> out;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof fd);
      out.emplace_back(fd);
    }
  }
  return out;
}

Talk<void> sendPiece(int socket, char mark, std::string_view piece, std::span<const int> descriptors,
                     const Patience& patience) {
  std::array<iovec, 2> parts{{{&mark, 1}, {const_cast<char*>(piece.data()), piece.size()}}};
  alignas(cmsghdr) ControlBuffer buffer{};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  if (!descriptors.empty()) attach(header, buffer, descriptors);
  for (;;) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return tl::make_unexpected(Ending::closed);
    if (const auto waited = patience.wait(socket, POLLOUT); !waited) return waited;
  }
}

/// One datagram into `text`; true if more follow.
Talk<bool> receivePiece(int socket, std::string& text, std::vector<UniqueFd>* descriptors, const Patience& patience) {
  std::array<char, maxDatagramBytes + 1> data{};
  iovec part{data.data(), data.size()};
  alignas(cmsghdr) ControlBuffer buffer{};
  for (;;) {
    if (const auto waited = patience.wait(socket, POLLIN); !waited) return tl::make_unexpected(waited.error());
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (descriptors != nullptr) {
      header.msg_control = buffer.data();
      header.msg_controllen = buffer.size();
    }
    const ssize_t count = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) continue;
    if (count <= 0) return tl::make_unexpected(Ending::closed);
    if (descriptors != nullptr) {
      auto received = detach(header);
      std::move(received.begin(), received.end(), std::back_inserter(*descriptors));
      if ((header.msg_flags & MSG_CTRUNC) != 0) return tl::make_unexpected(Ending::malformed);
    }
    const bool known = data[0] == moreFollows || data[0] == theEnd;
    if (!known || (header.msg_flags & MSG_TRUNC) != 0) return tl::make_unexpected(Ending::malformed);
    text.append(data.data() + 1, static_cast<std::size_t>(count) - 1);
    return data[0] == moreFollows;
  }
}

/// A string member of at most maxTextBytes.
std::optional<std::string> stringIn(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  const auto& text = found->get_ref<const std::string&>();
  return text.size() <= maxTextBytes ? std::optional(text) : std::nullopt;
}

}  // namespace

struct Patience::Wake {
  explicit Wake(std::stop_token token)
      : stop(std::move(token)), event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback(stop, [this] { ring(); }) {}

  void ring() const {
    const std::uint64_t one = 1;
    // An eventfd of 0 takes a 1 always; nothing to do if it does not exist.
    if (::write(event.get(), &one, sizeof one) < 0) return;
  }

  std::stop_token stop;
  UniqueFd event;
  std::stop_callback<std::function<void()>> callback;
};

Patience::Patience() = default;

Patience::Patience(std::chrono::milliseconds limit, std::stop_token stop)
    : limit_(limit), wake_(std::make_unique<Wake>(std::move(stop))) {
  renew();
}

Patience::~Patience() = default;

void Patience::renew() {
  if (limit_) deadline_ = std::chrono::steady_clock::now() + *limit_;
}

Talk<void> Patience::wait(int socket, short events) const {
  constexpr std::chrono::milliseconds aWhile{1'000'000};
  for (;;) {
    const auto ready = waitFor(socket, events, aWhile);
    if (!ready) return tl::make_unexpected(ready.error());
    if (*ready) return {};
  }
}

Talk<bool> Patience::waitFor(int socket, short events, std::chrono::milliseconds atMost) const {
  const auto until = std::chrono::steady_clock::now() + atMost;
  for (;;) {
    if (wake_ && wake_->stop.stop_requested()) return tl::make_unexpected(Ending::cancelled);
    const auto now = std::chrono::steady_clock::now();
    if (limit_ && now >= deadline_) return tl::make_unexpected(Ending::tooLate);
    if (now >= until) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>((limit_ ? std::min(deadline_, until) : until) - now);
    std::array<pollfd, 2> set{{{socket, events, 0}, {wake_ ? wake_->event.get() : -1, POLLIN, 0}}};
    const int ready = ::poll(set.data(), set.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return tl::make_unexpected(Ending::closed);
    if (ready > 0 && set[0].revents != 0) return true;
  }
}

Talk<void> send(int socket, const nlohmann::json& json, std::span<const int> descriptors, const Patience& patience) {
  const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  constexpr std::size_t pieceBytes = maxDatagramBytes - 1;
  for (std::size_t at = 0;; at += pieceBytes) {
    const bool last = text.size() - at <= pieceBytes;
    const auto piece = std::string_view(text).substr(at, pieceBytes);
    const auto with = at == 0 ? descriptors : std::span<const int>{};
    const auto sent = sendPiece(socket, last ? theEnd : moreFollows, piece, with, patience);
    if (!sent || last) return sent;
  }
}

Talk<Message> receive(int socket, bool takeDescriptors, const Patience& patience) {
  Message message;
  std::string text;
  for (;;) {
    const auto more = receivePiece(socket, text, takeDescriptors ? &message.descriptors : nullptr, patience);
    if (!more) return tl::make_unexpected(more.error());
    if (text.size() > maxMessageBytes || message.descriptors.size() > maxDescriptors) {
      return tl::make_unexpected(Ending::malformed);
    }
    if (!*more) break;
  }
  message.json = nlohmann::json::parse(text, nullptr, false);
  if (!message.json.is_object()) return tl::make_unexpected(Ending::malformed);
  return message;
}

std::string utf8FromBytes(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

std::string bytesFromUtf8(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(utf8[i]);
    if (byte < 0x80) {
      out += utf8[i];
    } else if ((byte == 0xC2 || byte == 0xC3) && i + 1 < utf8.size()) {
      out += static_cast<char>(((byte & 3) << 6) | (static_cast<std::uint8_t>(utf8[++i]) & 0x3F));
    } else if ((byte & 0xC0) == 0xC0) {
      out += '?';
    }
  }
  return out;
}

Error senselessAnswer() {
  return {ErrorCode::unavailable, "the reader gave an answer that makes no sense", ""};
}

nlohmann::json toJson(const Error& error) {
  return {{"error",
           {{"code", toString(error.code)},
            {"what", utf8FromBytes(std::string_view(error.what).substr(0, maxTextBytes / 2))},
            {"where", utf8FromBytes(std::string_view(error.where).substr(0, maxTextBytes / 2))}}}};
}

std::optional<Error> errorIn(const nlohmann::json& answer) {
  const auto found = answer.find("error");
  if (found == answer.end()) return std::nullopt;
  if (!found->is_object()) return senselessAnswer();
  const auto code = stringIn(*found, "code");
  const auto what = stringIn(*found, "what");
  const auto where = stringIn(*found, "where");
  if (!code || !what || !where) return senselessAnswer();
  return Error{errorCodeFromString(*code), printable(bytesFromUtf8(*what)), bytesFromUtf8(*where)};
}

nlohmann::json toJson(const FileSummary& summary) {
  nlohmann::json json{{"kind", summary.kind}, {"format", summary.format}, {"header", summary.header}};
  for (const std::string& part : summary.parts) json["parts"].push_back(utf8FromBytes(part));
  if (summary.partsTell) json["partsTell"] = true;
  return json;
}

Result<FileSummary> fileSummaryFromJson(const nlohmann::json& json) {
  static constexpr std::array<std::string_view, 8> kinds{"image", "dicom",    "surface", "tracts",
                                                         "table", "document", "labels",  "other"};
  if (!json.is_object()) return tl::make_unexpected(senselessAnswer());
  const auto kind = stringIn(json, "kind");
  const auto format = stringIn(json, "format");
  const auto header = json.find("header");
  const bool known = kind && std::find(kinds.begin(), kinds.end(), *kind) != kinds.end();
  if (!known || !format || header == json.end()) return tl::make_unexpected(senselessAnswer());
  FileSummary summary{*kind, *format, nullptr};
  summary.partsTell = json.contains("partsTell");
  if (const auto parts = json.find("parts"); parts != json.end()) {
    if (!parts->is_array() || parts->size() > maxParts) return tl::make_unexpected(senselessAnswer());
    for (const auto& part : *parts) {
      if (!part.is_string()) return tl::make_unexpected(senselessAnswer());
      summary.parts.push_back(bytesFromUtf8(part.get<std::string>()));
    }
  }
  if (*kind == "image") {
    const auto info = imageInfoFromJson(*header);
    if (!info) return tl::make_unexpected(info.error());
    summary.header = toJson(*info);
  } else if (*kind == "dicom") {
    const auto dicom = dicomHeaderFromJson(*header);
    if (!dicom) return tl::make_unexpected(dicom.error());
    summary.header = toJson(*dicom);
  } else if (!header->is_null()) {
    return tl::make_unexpected(senselessAnswer());
  }
  return summary;
}

}  // namespace nora::reader
