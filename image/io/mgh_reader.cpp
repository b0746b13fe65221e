#include "image/io/mgh_reader.hpp"

#include "image/io/gzip.hpp"
#include "image/io/mgh_header.hpp"
#include "image/io/nifti_voxels.hpp"
#include "image/io/plain_text.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace nora {
namespace {

constexpr std::size_t alignment = 16;                         // of the first voxel, as Volume wants it
constexpr std::size_t maxFooterBytes = std::size_t{1} << 20;  // real colour tables have up to 100 kB

/// Names of FreeSurfer's segmentations. Others with whole numbers may be anything: orig.mgz is one.
bool isSegmentationName(const std::string& name) {
  const std::string file = lowerFileName(name);
  static constexpr std::string_view stems[] = {"aseg",  "aparc",        "wmparc",        "ribbon",
                                               "wmseg", "brainstemssl", "thalamicnuclei"};
  return std::any_of(std::begin(stems), std::end(stems),
                     [&](std::string_view stem) { return file.find(stem) != std::string::npos; });
}

Result<StridedImage> examine(const InputFile& file) {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  const bool compressed = isGzip(file.bytes);
  std::vector<std::byte> front;
  if (compressed) front = inflatePrefix(file.bytes, mghHeaderBytes);
  const auto header =
      compressed ? std::span<const std::byte>(front) : file.bytes.first(std::min(file.bytes.size(), mghHeaderBytes));
  auto image = describeMgh(header, file.name);
  if (!image) return image;
  if (compressed) image->info.format = "MGZ";
  if (!isFloat(image->info.type) && isSegmentationName(file.name)) image->info.intent = "label";
  const auto honest = checkClaim(*image, file);
  if (!honest) return tl::make_unexpected(honest.error());
  return image;
}

std::size_t voxelBytes(const StridedImage& image) {
  std::size_t size = bytesPerVoxel(image.info.type);
  for (const std::int64_t d : axesOf(image.info)) size *= static_cast<std::size_t>(d);
  return size;
}

/// Inflated straight into the sink, header and footer too, shifted so that the first voxel is aligned.
Result<ReadImage> readCompressed(StridedImage image, const InputFile& file, MemorySink& sink) {
  constexpr std::size_t start = (alignment - mghHeaderBytes % alignment) % alignment;
  const std::size_t size = voxelBytes(image);
  const std::size_t expected = mghHeaderBytes + size;
  auto memory = sink.allocate(start + expected + maxFooterBytes + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto content = memory->subspan(start, expected + maxFooterBytes);
  const auto made = inflateGzip(file.bytes, content, expected, file.name);
  if (!made) return tl::make_unexpected(made.error());
  applyMghFooter(content.subspan(expected, *made - expected), image.info);
  const auto voxels = content.subspan(mghHeaderBytes, size);
  if (image.stored.swapped) copySwapped(voxels, voxels, bytesPerVoxel(image.info.type));
  return ReadImage{std::move(image.info), start + mghHeaderBytes};
}

}  // namespace

bool MghReader::recognises(const InputFile& file) const {
  return hasTextSuffix(file.name, ".mgh") || hasTextSuffix(file.name, ".mgz");  // there is no magic
}

Result<FileSummary> MghReader::peek(const InputFile& file) const {
  const auto image = examine(file);
  if (!image) return tl::make_unexpected(image.error());
  return FileSummary{"image", image->info.format, toJson(image->info)};
}

Result<ImageReader::Image> MghReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                           MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    auto image = examine(file);
    if (!image) return tl::make_unexpected(image.error());
    if (isGzip(file.bytes)) return readCompressed(std::move(*image), file, sink);
    applyMghFooter(file.bytes.subspan(mghHeaderBytes + voxelBytes(*image)), image->info);
    return readStrided(std::move(*image), file, Packing::plain, options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the image", file.name);
  }
}

}  // namespace nora
