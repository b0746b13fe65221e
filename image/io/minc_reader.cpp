#include "image/io/minc_reader.hpp"

#include "image/io/gzip.hpp"
#include "image/io/minc_hdf5.hpp"
#include "image/io/minc_layout.hpp"
#include "image/io/minc_netcdf.hpp"
#include "image/io/strided_voxels.hpp"
#include "image/volume.hpp"

#include <cstdlib>
#include <memory>

namespace nora {
namespace {

/// The header of a MINC 1 file, inflated as far as it goes where it is gzip.
Result<MincFile> parseMinc1(const InputFile& file) {
  const bool compressed = isGzip(file.bytes);
  std::uint64_t size = compressed ? std::uint64_t{1} << 16 : file.bytes.size();
  for (;;) {
    const auto inflated = compressed ? inflatePrefix(file.bytes, size) : std::vector<std::byte>();
    const std::span<const std::byte> bytes = compressed ? std::span<const std::byte>(inflated) : file.bytes;
    auto parsed = parseNetcdf(bytes, file.name);
    if (!parsed) return tl::make_unexpected(parsed.error());
    if (parsed->needed == 0) return std::move(parsed->file);
    const bool all = !compressed || bytes.size() < size;
    if (all || parsed->needed > file.bytes.size() * std::uint64_t{maxDeflateRatio}) {
      return fail(ErrorCode::invalidInput, "the MINC file is cut short", file.name);
    }
    size = parsed->needed;
  }
}

bool isHdf5InGzip(const InputFile& file) {
  return isGzip(file.bytes) && hasHdf5Magic(inflatePrefix(file.bytes, 8));
}

tl::unexpected<Error> noMinc(const InputFile& file) {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  if (isHdf5InGzip(file)) {
    return fail(ErrorCode::unsupported, "a MINC 2 file must not be compressed as a whole; expand it first: gunzip",
                file.name);
  }
  return fail(ErrorCode::invalidInput, "this is no MINC file: neither netCDF nor HDF5", file.name);
}

bool isMinc1(const InputFile& file) {
  return hasNetcdfMagic(file.bytes) || (isGzip(file.bytes) && hasNetcdfMagic(inflatePrefix(file.bytes, 4)));
}

/// Chunks go into the sink where the file's order is that of memory, else through memory of their own.
Result<ReadImage> readChunked(const Minc2File& file, StridedImage image, const InputFile& data,
                              const ReadOptions& options, MemorySink& sink) {
  const auto extent = extentOf(axesOf(image.info), image.order, image.stored, data.name);
  if (!extent) return tl::make_unexpected(extent.error());
  const std::size_t size = extent->second;
  if (isPacked(image)) {
    auto memory = sink.allocate(size + Volume::paddingBytes);
    if (!memory) return tl::make_unexpected(memory.error());
    const auto done = file.readVoxels(memory->first(size), options.progress);
    if (!done) return tl::make_unexpected(done.error());
    swapInPlace(image.stored, memory->first(size));
    return ReadImage{std::move(image.info)};
  }
  const std::unique_ptr<std::byte, decltype(&std::free)> content(static_cast<std::byte*>(std::calloc(size, 1)),
                                                                 &std::free);
  if (!content) return fail(ErrorCode::limitExceeded, "out of memory while reading the image", data.name);
  const auto done = file.readVoxels({content.get(), size}, options.progress);
  if (!done) return tl::make_unexpected(done.error());
  return readStrided(std::move(image), {data.name, {content.get(), size}}, Packing::plain, {}, sink);
}

Result<ReadImage> readMinc2(const InputFile& file, const ReadOptions& options, MemorySink& sink) {
  const auto opened = Minc2File::open(file.bytes, file.name);
  if (!opened) return tl::make_unexpected(opened.error());
  auto image = describeMinc(opened->file(), file.name);
  if (!image) return tl::make_unexpected(image.error());
  if (!opened->isContiguous()) return readChunked(*opened, std::move(*image), file, options, sink);
  return readStrided(std::move(*image), file, Packing::plain, options, sink);
}

}  // namespace

bool MincReader::recognises(const InputFile& file) const {
  return file.name.ends_with(".mnc") || file.name.ends_with(".mnc.gz") || hasNetcdfMagic(file.bytes);
}

Result<FileSummary> MincReader::peek(const InputFile& file) const {
  if (hasHdf5Magic(file.bytes)) {
    const auto opened = Minc2File::open(file.bytes, file.name);
    if (!opened) return tl::make_unexpected(opened.error());
    const auto image = describeMinc(opened->file(), file.name);
    if (!image) return tl::make_unexpected(image.error());
    return FileSummary{"image", image->info.format, toJson(image->info)};
  }
  if (!isMinc1(file)) return noMinc(file);
  const auto parsed = parseMinc1(file);
  if (!parsed) return tl::make_unexpected(parsed.error());
  const auto image = describeMinc(*parsed, file.name);
  if (!image) return tl::make_unexpected(image.error());
  const auto honest = checkClaim(*image, file);
  if (!honest) return tl::make_unexpected(honest.error());
  return FileSummary{"image", image->info.format, toJson(image->info)};
}

Result<ImageReader::Image> MincReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                            MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  if (hasHdf5Magic(file.bytes)) return readMinc2(file, options, sink);
  if (!isMinc1(file)) return noMinc(file);
  const auto parsed = parseMinc1(file);
  if (!parsed) return tl::make_unexpected(parsed.error());
  auto image = describeMinc(*parsed, file.name);
  if (!image) return tl::make_unexpected(image.error());
  return readStrided(std::move(*image), file, packingOf(file), options, sink);
}

}  // namespace nora
