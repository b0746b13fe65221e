#include "image/io/nifti_data.hpp"

#include "image/io/gzip.hpp"
#include "image/io/packed_bytes.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>

namespace nora {
namespace {

constexpr std::size_t alignment = 16;                      // of the first voxel, as Volume wants it
constexpr std::size_t pieceVoxels = std::size_t{1} << 17;  // a multiple of 8, so that single bits end with a byte

std::string describeShortage(std::uint64_t claimed, std::uint64_t held) {
  return "the header claims " + std::to_string(claimed) + " bytes of voxels, the file holds " + std::to_string(held);
}

/// The bytes of a data file from its beginning, plain or inflated.
class ForwardBytes {
 public:
  ForwardBytes(const InputFile& data, bool compressed) : plain_(data.bytes) {
    if (compressed) inflater_.emplace(data.bytes, data.name);
  }

  Result<void> read(std::span<std::byte> out) {
    if (inflater_) return inflater_->read(out);
    std::memcpy(out.data(), plain_.data() + at_, out.size());  // the claim was checked
    at_ += out.size();
    return {};
  }

  /// What lies next in a plain file; empty if it has to be read.
  std::span<const std::byte> view(std::size_t size) {
    if (inflater_) return {};
    at_ += size;
    return plain_.subspan(at_ - size, size);
  }

  Result<void> skip(std::size_t size) {
    if (inflater_) return inflater_->skip(size);
    at_ += size;
    return {};
  }

  /// All was read: holds it against the checksum, if there is one.
  Result<void> finish() { return inflater_ ? inflater_->finish() : Result<void>(); }

 private:
  std::span<const std::byte> plain_;
  std::size_t at_ = 0;
  std::optional<UnpackingReader> inflater_;
};

/// Moves voxels from the file to memory and tells how far it is.
class Mover {
 public:
  Mover(const NiftiLayout& layout, ForwardBytes& from, MemorySink& sink, const ReadOptions& options, std::size_t total)
      : layout_(layout), from_(from), sink_(sink), options_(options), total_(std::max<std::size_t>(total, 1)) {}

  /// The next `count` voxels of the file.
  Result<void> move(std::size_t count, std::span<std::byte> to) {
    const std::size_t size = bytesPerVoxel(layout_.info.type);
    for (std::size_t at = 0; at < count; at += pieceVoxels) {
      const std::size_t n = std::min(pieceVoxels, count - at);
      const auto moved = movePiece(n, to.subspan(at * size, n * size));
      if (!moved) return moved;
      done_ += n;
      options_.progress(static_cast<double>(done_) / static_cast<double>(total_));
    }
    return {};
  }

 private:
  Result<void> movePiece(std::size_t count, std::span<std::byte> to) {
    if (!layout_.coding.converted()) {
      if (!layout_.swapped) {
        const auto plain = from_.view(to.size());
        if (!plain.empty()) {
          sink_.copyIn(plain, to);
          return {};
        }
      }
      const auto read = from_.read(to);
      if (read && layout_.swapped) copySwapped(to, to, layout_.coding.unit);
      return read;
    }
    scratch_.resize((count * layout_.coding.bits + 7) / 8);
    const auto read = from_.read(scratch_);
    if (read) convertVoxels(layout_.coding, layout_.swapped, layout_.scale, count, scratch_, to);
    return read;
  }

  const NiftiLayout& layout_;
  ForwardBytes& from_;
  MemorySink& sink_;
  const ReadOptions& options_;
  std::size_t total_;
  std::size_t done_ = 0;
  std::vector<std::byte> scratch_;
};

/// One time point where that saves work: single bits have no time points that begin with a byte; inflating by pieces
/// is a third as fast as at once.
TimeRange rangeToRead(const NiftiLayout& layout, bool compressed, const ReadOptions& options) {
  const ImageInfo& info = layout.info;
  const TimeRange all{0, info.timePoints};
  const auto& wanted = options.timePoint;
  if (!wanted || info.timePoints < 2 || *wanted < 0 || *wanted >= info.timePoints || layout.coding.bits == 1)
    return all;
  if (compressed && (info.components > 1 || (*wanted + 1) * 3 > info.timePoints)) return all;
  return {*wanted, 1};
}

/// The voxels of a plain file that are in memory what they are there and lie as one run; else empty.
std::span<const std::byte> sameVoxels(const NiftiLayout& layout, const InputFile& data, bool compressed,
                                      const TimeRange& range) {
  const auto& info = layout.info;
  if (compressed || layout.rearranged || layout.coding.converted() || (layout.swapped && layout.coding.unit > 1))
    return {};
  if (info.components > 1 && range.count != info.timePoints) return {};
  const std::size_t frame = layout.voxels / static_cast<std::size_t>(info.timePoints) * bytesPerVoxel(info.type);
  const std::size_t first = layout.offset + static_cast<std::size_t>(range.first) * frame;
  if (first % alignment != 0) return {};
  return data.bytes.subspan(first, static_cast<std::size_t>(range.count) * frame);
}

std::vector<std::byte> frontOf(const NiftiLayout& layout, const InputFile& data) {
  const auto front = data.bytes.first(std::min<std::size_t>(layout.offset, maxFrontBytes));
  return {front.begin(), front.end()};
}

Result<VoxelsInMemory> readForward(const NiftiLayout& layout, const InputFile& data, bool compressed,
                                   const TimeRange& range, const ReadOptions& options, MemorySink& sink) {
  const auto nt = static_cast<std::size_t>(layout.info.timePoints);
  const auto components = static_cast<std::size_t>(layout.info.components);
  const std::size_t frame = layout.voxels / nt / components;
  const auto first = static_cast<std::size_t>(range.first) * frame;
  const auto count = static_cast<std::size_t>(range.count) * frame;
  const std::size_t size = bytesPerVoxel(layout.info.type);
  auto memory = sink.allocate(components * count * size + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());

  VoxelsInMemory out{0,
                     memory->first(components * count * size),
                     range,
                     {},
                     std::vector<std::byte>(std::min<std::size_t>(layout.offset, maxFrontBytes))};
  ForwardBytes from(data, compressed);
  auto done = from.read(out.front);
  if (done) done = from.skip(layout.offset - out.front.size());
  Mover mover(layout, from, sink, options, components * count);
  if (done && range.count == layout.info.timePoints) {
    done = mover.move(components * count, *memory);  // time points and components lie side by side
    if (done) done = from.finish();
  } else {
    for (std::size_t c = 0; c < components && done; ++c) {
      const std::size_t between = c == 0 ? first : nt * frame - count;
      done = from.skip(between * layout.coding.bits / 8);
      if (done) done = mover.move(count, memory->subspan(c * count * size, count * size));
    }
  }
  if (!done) return tl::make_unexpected(done.error());
  out.sameVoxels = sameVoxels(layout, data, compressed, range);
  return out;
}

/// Inflated straight into the sink, what lies before the voxels and all, shifted so that the first voxel is aligned.
Result<VoxelsInMemory> inflateWhole(const NiftiLayout& layout, const InputFile& data, MemorySink& sink) {
  const std::size_t start = (alignment - layout.offset % alignment) % alignment;
  const std::size_t expected = layout.offset + layout.diskBytes;
  auto memory = sink.allocate(start + expected + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto content = memory->subspan(start);
  const auto made = inflateGzip(data.bytes, content, expected, data.name);
  if (!made) return tl::make_unexpected(made.error());
  const auto voxels = content.subspan(layout.offset, layout.diskBytes);
  if (layout.swapped) copySwapped(voxels, voxels, layout.coding.unit);
  const auto front = content.first(std::min<std::size_t>(layout.offset, maxFrontBytes));
  return VoxelsInMemory{start + layout.offset, voxels, {0, layout.info.timePoints}, {}, {front.begin(), front.end()}};
}

}  // namespace

bool hasSuffix(std::string_view name, std::string_view suffix) {
  if (name.size() < suffix.size()) return false;
  return std::equal(suffix.begin(), suffix.end(), name.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

bool isCompressed(const InputFile& data, bool pair) {
  const FilePacking packing = packingOf(data.bytes);
  if (packing == FilePacking::none) return false;
  if (pair) return packing == FilePacking::gzip && hasSuffix(data.name, ".gz");
  return true;
}

Result<void> checkClaim(const NiftiLayout& layout, const InputFile& data, bool compressed) {
  if (!compressed) {
    const std::uint64_t size = data.bytes.size();
    const std::uint64_t held = size > layout.offset ? size - layout.offset : 0;
    if (held >= layout.diskBytes) return {};
    return fail(ErrorCode::invalidInput, describeShortage(layout.diskBytes, held), data.name);
  }
  // bzip2 and xz pack zeros without end: there only reading tells, into memory that costs nothing until it is filled.
  if (!isGzip(data.bytes)) return {};
  const std::uint64_t most = data.bytes.size() * std::uint64_t{maxDeflateRatio};
  if (layout.diskBytes + layout.offset <= most) return {};
  return fail(ErrorCode::invalidInput, describeShortage(layout.diskBytes, most) + " at most, once inflated", data.name);
}

Result<VoxelsInMemory> readVoxels(const NiftiLayout& layout, const InputFile& data, bool compressed,
                                  const ReadOptions& options, MemorySink& sink) {
  const TimeRange range = rangeToRead(layout, compressed, options);
  const bool all = range.count == layout.info.timePoints;
  if (compressed && all && !layout.coding.converted() && isGzip(data.bytes)) return inflateWhole(layout, data, sink);
  const auto same = sameVoxels(layout, data, compressed, range);
  if (sink.canStayInFile(same)) return VoxelsInMemory{0, {}, range, same, frontOf(layout, data)};
  return readForward(layout, data, compressed, range, options, sink);
}

}  // namespace nora
