#include "app/api/leaving_stream.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

#include <unistd.h>
#include <zlib.h>

namespace nora {
namespace {

constexpr std::size_t pieceBytes = 64 << 10;
constexpr int gzipWindow = MAX_WBITS + 16;  // zlib: with gzip's frame
constexpr int memoryLevel = 8;              // zlib's default

Result<std::size_t> readAt(int fd, std::span<std::byte> into, std::int64_t at) {
  for (;;) {
    const auto count = ::pread(fd, into.data(), into.size(), at);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return fail(ErrorCode::internal, std::string("reading failed: ") + std::strerror(errno));
  }
}

Bytef* zlibBytes(std::byte* bytes) {
  return reinterpret_cast<Bytef*>(bytes);
}

class FileStream final : public HttpStream {
 public:
  FileStream(UniqueFd fd, std::int64_t from, std::int64_t count, std::optional<NiftiTexts> without)
      : fd_(std::move(fd)), without_(std::move(without)), at_(from), left_(count), size_(count) {}
  std::optional<std::uint64_t> size() const override { return static_cast<std::uint64_t>(size_); }
  Result<std::size_t> read(std::span<std::byte> into, std::stop_token) override {
    const auto most = std::min<std::size_t>(into.size(), static_cast<std::size_t>(left_));
    if (most == 0) return 0;
    const auto count = readAt(fd_.get(), into.first(most), at_);
    if (!count) return count;
    if (*count == 0) return fail(ErrorCode::unavailable, "the file got shorter while it was sent");
    if (without_) without_->blank(into.first(*count), at_);
    at_ += static_cast<std::int64_t>(*count);
    left_ -= static_cast<std::int64_t>(*count);
    return count;
  }

 private:
  const UniqueFd fd_;
  const std::optional<NiftiTexts> without_;
  std::int64_t at_, left_;
  const std::int64_t size_;
};

class PackedStream final : public HttpStream {
 public:
  PackedStream(UniqueFd fd, const NiftiTexts& without) : fd_(std::move(fd)), without_(without) {
    isGood_ = ::inflateInit2(&unpack_, gzipWindow) == Z_OK &&
              ::deflateInit2(&pack_, Z_BEST_SPEED, Z_DEFLATED, gzipWindow, memoryLevel, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~PackedStream() override {
    ::inflateEnd(&unpack_);
    ::deflateEnd(&pack_);
  }
  PackedStream(const PackedStream&) = delete;
  PackedStream& operator=(const PackedStream&) = delete;

  std::optional<std::uint64_t> size() const override { return std::nullopt; }
  Result<std::size_t> read(std::span<std::byte> into, std::stop_token stop) override {
    if (!isGood_) return fail(ErrorCode::limitExceeded, "there is no memory left for packing");
    pack_.next_out = zlibBytes(into.data());
    pack_.avail_out = static_cast<uInt>(into.size());
    while (pack_.avail_out == into.size() && !isEnd_) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the client has gone");
      if (pack_.avail_in == 0 && !isWhole_) {
        if (auto done = unpack(); !done) return tl::make_unexpected(done.error());
      }
      isEnd_ = ::deflate(&pack_, isWhole_ ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
    }
    return into.size() - pack_.avail_out;
  }

 private:
  /// The next piece of the plain file, for packing.
  Result<void> unpack() {
    unpack_.next_out = zlibBytes(plain_.data());
    unpack_.avail_out = static_cast<uInt>(plain_.size());
    while (unpack_.avail_out == plain_.size() && !isWhole_) {
      if (unpack_.avail_in == 0) {
        const auto count = readAt(fd_.get(), packed_, from_);
        if (!count) return tl::make_unexpected(count.error());
        from_ += static_cast<std::int64_t>(*count);
        unpack_.next_in = zlibBytes(packed_.data());
        unpack_.avail_in = static_cast<uInt>(*count);
        if (*count == 0 && !isBetween_) return fail(ErrorCode::invalidInput, "the packed file ends too early");
        if (*count == 0) {
          isWhole_ = true;
          break;
        }
      }
      if (auto done = inflateSome(); !done) return done;
    }
    const std::size_t count = plain_.size() - unpack_.avail_out;
    without_.blank(std::span(plain_).first(count), at_);
    at_ += static_cast<std::int64_t>(count);
    pack_.next_in = zlibBytes(plain_.data());
    pack_.avail_in = static_cast<uInt>(count);
    return {};
  }

  /// Packed files may be several in a row, with zeros behind the last.
  Result<void> inflateSome() {
    if (isBetween_ && *unpack_.next_in == 0) {
      ++unpack_.next_in;
      --unpack_.avail_in;
      return {};
    }
    if (isBetween_ && ::inflateReset(&unpack_) != Z_OK) return fail(ErrorCode::internal, "unpacking failed");
    const int state = ::inflate(&unpack_, Z_NO_FLUSH);
    isBetween_ = state == Z_STREAM_END;
    if (state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR) return {};
    return fail(ErrorCode::invalidInput, "the packed file is damaged");
  }

  const UniqueFd fd_;
  const NiftiTexts without_;
  z_stream unpack_{}, pack_{};
  bool isGood_ = false, isWhole_ = false, isEnd_ = false;
  bool isBetween_ = false;  // the last packed file has ended
  std::int64_t from_ = 0;   // in the packed file
  std::int64_t at_ = 0;     // in the plain one
  std::vector<std::byte> packed_ = std::vector<std::byte>(pieceBytes);
  std::vector<std::byte> plain_ = std::vector<std::byte>(pieceBytes);
};

}  // namespace

std::shared_ptr<HttpStream> fileStream(UniqueFd fd, std::int64_t from, std::int64_t count,
                                       std::optional<NiftiTexts> without) {
  return std::make_shared<FileStream>(std::move(fd), from, count, std::move(without));
}

std::shared_ptr<HttpStream> packedStream(UniqueFd fd, const NiftiTexts& without) {
  return std::make_shared<PackedStream>(std::move(fd), without);
}

}  // namespace nora
