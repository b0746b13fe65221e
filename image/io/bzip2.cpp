#include "image/io/bzip2.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <limits>

#include <bzlib.h>

namespace nora {

/// One stream after the other.
class Bzip2Stream::Unpacker {
 public:
  explicit Unpacker(std::span<const std::byte> packed) : rest_(packed) {}
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker() { end(); }

  std::optional<std::size_t> fill(std::span<std::byte> out) {
    constexpr std::size_t mostAtOnce = std::numeric_limits<unsigned>::max() / 2;
    std::size_t made = 0;
    while (made < out.size()) {
      if (!open_ && !isBzip2(rest_)) return begun_ ? std::optional(made) : std::nullopt;
      if (!open_ && BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) return std::nullopt;
      open_ = begun_ = true;
      const auto in = static_cast<unsigned>(std::min(rest_.size(), mostAtOnce));
      const auto room = static_cast<unsigned>(std::min(out.size() - made, mostAtOnce));
      stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(rest_.data()));  // bzlib only reads it
      stream_.avail_in = in;
      stream_.next_out = reinterpret_cast<char*>(out.data() + made);
      stream_.avail_out = room;
      const int status = BZ2_bzDecompress(&stream_);
      rest_ = rest_.subspan(in - stream_.avail_in);
      made += room - stream_.avail_out;
      if (status == BZ_STREAM_END) {
        end();
      } else if (status != BZ_OK || (rest_.empty() && stream_.avail_out == room)) {
        return std::nullopt;
      }
    }
    return made;
  }

 private:
  void end() {
    if (open_) BZ2_bzDecompressEnd(&stream_);
    open_ = false;
    stream_ = {};
  }

  std::span<const std::byte> rest_;
  bz_stream stream_{};
  bool open_ = false, begun_ = false;
};

Bzip2Stream::Bzip2Stream(std::span<const std::byte> packed) : unpacker_(std::make_unique<Unpacker>(packed)) {}
Bzip2Stream::Bzip2Stream(Bzip2Stream&&) noexcept = default;
Bzip2Stream::~Bzip2Stream() = default;

std::optional<std::size_t> Bzip2Stream::fill(std::span<std::byte> out) {
  return unpacker_->fill(out);
}

bool isBzip2(std::span<const std::byte> bytes) {
  return asText(bytes.first(std::min<std::size_t>(bytes.size(), 3))) == "BZh";
}

Result<std::vector<std::byte>> unpackBzip2(std::span<const std::byte> packed, std::size_t most,
                                           const std::string& name) {
  constexpr std::size_t piece = std::size_t{16} << 20;
  std::vector<std::byte> out;
  Bzip2Stream unpacker(packed);
  while (out.size() < most) {
    const std::size_t before = out.size(), wanted = std::min(piece, most - before);
    out.resize(before + wanted);
    const auto made = unpacker.fill(std::span(out).subspan(before));
    if (!made) return fail(ErrorCode::invalidInput, "the bzip2 data are damaged or cut short", name);
    out.resize(before + *made);
    if (*made < wanted) break;
  }
  return out;
}

}  // namespace nora
