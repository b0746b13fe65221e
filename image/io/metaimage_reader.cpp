#include "image/io/metaimage_reader.hpp"

#include "image/io/metaimage_header.hpp"
#include "image/io/plain_text.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace nora {
namespace {

Result<VoxelPart> partIn(const InputFile& file, std::uint64_t start, std::uint64_t bytes,
                         const MetaImageLayout& layout) {
  VoxelPart part{&file, layout.coding, start, layout.codedBytes, 0, bytes};
  if (layout.headerSize > 0) part.offset = static_cast<std::uint64_t>(layout.headerSize);
  if (layout.headerSize == -1 && layout.coding == PartCoding::raw) {
    if (file.bytes.size() < start || file.bytes.size() - start < bytes) {
      return fail(ErrorCode::invalidInput,
                  "the header claims " + std::to_string(bytes) + " bytes of voxels, the file holds " +
                      std::to_string(file.bytes.size() - std::min<std::uint64_t>(start, file.bytes.size())),
                  file.name);
    }
    part.offset = file.bytes.size() - bytes;
  }
  return part;
}

struct Description {
  MetaImageHeader header;
  MetaImageLayout layout;
};

Result<Description> examine(const InputFile& file) {
  auto header = parseMetaImageHeader(file.bytes, file.name);
  if (!header) return tl::make_unexpected(header.error());
  auto layout = describeMetaImage(*header, file.name);
  if (!layout) return tl::make_unexpected(layout.error());
  return Description{std::move(*header), std::move(*layout)};
}

Result<std::vector<VoxelPart>> partsOf(const Description& about, const InputFile& header,
                                       std::span<const InputFile> files) {
  std::vector<VoxelPart> parts;
  const MetaImageLayout& layout = about.layout;
  if (layout.dataFiles.empty()) {
    const auto part = partIn(header, about.header.end, layout.bytes, layout);
    if (!part) return tl::make_unexpected(part.error());
    parts.push_back(*part);
    return parts;
  }
  const std::uint64_t each = layout.bytes / layout.dataFiles.size();
  for (const std::string& name : layout.dataFiles) {
    const auto file = findPart(files, header, name, layout.dataFiles.size() == 1);
    if (!file) return tl::make_unexpected(file.error());
    const auto part = partIn(**file, 0, each, layout);
    if (!part) return tl::make_unexpected(part.error());
    parts.push_back(*part);
  }
  return parts;
}

}  // namespace

bool MetaImageReader::recognises(const InputFile& file) const {
  return hasTextSuffix(file.name, ".mha") || hasTextSuffix(file.name, ".mhd") || looksLikeMetaImage(file.bytes);
}

Result<FileSummary> MetaImageReader::peek(const InputFile& file) const {
  const auto about = examine(file);
  if (!about) return tl::make_unexpected(about.error());
  if (about->layout.dataFiles.empty()) {
    const auto parts = partsOf(*about, file, {});
    if (!parts) return tl::make_unexpected(parts.error());
    const auto honest = checkParts(about->layout.image, *parts);
    if (!honest) return tl::make_unexpected(honest.error());
  }
  return FileSummary{"image", "MetaImage", toJson(about->layout.image.info), about->layout.dataFiles};
}

Result<ImageReader::Image> MetaImageReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                                 MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const auto found =
      std::find_if(files.begin(), files.end(), [](const InputFile& f) { return looksLikeMetaImage(f.bytes); });
  const InputFile& header = found == files.end() ? files.front() : *found;
  try {
    auto about = examine(header);
    if (!about) return tl::make_unexpected(about.error());
    const auto parts = partsOf(*about, header, files);
    if (!parts) return tl::make_unexpected(parts.error());
    return readParts(std::move(about->layout.image), *parts, options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the image", header.name);
  }
}

}  // namespace nora
