#include "image/io/gzip.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include <libdeflate.h>
#include <zlib.h>

namespace nora {
namespace {

enum class StreamEnd {
  full,      // the memory is full
  complete,  // the last member ended, its checksum is right
  cut,
  damaged,
  outOfMemory,
};

/// zlib as a stream: for beginnings, for files that hold more than is wanted, and to tell cut files from damaged ones.
class GzipStream {
 public:
  explicit GzipStream(std::span<const std::byte> compressed) : rest_(compressed) {
    constexpr int gzipWrapper = 16;
    good_ = inflateInit2(&stream_, MAX_WBITS + gzipWrapper) == Z_OK;
  }
  ~GzipStream() {
    if (good_) inflateEnd(&stream_);
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  /// Fills `out`; `made` counts what was written.
  StreamEnd fill(std::span<std::byte> out, std::size_t& made) {
    made = 0;
    if (!good_) return StreamEnd::outOfMemory;
    while (made < out.size()) {
      const int status = step(out.subspan(made), made);
      if (status == Z_STREAM_END) {
        if (!isGzip(rest_)) return StreamEnd::complete;
        inflateReset(&stream_);
      } else if (status == Z_BUF_ERROR && rest_.empty()) {
        return StreamEnd::cut;
      } else if (status == Z_MEM_ERROR) {
        return StreamEnd::outOfMemory;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return StreamEnd::damaged;
      }
    }
    return StreamEnd::full;
  }

 private:
  int step(std::span<std::byte> out, std::size_t& made) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();  // zlib counts in 32 bits
    const auto in = static_cast<uInt>(std::min(rest_.size(), most));
    const auto room = static_cast<uInt>(std::min(out.size(), most));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest_.data()));
    stream_.avail_in = in;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = room;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    rest_ = rest_.subspan(in - stream_.avail_in);
    made += room - stream_.avail_out;
    return status;
  }

  z_stream stream_{};
  std::span<const std::byte> rest_;
  bool good_ = false;
};

tl::unexpected<Error> cutShort(std::size_t made, std::size_t expected, const std::string& name) {
  return fail(ErrorCode::invalidInput,
              "the file is cut short: its compressed data end after " + std::to_string(made) + " of " +
                  std::to_string(expected) + " bytes",
              name);
}

tl::unexpected<Error> damaged(std::size_t made, std::size_t expected, const std::string& name) {
  if (made >= expected) {
    return fail(ErrorCode::invalidInput, "the file is damaged: its checksum is wrong or missing", name);
  }
  return fail(
      ErrorCode::invalidInput,
      "the compressed data are damaged after " + std::to_string(made) + " of " + std::to_string(expected) + " bytes",
      name);
}

/// Inflates what lies behind the wanted bytes and forgets it: damaged data often look like more data, and only the
/// checksum at the end tells. Gives up, content, after `most` bytes.
StreamEnd drain(GzipStream& stream, std::size_t most) {
  std::vector<std::byte> scratch(std::size_t{1} << 16);
  StreamEnd end = StreamEnd::full;
  for (std::size_t done = 0; done < most && end == StreamEnd::full; done += scratch.size()) {
    std::size_t made = 0;
    end = stream.fill(scratch, made);
  }
  return end;
}

constexpr std::size_t drainBytes = std::size_t{64} << 20;

Result<std::size_t> streamInto(std::span<const std::byte> compressed, std::span<std::byte> out, std::size_t before,
                               std::size_t expected, const std::string& name) {
  std::size_t made = 0;
  GzipStream stream(compressed);
  StreamEnd end = stream.fill(out.subspan(before, expected - before), made);
  made += before;
  if (end == StreamEnd::full) end = drain(stream, expected + drainBytes);
  switch (end) {
    case StreamEnd::full:
    case StreamEnd::complete: break;
    case StreamEnd::cut: return made < expected ? cutShort(made, expected, name) : damaged(made, expected, name);
    case StreamEnd::outOfMemory: return fail(ErrorCode::limitExceeded, "out of memory while inflating", name);
    case StreamEnd::damaged: return damaged(made, expected, name);
  }
  if (made < expected) return cutShort(made, expected, name);
  return made;
}

/// libdeflate says only "bad data"; a second pass by zlib, on this rare path, finds out what is wrong.
tl::unexpected<Error> explainBadData(std::span<const std::byte> compressed, std::span<std::byte> out,
                                     std::size_t before, std::size_t expected, const std::string& name) {
  const auto again = streamInto(compressed, out, before, expected, name);
  if (!again) return tl::make_unexpected(again.error());
  return damaged(expected, expected, name);
}

}  // namespace

bool isGzip(std::span<const std::byte> bytes) {
  // RFC 1952: two magic bytes, then 8 for deflate.
  return bytes.size() >= 3 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b} && bytes[2] == std::byte{8};
}

std::vector<std::byte> inflatePrefix(std::span<const std::byte> compressed, std::size_t size) {
  std::vector<std::byte> out(size);
  std::size_t made = 0;
  if (isGzip(compressed)) static_cast<void>(GzipStream(compressed).fill(out, made));
  out.resize(made);
  return out;
}

Result<std::size_t> inflateGzip(std::span<const std::byte> compressed, std::span<std::byte> out, std::size_t expected,
                                const std::string& name) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  if (!inflater) return fail(ErrorCode::limitExceeded, "out of memory while inflating", name);
  std::span<const std::byte> rest = compressed;
  std::size_t made = 0;
  while (made < expected) {
    if (!isGzip(rest)) return cutShort(made, expected, name);
    std::size_t consumed = 0;
    std::size_t produced = 0;
    const auto status = libdeflate_gzip_decompress_ex(inflater.get(), rest.data(), rest.size(), out.data() + made,
                                                      out.size() - made, &consumed, &produced);
    if (status == LIBDEFLATE_INSUFFICIENT_SPACE) return streamInto(rest, out, made, expected, name);
    if (status != LIBDEFLATE_SUCCESS) return explainBadData(rest, out, made, expected, name);
    made += produced;
    rest = rest.subspan(consumed);
  }
  return made;
}

struct GzipReader::State {
  State(std::span<const std::byte> compressed, std::string fileName) : stream(compressed), name(std::move(fileName)) {}
  GzipStream stream;
  std::string name;
  std::size_t made = 0;
};

GzipReader::GzipReader(std::span<const std::byte> compressed, std::string name)
    : state_(std::make_unique<State>(compressed, std::move(name))) {}
GzipReader::GzipReader(GzipReader&&) noexcept = default;
GzipReader::~GzipReader() = default;

Result<void> GzipReader::read(std::span<std::byte> out) {
  std::size_t made = 0;
  const StreamEnd end = state_->stream.fill(out, made);
  const std::size_t expected = state_->made + out.size();
  state_->made += made;
  if (made == out.size()) return {};
  switch (end) {
    case StreamEnd::outOfMemory: return fail(ErrorCode::limitExceeded, "out of memory while inflating", state_->name);
    case StreamEnd::damaged: return damaged(state_->made, expected, state_->name);
    default: return cutShort(state_->made, expected, state_->name);
  }
}

Result<void> GzipReader::finish() {
  const StreamEnd end = drain(state_->stream, state_->made + drainBytes);
  if (end == StreamEnd::full || end == StreamEnd::complete) return {};
  if (end == StreamEnd::outOfMemory)
    return fail(ErrorCode::limitExceeded, "out of memory while inflating", state_->name);
  return damaged(state_->made, state_->made, state_->name);
}

}  // namespace nora
