#include "image/io/packed_bytes.hpp"

#include "image/io/bzip2.hpp"
#include "image/io/gzip.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include <lzma.h>

namespace nora {

class UnpackingReader::Stream {
 public:
  virtual ~Stream() = default;
  virtual Result<void> read(std::span<std::byte> out) = 0;
  virtual Result<void> finish() = 0;
};

namespace {

constexpr std::size_t pieceBytes = std::size_t{1} << 16;
constexpr std::size_t drainBytes = std::size_t{64} << 20;  // read on behind what is wanted, to check it

class GzipPacking : public UnpackingReader::Stream {
 public:
  GzipPacking(std::span<const std::byte> packed, const std::string& name) : reader_(packed, name) {}
  Result<void> read(std::span<std::byte> out) override { return reader_.read(out); }
  Result<void> finish() override { return reader_.finish(); }

 private:
  GzipReader reader_;
};

/// A stream that can only be filled. `Source::fill` gives the bytes made, fewer only at the end; empty if damaged.
template <class Source>
class FilledPacking : public UnpackingReader::Stream {
 public:
  FilledPacking(std::span<const std::byte> packed, std::string name) : source_(packed), name_(std::move(name)) {}

  Result<void> read(std::span<std::byte> out) override {
    const auto made = source_.fill(out);
    if (!made) return wrong("the packed data are damaged or cut short");
    if (*made < out.size()) return wrong("the file is cut short: it holds less than its header claims");
    return {};
  }

  Result<void> finish() override {
    std::vector<std::byte> scratch(pieceBytes);
    for (std::size_t done = 0; done < drainBytes; done += scratch.size()) {
      const auto made = source_.fill(scratch);
      if (!made) return wrong("the file is damaged: its end is missing or its checksum is wrong");
      if (*made < scratch.size()) break;
    }
    return {};
  }

 private:
  tl::unexpected<Error> wrong(const char* what) const { return fail(ErrorCode::invalidInput, what, name_); }

  Source source_;
  std::string name_;
};

/// liblzma's .xz files, one behind the other as `xz` has them.
class XzStream {
 public:
  explicit XzStream(std::span<const std::byte> packed) : rest_(packed) {
    constexpr std::uint64_t mostMemory = std::uint64_t{80} << 20;  // xz -9 needs 65 MiB
    good_ = lzma_stream_decoder(&stream_, mostMemory, LZMA_CONCATENATED) == LZMA_OK;
  }
  XzStream(const XzStream&) = delete;
  XzStream& operator=(const XzStream&) = delete;
  ~XzStream() { lzma_end(&stream_); }

  std::optional<std::size_t> fill(std::span<std::byte> out) {
    if (!good_) return std::nullopt;
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    while (stream_.avail_out > 0 && !ended_) {
      stream_.next_in = reinterpret_cast<const std::uint8_t*>(rest_.data());
      stream_.avail_in = rest_.size();
      const auto status = lzma_code(&stream_, LZMA_FINISH);
      rest_ = rest_.last(stream_.avail_in);
      ended_ = status == LZMA_STREAM_END;
      if (status != LZMA_OK && !ended_) return std::nullopt;
    }
    return out.size() - stream_.avail_out;
  }

 private:
  std::span<const std::byte> rest_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool good_ = false, ended_ = false;
};

std::unique_ptr<UnpackingReader::Stream> streamOf(std::span<const std::byte> packed, const std::string& name) {
  switch (packingOf(packed)) {
    case FilePacking::bzip2: return std::make_unique<FilledPacking<Bzip2Stream>>(packed, name);
    case FilePacking::xz: return std::make_unique<FilledPacking<XzStream>>(packed, name);
    default: return std::make_unique<GzipPacking>(packed, name);
  }
}

}  // namespace

FilePacking packingOf(std::span<const std::byte> bytes) {
  constexpr std::array<unsigned char, 6> xzMagic{0xFD, '7', 'z', 'X', 'Z', 0};
  if (isGzip(bytes)) return FilePacking::gzip;
  if (isBzip2(bytes)) return FilePacking::bzip2;
  const bool xz = bytes.size() >= xzMagic.size() && std::memcmp(bytes.data(), xzMagic.data(), xzMagic.size()) == 0;
  return xz ? FilePacking::xz : FilePacking::none;
}

std::vector<std::byte> unpackPrefix(std::span<const std::byte> bytes, std::size_t size) {
  const FilePacking packing = packingOf(bytes);
  if (packing == FilePacking::gzip) return inflatePrefix(bytes, size);
  if (packing == FilePacking::none) {
    const auto first = bytes.first(std::min(bytes.size(), size));
    return {first.begin(), first.end()};
  }
  std::vector<std::byte> out(size);
  const auto made = packing == FilePacking::bzip2 ? Bzip2Stream(bytes).fill(out) : XzStream(bytes).fill(out);
  out.resize(made.value_or(0));
  return out;
}

UnpackingReader::UnpackingReader(std::span<const std::byte> packed, std::string name)
    : stream_(streamOf(packed, name)) {}
UnpackingReader::UnpackingReader(UnpackingReader&&) noexcept = default;
UnpackingReader::~UnpackingReader() = default;

Result<void> UnpackingReader::read(std::span<std::byte> out) {
  return stream_->read(out);
}

Result<void> UnpackingReader::finish() {
  return stream_->finish();
}

Result<void> UnpackingReader::skip(std::size_t size) {
  std::vector<std::byte> scratch(std::min(size, pieceBytes));
  while (size > 0) {
    const std::size_t piece = std::min(size, scratch.size());
    if (const auto done = read(std::span(scratch).first(piece)); !done) return done;
    size -= piece;
  }
  return {};
}

}  // namespace nora
