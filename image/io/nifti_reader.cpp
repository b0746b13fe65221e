#include "image/io/nifti_reader.hpp"

#include "image/io/gzip.hpp"
#include "image/io/nifti_layout.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <new>

namespace nora {
namespace {

constexpr std::size_t alignment = 16;  // of the first voxel, as Volume wants it

bool hasSuffix(const std::string& name, std::string_view suffix) {
  if (name.size() < suffix.size()) return false;
  return std::equal(suffix.begin(), suffix.end(), name.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

bool isNiftiName(const std::string& name) {
  return hasSuffix(name, ".nii") || hasSuffix(name, ".nii.gz");
}
bool isHeaderName(const std::string& name) {
  return hasSuffix(name, ".hdr") || hasSuffix(name, ".hdr.gz");
}

std::vector<std::byte> beginning(const InputFile& file) {
  if (isGzip(file.bytes)) return inflatePrefix(file.bytes, niftiHeaderBytes);
  const auto first = file.bytes.first(std::min(file.bytes.size(), niftiHeaderBytes));
  return {first.begin(), first.end()};
}

Result<NiftiHeader> headerOf(const InputFile& file) {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  const std::vector<std::byte> bytes = beginning(file);
  if (looksLikeAnalyze(bytes) && isHeaderName(file.name)) {
    return fail(ErrorCode::unsupported, "this is an Analyze 7.5 header, not NIfTI; convert it to NIfTI", file.name);
  }
  if (bytes.size() < niftiHeaderBytes && isGzip(file.bytes) && !hasNiftiMagic(bytes)) {
    return fail(ErrorCode::invalidInput, "the file is damaged or cut short: no NIfTI header could be inflated",
                file.name);
  }
  return parseNiftiHeader(bytes, file.name);
}

std::string describeShortage(std::uint64_t claimed, std::uint64_t held) {
  return "the header claims " + std::to_string(claimed) + " bytes of voxels, the file holds " + std::to_string(held);
}

/// Voxels of a pair may begin with any bytes, those of gzip too: there the name has to agree.
bool isCompressed(const InputFile& data, bool pair) {
  return isGzip(data.bytes) && (!pair || hasSuffix(data.name, ".gz"));
}

/// Holds the claimed size against what the file can have, before anything is inflated or allocated.
Result<void> checkClaim(const NiftiLayout& layout, const InputFile& data, bool compressed) {
  if (!compressed) {
    const std::uint64_t size = data.bytes.size();
    const std::uint64_t held = size > layout.offset ? size - layout.offset : 0;
    if (held >= layout.diskBytes) return {};
    return fail(ErrorCode::invalidInput, describeShortage(layout.diskBytes, held), data.name);
  }
  const std::uint64_t most = data.bytes.size() * std::uint64_t{maxDeflateRatio};
  if (layout.diskBytes + layout.offset <= most) return {};
  return fail(ErrorCode::invalidInput, describeShortage(layout.diskBytes, most) + " at most, once inflated", data.name);
}

/// Header extensions sit between header and voxels, each with its length: a multiple of 16. nora skips them.
void checkExtensions(std::span<const std::byte> front, const NiftiHeader& header, ImageInfo& info) {
  constexpr std::size_t lengthBytes = 8;
  auto at = static_cast<std::size_t>(header.smallestOffset());
  if (header.pair || front.size() < at || front[at - 4] == std::byte{0}) return;
  while (front.size() >= at + lengthBytes) {
    std::uint32_t size = 0;
    std::memcpy(&size, front.data() + at, sizeof size);
    if (header.swapped) size = __builtin_bswap32(size);
    if (size == 0) return;  // zeros up to the voxels
    if (size < lengthBytes || size % 16 != 0 || size > front.size() - at) {
      info.warnings.emplace_back("a header extension has a wrong length; the extensions are skipped");
      return;
    }
    at += size;
  }
}

struct Pieces {
  NiftiHeader header;
  NiftiLayout layout;
  const InputFile* data = nullptr;  // the file with the voxels
  bool compressed = false;
};

Result<const InputFile*> dataFile(std::span<const InputFile> files, const InputFile& headerFile, bool pair) {
  if (!pair) return &headerFile;
  const auto other = std::find_if(files.begin(), files.end(), [&](const InputFile& f) { return &f != &headerFile; });
  if (other == files.end()) {
    return fail(ErrorCode::notFound, "the header belongs to a pair, but its data file (.img) is missing",
                headerFile.name);
  }
  return &*other;
}

Result<Pieces> examine(std::span<const InputFile> files) {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const auto magic = std::find_if(files.begin(), files.end(), [](const InputFile& f) {
    const auto bytes = beginning(f);
    return hasNiftiMagic(bytes) || (looksLikeAnalyze(bytes) && isHeaderName(f.name));
  });
  const InputFile& headerFile = magic == files.end() ? files.front() : *magic;
  auto header = headerOf(headerFile);
  if (!header) return tl::make_unexpected(header.error());
  auto layout = describeNifti(*header, headerFile.name);
  if (!layout) return tl::make_unexpected(layout.error());
  const auto data = dataFile(files, headerFile, header->pair);
  if (!data) return tl::make_unexpected(data.error());
  const bool compressed = isCompressed(**data, header->pair);
  const auto honest = checkClaim(*layout, **data, compressed);
  if (!honest) return tl::make_unexpected(honest.error());
  return Pieces{std::move(*header), std::move(*layout), *data, compressed};
}

/// A plain file: voxels go from the mapping to the sink in one pass.
Result<std::size_t> readPlain(Pieces& pieces, MemorySink& sink) {
  const NiftiLayout& layout = pieces.layout;
  const auto bytes = pieces.data->bytes;
  checkExtensions(bytes.first(layout.offset), pieces.header, pieces.layout.info);
  const auto voxels = bytes.subspan(layout.offset, layout.diskBytes);
  const std::size_t size = layout.voxels * bytesPerVoxel(layout.info.type);
  auto memory = sink.allocate(size + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  if (layout.coding.converted()) {
    convertVoxels(layout.coding, layout.swapped, layout.scale, layout.voxels, voxels, *memory);
  } else {
    copySwapped(voxels, memory->first(size), layout.swapped ? layout.coding.unit : 1);
  }
  return std::size_t{0};
}

/// A compressed file: inflated straight into the sink, header and all, shifted so that the first voxel is aligned.
Result<std::size_t> readCompressed(Pieces& pieces, MemorySink& sink) {
  const NiftiLayout& layout = pieces.layout;
  const std::size_t start = (alignment - layout.offset % alignment) % alignment;
  const std::size_t expected = layout.offset + layout.diskBytes;
  auto memory = sink.allocate(start + expected + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto content = memory->subspan(start);
  const auto made = inflateGzip(pieces.data->bytes, content, expected, pieces.data->name);
  if (!made) return tl::make_unexpected(made.error());
  checkExtensions(content.first(layout.offset), pieces.header, pieces.layout.info);
  const auto voxels = content.subspan(layout.offset, layout.diskBytes);
  if (layout.swapped) copySwapped(voxels, voxels, layout.coding.unit);
  return start + layout.offset;
}

/// Compressed, and the voxels in memory differ from those of the file: they pass through memory of their own.
Result<std::size_t> readCompressedConverted(Pieces& pieces, MemorySink& sink) {
  const NiftiLayout& layout = pieces.layout;
  auto memory = sink.allocate(layout.voxels * bytesPerVoxel(layout.info.type) + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  const std::size_t expected = layout.offset + layout.diskBytes;
  std::vector<std::byte> content(expected + Volume::paddingBytes);
  const auto made = inflateGzip(pieces.data->bytes, content, expected, pieces.data->name);
  if (!made) return tl::make_unexpected(made.error());
  checkExtensions(std::span(content).first(layout.offset), pieces.header, pieces.layout.info);
  const auto voxels = std::span(content).subspan(layout.offset, layout.diskBytes);
  convertVoxels(layout.coding, layout.swapped, layout.scale, layout.voxels, voxels, *memory);
  return std::size_t{0};
}

}  // namespace

bool NiftiReader::recognises(const InputFile& file) const {
  if (isNiftiName(file.name)) return true;  // so that an empty or damaged .nii is told so, not called unknown
  const std::vector<std::byte> bytes = beginning(file);
  return hasNiftiMagic(bytes) || (isHeaderName(file.name) && looksLikeAnalyze(bytes));
}

Result<FileSummary> NiftiReader::peek(const InputFile& file) const {
  const auto header = headerOf(file);
  if (!header) return tl::make_unexpected(header.error());
  const auto layout = describeNifti(*header, file.name);
  if (!layout) return tl::make_unexpected(layout.error());
  if (!header->pair) {
    const auto honest = checkClaim(*layout, file, isCompressed(file, false));
    if (!honest) return tl::make_unexpected(honest.error());
  }
  return FileSummary{"image", layout->info.format, toJson(layout->info)};
}

Result<ImageReader::Image> NiftiReader::read(std::span<const InputFile> files, const ReadOptions& /*options*/,
                                             MemorySink& sink) const {
  try {
    auto pieces = examine(files);
    if (!pieces) return tl::make_unexpected(pieces.error());
    const bool converted = pieces->layout.coding.converted();
    const auto offset = !pieces->compressed ? readPlain(*pieces, sink)
                        : converted         ? readCompressedConverted(*pieces, sink)
                                            : readCompressed(*pieces, sink);
    if (!offset) return tl::make_unexpected(offset.error());
    return Image{std::move(pieces->layout.info), *offset};
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the image", files.front().name);
  }
}

}  // namespace nora
