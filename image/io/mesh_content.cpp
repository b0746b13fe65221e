#include "image/io/mesh_content.hpp"

#include "image/io/gzip.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <zlib.h>

namespace nora {
namespace {

constexpr std::size_t freeBytes = std::size_t{64} << 20;  // a bomb may take so much
constexpr std::size_t mostRatio = 200;                    // of real text meshes: 3 to 20

/// zlib or gzip, told by the first bytes; the members of a gzip file one after the other.
class Inflater {
 public:
  explicit Inflater(std::span<const std::byte> compressed) : rest_(compressed) {
    constexpr int zlibOrGzip = 32;
    good_ = inflateInit2(&stream_, MAX_WBITS + zlibOrGzip) == Z_OK;
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (good_) inflateEnd(&stream_);
  }

  enum class State { more, full, complete, cut, damaged };

  /// Goes on until `out` is full or the content ends; adds to `made`.
  State fill(std::span<std::byte> out, std::size_t& made) {
    if (!good_) return State::damaged;
    while (made < out.size()) {
      const int status = step(out.subspan(made), made);
      if (status == Z_STREAM_END) {
        if (!isGzip(rest_)) return State::complete;
        if (inflateReset(&stream_) != Z_OK) return State::damaged;
      } else if (status == Z_BUF_ERROR || (status == Z_OK && rest_.empty() && made < out.size())) {
        return State::cut;
      } else if (status != Z_OK) {
        return State::damaged;
      }
    }
    return State::full;
  }

 private:
  int step(std::span<std::byte> out, std::size_t& made) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
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

}  // namespace

Result<MeshContent> MeshContent::of(const InputFile& file) {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  if (isGzip(file.bytes)) return inflated(file);
  MeshContent content;
  content.bytes_ = file.bytes;
  return content;
}

Result<MeshContent> MeshContent::inflated(const InputFile& file) {
  // realloc moves pages, not bytes, when it grows large memory.
  constexpr std::size_t firstGuess = 4;
  const std::size_t most = freeBytes + file.bytes.size() * mostRatio;
  MeshContent content;
  Inflater inflater(file.bytes);
  std::size_t made = 0;
  std::size_t room = file.bytes.size() * firstGuess + 4096;
  for (;;) {
    auto* grown = static_cast<std::byte*>(std::realloc(content.own_.get(), room));
    if (grown == nullptr) return fail(ErrorCode::limitExceeded, "out of memory while inflating", file.name);
    static_cast<void>(content.own_.release());
    content.own_.reset(grown);
    const auto state = inflater.fill({grown, room}, made);
    if (state == Inflater::State::complete) break;
    if (state == Inflater::State::cut) {
      return fail(ErrorCode::invalidInput, "the file is cut short: its compressed data have no end", file.name);
    }
    if (state != Inflater::State::full) {
      return fail(ErrorCode::invalidInput, "the compressed data of the file are damaged", file.name);
    }
    if (room >= most) {
      return fail(ErrorCode::limitExceeded,
                  "the file inflates to more than " + std::to_string(mostRatio) +
                      " times its size; if that is right, inflate it and open the plain file",
                  file.name);
    }
    room = std::min(room + room / 2, most);
  }
  content.bytes_ = {content.own_.get(), made};
  if (made == 0) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  return content;
}

std::string beginningOf(const InputFile& file, std::size_t size) {
  if (isGzip(file.bytes)) {
    const auto bytes = inflatePrefix(file.bytes, size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  const auto bytes = file.bytes.first(std::min(size, file.bytes.size()));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<void> inflateExactly(std::span<const std::byte> compressed, std::span<std::byte> out, const std::string& name) {
  Inflater inflater(compressed);
  std::size_t made = 0;
  auto state = inflater.fill(out, made);
  if (state == Inflater::State::full) {  // the checksum comes behind the last byte; so would bytes too many
    std::array<std::byte, 1> more{};
    std::size_t tooMany = 0;
    state = inflater.fill(more, tooMany);
    made += tooMany;
  }
  if (state == Inflater::State::complete && made == out.size()) return {};
  std::string what = "the compressed data of an array are damaged or cut short";
  if (state == Inflater::State::full || state == Inflater::State::complete) {
    what = "the compressed data of an array hold " + std::string(made > out.size() ? "more" : "less") + " than the " +
           std::to_string(out.size()) + " bytes they should";
  }
  return fail(ErrorCode::invalidInput, std::move(what), name);
}

}  // namespace nora
