#include "image/io/strided_voxels.hpp"

#include "image/io/gzip.hpp"
#include "image/io/nifti_voxels.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace nora {
namespace {

constexpr std::size_t alignment = 16;
constexpr std::int64_t tile = 64;  // voxels: 64 x 64 of 8 bytes stay in the first-level cache

using Kind = StoredVoxel::Kind;

std::size_t partBytes(const StoredVoxel& stored) {
  switch (stored.kind) {
    case Kind::bit: return 1;
    case Kind::half:
    case Kind::complexHalf: return 2;
    case Kind::number: return isColour(stored.number) ? 1 : bytesPerVoxel(stored.number);
    case Kind::complex: break;
  }
  return bytesPerVoxel(stored.number);
}

double halfAt(std::uint16_t bits) {
  constexpr int mantissaBits = 10;
  const int exponent = bits >> mantissaBits & 0x1f;
  const int mantissa = bits & 0x3ff;
  double value = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
  if (exponent == 0x1f) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

template <class T>
T numberAt(const std::byte* at, bool swapped) {
  std::array<std::byte, sizeof(T)> raw;
  std::memcpy(raw.data(), at, sizeof(T));
  if (swapped) std::reverse(raw.begin(), raw.end());
  T value;
  std::memcpy(&value, raw.data(), sizeof(T));
  return value;
}

/// A scalar of the file as double: a number, half precision, or one part of a complex number.
double partAt(const StoredVoxel& stored, const std::byte* at) {
  if (stored.kind == Kind::half || stored.kind == Kind::complexHalf) {
    return halfAt(numberAt<std::uint16_t>(at, stored.swapped));
  }
  return visitScalar(stored.number,
                     [&](auto zero) { return static_cast<double>(numberAt<decltype(zero)>(at, stored.swapped)); });
}

float narrowed(double value) {
  constexpr double largest = std::numeric_limits<float>::max();
  if (std::abs(value) <= largest || std::isnan(value)) return static_cast<float>(value);
  return std::copysign(std::numeric_limits<float>::infinity(), value > 0 ? 1.0F : -1.0F);
}

void putNumber(VoxelType type, std::byte* to, double value) {
  visitScalar(type, [&](auto zero) {
    using T = decltype(zero);
    T out{};
    if constexpr (std::is_same_v<T, float>) {
      out = narrowed(value);
    } else {
      out = static_cast<T>(value);  // an integer here is clamped within its own range
    }
    std::memcpy(to, &out, sizeof out);
  });
}

/// A piece of a row: `count` voxels from `from`, `stride` bytes apart.
using RowCopy = void (*)(const std::byte* from, std::int64_t stride, std::int64_t count, std::byte* to);

template <std::size_t Size, std::size_t Unit>
void copyRow(const std::byte* from, std::int64_t stride, std::int64_t count, std::byte* to) {
  for (std::int64_t i = 0; i < count; ++i, from += stride, to += Size) {
    std::array<std::byte, Size> voxel;
    std::memcpy(voxel.data(), from, Size);
    if constexpr (Unit > 1) std::reverse(voxel.begin(), voxel.end());
    std::memcpy(to, voxel.data(), Size);
  }
}

RowCopy rowCopyFor(const StoredVoxel& stored) {
  const bool swapped = stored.swapped;
  switch (bytesPerVoxel(stored.number)) {
    case 2: return swapped ? copyRow<2, 2> : copyRow<2, 1>;
    case 3: return copyRow<3, 1>;
    case 4: return swapped && !isColour(stored.number) ? copyRow<4, 4> : copyRow<4, 1>;
    case 8: return swapped ? copyRow<8, 8> : copyRow<8, 1>;
    default: return copyRow<1, 1>;
  }
}

class Placer {
 public:
  Placer(const Axes& dims, const VoxelOrder& order, const StoredVoxel& stored, const VoxelScales& scales,
         std::span<const std::byte> from, std::span<std::byte> to)
      : dims_(dims),
        order_(order),
        stored_(stored),
        scales_(scales),
        from_(from.data()),
        to_(to.data()),
        type_(scales.inMemory(stored)),
        voxelBytes_(static_cast<std::int64_t>(bytesPerVoxel(type_))),
        plain_(stored.kind == Kind::number && scales.none() ? rowCopyFor(stored) : nullptr) {
    std::int64_t step = 1;
    for (std::size_t a = 0; a < dims.size(); ++a) {
      toStrides_[a] = step;
      step *= dims[a];
    }
    for (std::size_t a = 1; a < dims.size(); ++a) {
      const auto stride = [&](std::size_t b) { return std::abs(order_.strides[b]); };
      if (dims[a] > 1 && dims[fast_] > 1 ? stride(a) < stride(fast_) : dims[a] > 1) fast_ = a;
    }
  }

  void run(const std::function<void(double)>& progress) const {
    // Tiles of x and the axis that is fastest in the file: both are then walked within the cache.
    Axes steps{dims_[0], 1, 1, 1, 1};
    if (fast_ != 0) steps[0] = steps[fast_] = tile;
    Axes at{};
    const std::int64_t slowest = std::max<std::int64_t>(1, dims_[4] * dims_[3] * dims_[2]);
    std::int64_t told = -1;
    do {
      const std::int64_t done = (at[4] * dims_[3] + at[3]) * dims_[2] + at[2];
      if (done != told) progress(static_cast<double>(told = done) / static_cast<double>(slowest));
      placeTile(at, steps);
    } while (next(at, steps));
  }

 private:
  bool next(Axes& at, const Axes& steps) const {
    for (std::size_t a = 0; a < at.size(); ++a) {
      at[a] += steps[a];
      if (at[a] < dims_[a]) return true;
      at[a] = 0;
    }
    return false;
  }

  void placeTile(Axes at, const Axes& steps) const {
    const std::int64_t count = std::min(steps[0], dims_[0] - at[0]);
    const std::int64_t end = fast_ == 0 ? at[fast_] + 1 : std::min(at[fast_] + steps[fast_], dims_[fast_]);
    for (; at[fast_] < end; ++at[fast_]) {
      std::int64_t source = order_.first;
      std::int64_t target = 0;
      std::int64_t scale = 0;
      for (std::size_t a = 0; a < at.size(); ++a) {
        source += at[a] * order_.strides[a];
        target += at[a] * toStrides_[a];
        scale += at[a] * scales_.strides[a];
      }
      placeRow(source, count, to_ + target * voxelBytes_, static_cast<std::size_t>(scale));
      if (fast_ == 0) return;
    }
  }

  void placeRow(std::int64_t source, std::int64_t count, std::byte* to, std::size_t scale) const {
    const std::int64_t stride = order_.strides[0];
    if (plain_ != nullptr && stride == voxelBytes_ && partBytes(stored_) == static_cast<std::size_t>(voxelBytes_)) {
      const auto size = static_cast<std::size_t>(count * voxelBytes_);
      copySwapped({from_ + source, size}, {to, size}, stored_.swapped ? static_cast<std::size_t>(voxelBytes_) : 1);
    } else if (plain_ != nullptr) {
      plain_(from_ + source, stride, count, to);
    } else if (stored_.kind == Kind::bit) {
      placeBits(source, count, to, scale);
    } else {
      const VoxelScale by = scales_.table.empty() ? VoxelScale{} : scales_.table[scale];
      for (std::int64_t i = 0; i < count; ++i) {
        putNumber(type_, to + i * voxelBytes_, valueAt(from_ + source + i * stride, by));
      }
    }
  }

  /// The first voxel is the highest bit of its byte, as MRtrix has it.
  void placeBits(std::int64_t source, std::int64_t count, std::byte* to, std::size_t scale) const {
    const VoxelScale by = scales_.table.empty() ? VoxelScale{} : scales_.table[scale];
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t bit = source + i * order_.strides[0];
      const bool set = (from_[bit / 8] << (bit % 8) & std::byte{0x80}) != std::byte{0};
      putNumber(type_, to + i * voxelBytes_, by.slope * (set ? 1 : 0) + by.inter);
    }
  }

  [[nodiscard]] double valueAt(const std::byte* at, const VoxelScale& by) const {
    double value = partAt(stored_, at);
    if (stored_.kind == Kind::complex || stored_.kind == Kind::complexHalf) {
      return std::hypot(by.slope * value + by.inter, by.slope * partAt(stored_, at + partBytes(stored_)));
    }
    if (scales_.clamp) value = std::clamp(value, scales_.clamp->first, scales_.clamp->second);
    return by.slope * value + by.inter;
  }

  const Axes& dims_;
  const VoxelOrder& order_;
  const StoredVoxel& stored_;
  const VoxelScales& scales_;
  const std::byte* from_;
  std::byte* to_;
  VoxelType type_;
  std::int64_t voxelBytes_;
  RowCopy plain_;
  Axes toStrides_{};
  std::size_t fast_ = 0;
};

tl::unexpected<Error> tooShort(std::uint64_t needed, std::uint64_t most, bool compressed, const std::string& name) {
  return fail(ErrorCode::invalidInput,
              "the header claims voxels up to byte " + std::to_string(needed) + ", the file holds " +
                  std::to_string(most) + (compressed ? " bytes at most, once inflated" : " bytes; it is cut short"),
              name);
}

/// Gzip, and the voxels in memory are those of the file: inflated into the sink, header and all.
Result<ReadImage> inflatePacked(StridedImage image, std::uint64_t end, const InputFile& data, MemorySink& sink) {
  const auto first = static_cast<std::size_t>(image.order.first);
  const std::size_t start = (alignment - first % alignment) % alignment;
  auto memory = sink.allocate(start + end + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto content = memory->subspan(start);
  const auto made = inflateGzip(data.bytes, content, end, data.name);
  if (!made) return tl::make_unexpected(made.error());
  const auto voxels = content.subspan(first, end - first);
  swapInPlace(image.stored, voxels);
  return ReadImage{std::move(image.info), start + first};
}

}  // namespace

std::size_t StoredVoxel::bits() const {
  switch (kind) {
    case Kind::bit: return 1;
    case Kind::half: return 16;
    case Kind::complexHalf: return 32;
    case Kind::complex: return 16 * bytesPerVoxel(number);
    case Kind::number: break;
  }
  return 8 * bytesPerVoxel(number);
}

VoxelType StoredVoxel::inMemory() const {
  switch (kind) {
    case Kind::bit: return VoxelType::uint8;
    case Kind::half:
    case Kind::complexHalf: return VoxelType::float32;
    case Kind::complex:
    case Kind::number: break;
  }
  return number;
}

VoxelType VoxelScales::inMemory(const StoredVoxel& stored) const {
  const VoxelType type = stored.inMemory();
  return table.empty() || type == VoxelType::float64 ? type : VoxelType::float32;
}

Axes axesOf(const ImageInfo& info) {
  return {info.dims[0], info.dims[1], info.dims[2], info.timePoints, info.components};
}

Result<VoxelOrder> packedOrder(const Axes& dims, const StoredVoxel& stored, std::int64_t first,
                               const std::string& name) {
  VoxelOrder order{first, {}};
  std::int64_t step = stored.kind == Kind::bit ? 1 : static_cast<std::int64_t>(stored.bits() / 8);
  for (std::size_t a = 0; a < dims.size(); ++a) {
    order.strides[a] = step;
    if (__builtin_mul_overflow(step, dims[a], &step)) {
      return fail(ErrorCode::invalidInput, "the dimensions overflow", name);
    }
  }
  return order;
}

Result<std::pair<std::uint64_t, std::uint64_t>> extentOf(const Axes& dims, const VoxelOrder& order,
                                                         const StoredVoxel& stored, const std::string& name) {
  std::int64_t low = order.first;
  std::int64_t high = order.first;
  bool overflow = false;
  for (std::size_t a = 0; a < dims.size(); ++a) {
    std::int64_t reach = 0;
    overflow |= __builtin_mul_overflow(dims[a] - 1, order.strides[a], &reach);
    std::int64_t& side = reach < 0 ? low : high;
    overflow |= __builtin_add_overflow(side, reach, &side);
  }
  const bool bitwise = stored.kind == Kind::bit;
  overflow |= __builtin_add_overflow(high, bitwise ? 8 : static_cast<std::int64_t>(stored.bits() / 8), &high);
  if (overflow || low < 0) return fail(ErrorCode::invalidInput, "the place of the voxels makes no sense", name);
  const std::int64_t unit = bitwise ? 8 : 1;
  return std::pair{static_cast<std::uint64_t>(low / unit), static_cast<std::uint64_t>(high / unit)};
}

void placeVoxels(const Axes& dims, const VoxelOrder& order, const StoredVoxel& stored, const VoxelScales& scales,
                 std::span<const std::byte> from, std::span<std::byte> to,
                 const std::function<void(double)>& progress) {
  const auto extent = extentOf(dims, order, stored, {});
  std::uint64_t size = bytesPerVoxel(scales.inMemory(stored));
  for (const std::int64_t d : dims) size *= static_cast<std::uint64_t>(d);
  if (!extent || extent->second > from.size() || size > to.size()) std::abort();
  // Slices that lie as one run are copied as one row.
  Axes folded = dims;
  VoxelOrder foldedOrder = order;
  if (order.strides[1] == order.strides[0] * dims[0] && scales.strides[1] == 0) {
    folded[0] *= folded[1];
    folded[1] = 1;
    foldedOrder.strides[1] = 0;
  }
  Placer(folded, foldedOrder, stored, scales, from, to).run(progress);
}

bool isPacked(const StridedImage& image) {
  if (image.stored.kind != Kind::number || !image.scales.none()) return false;
  const auto dims = axesOf(image.info);
  auto step = static_cast<std::int64_t>(bytesPerVoxel(image.stored.number));
  for (std::size_t a = 0; a < dims.size(); ++a) {
    if (dims[a] > 1 && image.order.strides[a] != step) return false;
    step *= dims[a];
  }
  return true;
}

void swapInPlace(const StoredVoxel& stored, std::span<std::byte> voxels) {
  if (stored.swapped) copySwapped(voxels, voxels, partBytes(stored));
}

Packing packingOf(const InputFile& file) {
  return isGzip(file.bytes) ? Packing::gzip : Packing::plain;
}

Result<void> StridedImage::finish(const std::string& name) {
  info.type = scales.inMemory(stored);
  const auto count = voxelCount(info, name);
  if (!count) return tl::make_unexpected(count.error());
  const auto extent = extentOf(axesOf(info), order, stored, name);
  if (!extent) return tl::make_unexpected(extent.error());
  return {};
}

Result<void> checkHolds(const InputFile& file, Packing packing, std::uint64_t size) {
  const bool compressed = packing == Packing::gzip;
  const std::uint64_t most = file.bytes.size() * std::uint64_t{compressed ? maxDeflateRatio : 1};
  if (size > most) return tooShort(size, most, compressed, file.name);
  return {};
}

Result<void> checkClaim(const StridedImage& image, const InputFile& data) {
  const auto extent = extentOf(axesOf(image.info), image.order, image.stored, data.name);
  if (!extent) return tl::make_unexpected(extent.error());
  return checkHolds(data, packingOf(data), extent->second);
}

Result<FileContent> FileContent::open(const InputFile& file, Packing packing, std::uint64_t size) {
  const auto holds = checkHolds(file, packing, size);
  if (!holds) return tl::make_unexpected(holds.error());
  FileContent out;
  if (packing == Packing::plain) {
    out.bytes_ = file.bytes.first(size);
    return out;
  }
  out.inflated_ = std::make_unique_for_overwrite<std::byte[]>(size);
  const auto made = inflateGzip(file.bytes, {out.inflated_.get(), size}, size, file.name);
  if (!made) return tl::make_unexpected(made.error());
  out.bytes_ = {out.inflated_.get(), size};
  return out;
}

/// The voxels of a plain file that are in memory what they are there, aligned and as one run; else empty.
std::span<const std::byte> sameVoxels(const StridedImage& image, const Axes& dims, const VoxelOrder& order,
                                      std::span<const std::byte> file) {
  const bool oneRun = isPacked(image) && (dims == axesOf(image.info) || dims[4] == 1);
  const bool sameOrder = !image.stored.swapped || partBytes(image.stored) == 1;
  const auto first = static_cast<std::size_t>(order.first);
  if (!oneRun || !sameOrder || first % alignment != 0) return {};
  std::size_t size = bytesPerVoxel(image.info.type);
  for (const std::int64_t d : dims) size *= static_cast<std::size_t>(d);
  return file.subspan(first, size);
}

Result<ReadImage> readStrided(StridedImage image, const InputFile& data, Packing packing, const ReadOptions& options,
                              MemorySink& sink) {
  Axes dims = axesOf(image.info);
  const auto extent = extentOf(dims, image.order, image.stored, data.name);
  if (!extent) return tl::make_unexpected(extent.error());
  const std::uint64_t end = extent->second;
  const auto honest = checkHolds(data, packing, end);
  if (!honest) return tl::make_unexpected(honest.error());
  const bool compressed = packing == Packing::gzip;
  if (compressed && isPacked(image)) return inflatePacked(std::move(image), end, data, sink);

  ReadImage out;
  VoxelOrder order = image.order;
  VoxelScales scales = image.scales;
  const auto t = options.timePoint.value_or(-1);
  if (!compressed && t >= 0 && t < dims[3] && dims[3] > 1) {
    order.first += t * order.strides[3];
    if (!scales.table.empty()) {
      scales.table.erase(scales.table.begin(), scales.table.begin() + t * scales.strides[3]);
    }
    dims[3] = 1;
    out.firstTimePoint = t;
    out.timePointsRead = 1;
  }
  const auto same = compressed ? std::span<const std::byte>{} : sameVoxels(image, dims, order, data.bytes);
  if (sink.canStayInFile(same)) {  // `data` may be memory of the caller's, which ends with him
    out.sameVoxels = same;
    out.stayInFile = true;
    out.info = std::move(image.info);
    return out;
  }
  std::size_t size = bytesPerVoxel(image.info.type);
  for (const std::int64_t d : dims) size *= static_cast<std::size_t>(d);
  auto memory = sink.allocate(size + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto content = FileContent::open(data, packing, end);
  if (!content) return tl::make_unexpected(content.error());
  placeVoxels(dims, order, image.stored, scales, content->bytes(), *memory, options.progress);
  out.info = std::move(image.info);
  return out;
}

}  // namespace nora
