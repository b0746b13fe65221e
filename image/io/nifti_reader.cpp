#include "image/io/nifti_reader.hpp"

#include "image/io/nifti_data.hpp"
#include "image/io/nifti_extensions.hpp"
#include "image/io/nifti_layout.hpp"
#include "image/io/nifti_vectors.hpp"
#include "image/io/packed_bytes.hpp"

#include <algorithm>
#include <new>

namespace nora {
namespace {

bool isNiftiName(const std::string& name) {
  const auto ends = [&](std::string_view suffix) { return hasSuffix(name, suffix); };
  return ends(".nii") || ends(".nii.gz") || ends(".nii.bz2") || ends(".nii.xz");
}

std::vector<std::byte> beginning(const InputFile& file) {
  return unpackPrefix(file.bytes, niftiHeaderBytes);
}

Result<NiftiHeader> headerOf(const InputFile& file) {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  const std::vector<std::byte> bytes = beginning(file);
  if (bytes.size() < niftiHeaderBytes && packingOf(file.bytes) != FilePacking::none && !hasNiftiMagic(bytes)) {
    return fail(ErrorCode::invalidInput, "the file is damaged or cut short: no NIfTI header could be inflated",
                file.name);
  }
  return parseNiftiHeader(bytes, file.name);
}

struct Pieces {
  NiftiHeader header;
  NiftiLayout layout;
  const InputFile* headerFile = nullptr;
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

Result<Pieces> examine(std::span<const InputFile> files, bool preferQform) {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const auto magic =
      std::find_if(files.begin(), files.end(), [](const InputFile& f) { return hasNiftiMagic(beginning(f)); });
  const InputFile& headerFile = magic == files.end() ? files.front() : *magic;
  auto header = headerOf(headerFile);
  if (!header) return tl::make_unexpected(header.error());
  auto layout = describeNifti(*header, headerFile.name, preferQform);
  if (!layout) return tl::make_unexpected(layout.error());
  const auto data = dataFile(files, headerFile, header->pair);
  if (!data) return tl::make_unexpected(data.error());
  const bool compressed = isCompressed(**data, header->pair);
  const auto honest = checkClaim(*layout, **data, compressed);
  if (!honest) return tl::make_unexpected(honest.error());
  return Pieces{std::move(*header), std::move(*layout), &headerFile, *data, compressed};
}

/// Extensions of a pair lie behind its header; of a single file, before its voxels.
void addExtensions(Pieces& pieces, std::span<const std::byte> front) {
  if (!pieces.header.pair) return describeExtensions(front, pieces.header, pieces.layout.info);
  const auto header = unpackPrefix(pieces.headerFile->bytes, maxFrontBytes);
  describeExtensions(header, pieces.header, pieces.layout.info);
}

Result<ImageReader::Image> readPieces(Pieces& pieces, const ReadOptions& options, MemorySink& sink) {
  ReadOptions adapted = options;
  const bool maybeVectors = mayBeUnitVectors(pieces.layout.info, pieces.headerFile->name);
  if (maybeVectors) adapted.timePoint.reset();  // they may be no time points
  const auto read = readVoxels(pieces.layout, *pieces.data, pieces.compressed, adapted, sink);
  if (!read) return tl::make_unexpected(read.error());
  ImageInfo& info = pieces.layout.info;
  addExtensions(pieces, read->front);
  const bool vectors = maybeVectors && areUnitVectors(info, read->bytes());
  if (vectors) takeAsVectors(info);
  const TimeRange held = vectors ? TimeRange{0, 1} : read->held;
  return ImageReader::Image{std::move(info), read->offset,     held.first,
                            held.count,      read->sameVoxels, read->stayInFile()};
}

}  // namespace

bool NiftiReader::recognises(const InputFile& file) const {
  // By name too, so that an empty or damaged .nii is told so, not called unknown.
  return isNiftiName(file.name) || hasNiftiMagic(beginning(file));
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

Result<ImageReader::Image> NiftiReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                             MemorySink& sink) const {
  try {
    auto pieces = examine(files, options.preferQform);
    if (!pieces) return tl::make_unexpected(pieces.error());
    return readPieces(*pieces, options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the image", files.front().name);
  }
}

}  // namespace nora
