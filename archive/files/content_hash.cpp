#include "archive/files/content_hash.hpp"

#include "archive/access/digest.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace nora {
namespace {

constexpr std::int64_t pieceBytes = 64 << 10;
constexpr std::int64_t pieces = 4;
constexpr std::string_view whole = "whole:", parts = "parts:";

Result<void> add(Sha256& sum, int fd, std::int64_t from, std::int64_t bytes, std::string& buffer) {
  for (std::int64_t at = 0; at < bytes;) {
    const auto got = ::pread(fd, buffer.data(), static_cast<std::size_t>(bytes - at), from + at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::unavailable, std::strerror(errno));
    if (got == 0) return fail(ErrorCode::unavailable, "it became shorter while it was read");
    sum.add({buffer.data(), static_cast<std::size_t>(got)});
    at += got;
  }
  return {};
}

}  // namespace

Result<std::string> contentHash(int fd, std::int64_t size, const std::stop_token& stop) {
  Sha256 sum;
  std::string buffer(static_cast<std::size_t>(pieceBytes), '\0');
  const bool isWhole = size <= pieces * pieceBytes;
  if (!isWhole) sum.add(std::to_string(size) + ":");
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
    const std::int64_t from = isWhole ? piece * pieceBytes : piece * (size - pieceBytes) / (pieces - 1);
    const std::int64_t bytes = std::clamp<std::int64_t>(size - from, 0, pieceBytes);
    if (auto done = add(sum, fd, from, bytes, buffer); !done) return tl::make_unexpected(done.error());
  }
  return std::string(isWhole ? whole : parts) + sum.finish();
}

bool isOfWholeContent(std::string_view hash) {
  return hash.starts_with(whole);
}

}  // namespace nora
