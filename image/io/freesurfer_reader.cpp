#include "image/io/freesurfer_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/freesurfer_format.hpp"
#include "image/io/gzip.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"

#include <algorithm>
#include <new>

namespace nora {
namespace {

constexpr std::size_t enoughToTell = 256;  // bytes

/// Of the content. A gzip file says it in its last four bytes, but for files of several members.
std::size_t contentSize(const InputFile& file) {
  if (!isGzip(file.bytes) || file.bytes.size() < sizeof(std::uint32_t)) return file.bytes.size();
  return ByteReader(file.bytes.last(sizeof(std::uint32_t))).number<std::uint32_t>();
}

FreeSurferFormat formatOf(const InputFile& file) {
  return freeSurferFormatOf(file.name, beginningOf(file, enoughToTell), contentSize(file));
}

Result<ReadSurface> readAs(FreeSurferFormat format, const FreeSurferInput& input, MemorySink& sink) {
  switch (format) {
    case FreeSurferFormat::triangles:
    case FreeSurferFormat::quads:
    case FreeSurferFormat::newQuads:
    case FreeSurferFormat::asciiSurface: return readFreeSurferMesh(format, input, sink);
    case FreeSurferFormat::annotation: return readFreeSurferAnnotation(input, sink);
    default: return readFreeSurferValues(format, input, sink);
  }
}

}  // namespace

bool FreeSurferReader::recognises(const InputFile& file) const {
  return formatOf(file) != FreeSurferFormat::none;
}

Result<FileSummary> FreeSurferReader::peek(const InputFile& file) const {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  const FreeSurferFormat format = formatOf(file);
  if (format != FreeSurferFormat::none) return FileSummary{"surface", freeSurferFormatName(format), nullptr};
  return fail(ErrorCode::invalidInput, "this is no surface file of FreeSurfer", file.name);
}

Result<ReadSurface> FreeSurferReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                           MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = MeshContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    const auto bytes = content->bytes();
    const auto format = freeSurferFormatOf(file.name, content->text().substr(0, enoughToTell), bytes.size());
    if (format == FreeSurferFormat::none) {
      return fail(ErrorCode::invalidInput, "this is no surface file of FreeSurfer, or it is cut short", file.name);
    }
    auto surface = readAs(format, {bytes, file.name, options}, sink);
    if (!surface) return surface;
    surface->info.format = freeSurferFormatName(format);
    if (surface->info.structure.empty()) surface->info.structure = structureOfName(file.name);
    return surface;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the surface", file.name);
  }
}

}  // namespace nora
