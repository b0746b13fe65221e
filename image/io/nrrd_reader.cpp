#include "image/io/nrrd_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/nrrd_axes.hpp"
#include "image/io/nrrd_header.hpp"
#include "image/io/nrrd_keys.hpp"
#include "image/io/nrrd_space.hpp"
#include "image/io/plain_text.hpp"
#include "image/io/voxel_parts.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace nora {
namespace {

constexpr std::size_t maxDataFiles = 65536;

struct Description {
  NrrdHeader header;
  NrrdLayout layout;
  PartCoding coding = PartCoding::raw;
  std::int64_t lineSkip = 0;
  std::int64_t byteSkip = 0;           // -1: the voxels are the last bytes of the file
  std::vector<std::string> dataFiles;  // none: attached
};

Result<PartCoding> codingOf(const NrrdHeader& header, const std::string& name) {
  const std::string* field = header.field("encoding");
  if (field == nullptr) return fail(ErrorCode::invalidInput, "the header has no \"encoding\"", name);
  std::string text = *field;
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (text == "raw") return PartCoding::raw;
  if (text == "gz" || text == "gzip") return PartCoding::gzip;
  if (text == "txt" || text == "text" || text == "ascii") return PartCoding::ascii;
  if (text == "hex") return PartCoding::hex;
  if (text == "bz2" || text == "bzip2") {
    return fail(ErrorCode::unsupported, "the voxels are compressed by bzip2; save the file with gzip", name);
  }
  return fail(ErrorCode::unsupported, "the encoding \"" + printable(*field) + "\" is not known", name);
}

Result<std::int64_t> skipOf(const NrrdHeader& header, const char* field, std::int64_t least, const std::string& name) {
  const std::string* text = header.field(field);
  if (text == nullptr) return 0;
  const auto skip = numberFrom<std::int64_t>(*text);
  constexpr std::int64_t most = std::int64_t{1} << 48;
  if (skip && *skip >= least && *skip <= most) return *skip;
  return fail(ErrorCode::invalidInput, "\"" + std::string(field) + "\" of the header is " + printable(*text), name);
}

/// "a.raw"; "LIST [n]" with the names behind it; "a%03d.raw 1 20 1 [n]". A name may hold blanks.
Result<std::vector<std::string>> dataFilesOf(const NrrdHeader& header, const std::string& name) {
  const std::string* field = header.field("datafile");
  if (field == nullptr) return std::vector<std::string>{};
  const auto pieces = words(*field);
  if (!pieces.empty() && pieces[0] == "LIST") {
    if (header.dataFiles.empty()) return fail(ErrorCode::invalidInput, "the list of data files is empty", name);
    if (header.dataFiles.size() <= maxDataFiles) return header.dataFiles;
    return fail(ErrorCode::limitExceeded, "the header names more than 65536 data files", name);
  }
  if (pieces.size() >= 4 && pieces[0].find('%') != std::string_view::npos) {
    const auto first = numberFrom<std::int64_t>(pieces[1]);
    const auto last = numberFrom<std::int64_t>(pieces[2]);
    const auto step = numberFrom<std::int64_t>(pieces[3]);
    if (!first || !last || !step) {
      return fail(ErrorCode::invalidInput, "\"data file\" is no pattern with first, last and step", name);
    }
    return numberedNames(pieces[0], *first, *last, *step, maxDataFiles, name);
  }
  if (pieces.empty()) return fail(ErrorCode::invalidInput, "\"data file\" is empty", name);
  return std::vector<std::string>{*field};
}

Result<Description> examine(const InputFile& file) {
  auto header = parseNrrdHeader(file.bytes, file.name);
  if (!header) return tl::make_unexpected(header.error());
  if (!header->hasEnd && header->field("datafile") == nullptr) {
    return fail(ErrorCode::invalidInput, "the file is cut short within its header", file.name);
  }
  auto layout = describeNrrd(*header, file.name);
  if (!layout) return tl::make_unexpected(layout.error());
  const auto placed = placeNrrd(*header, file.name, *layout);
  if (!placed) return tl::make_unexpected(placed.error());
  applyNrrdKeys(*header, *layout);
  const auto coding = codingOf(*header, file.name);
  if (!coding) return tl::make_unexpected(coding.error());
  const auto lines = skipOf(*header, "lineskip", 0, file.name);
  if (!lines) return tl::make_unexpected(lines.error());
  const auto bytes = skipOf(*header, "byteskip", -1, file.name);
  if (!bytes) return tl::make_unexpected(bytes.error());
  auto files = dataFilesOf(*header, file.name);
  if (!files) return tl::make_unexpected(files.error());
  for (std::string& data : *files) data = localName(data);
  const std::uint64_t voxelBytes = layout->image.stored.bits() / 8;
  if (!files->empty() && layout->bytes / voxelBytes % files->size() != 0) {
    return fail(ErrorCode::invalidInput,
                "the voxels cannot be shared evenly by the " + std::to_string(files->size()) + " data files",
                file.name);
  }
  if (*bytes == -1 && *coding != PartCoding::raw) {
    return fail(ErrorCode::invalidInput, "byte skip -1 makes sense for raw voxels only", file.name);
  }
  return Description{std::move(*header), std::move(*layout), *coding, *lines, *bytes, std::move(*files)};
}

/// Skips lines of the file, then bytes of its content.
Result<VoxelPart> partIn(const InputFile& file, std::uint64_t start, std::uint64_t bytes, const Description& about) {
  VoxelPart part{&file, about.coding, start, 0, 0, bytes};
  ByteReader in(file.bytes);
  in.seek(start);
  for (std::int64_t line = 0; line < about.lineSkip && in.left() > 0; ++line) static_cast<void>(in.line());
  part.offset = in.position();
  if (about.byteSkip == -1) {
    if (file.bytes.size() < bytes + part.offset) {
      return fail(ErrorCode::invalidInput,
                  "the header claims " + std::to_string(bytes) + " bytes of voxels, the file holds " +
                      std::to_string(file.bytes.size() - part.offset),
                  file.name);
    }
    part.offset = file.bytes.size() - bytes;
  } else if (about.coding == PartCoding::gzip) {
    part.decodedSkip = static_cast<std::uint64_t>(about.byteSkip);
  } else {
    part.offset += static_cast<std::uint64_t>(about.byteSkip);
  }
  return part;
}

Result<std::vector<VoxelPart>> partsOf(const Description& about, const InputFile& header,
                                       std::span<const InputFile> files) {
  std::vector<VoxelPart> parts;
  if (about.dataFiles.empty()) {
    auto part = partIn(header, about.header.end, about.layout.bytes, about);
    if (!part) return tl::make_unexpected(part.error());
    parts.push_back(*part);
    return parts;
  }
  const std::uint64_t each = about.layout.bytes / about.dataFiles.size();
  for (const std::string& name : about.dataFiles) {
    const auto file = findPart(files, header, name, about.dataFiles.size() == 1);
    if (!file) return tl::make_unexpected(file.error());
    auto part = partIn(**file, 0, each, about);
    if (!part) return tl::make_unexpected(part.error());
    parts.push_back(*part);
  }
  return parts;
}

}  // namespace

bool NrrdReader::recognises(const InputFile& file) const {
  return hasNrrdMagic(file.bytes) || hasTextSuffix(file.name, ".nrrd") || hasTextSuffix(file.name, ".nhdr");
}

Result<FileSummary> NrrdReader::peek(const InputFile& file) const {
  const auto about = examine(file);
  if (!about) return tl::make_unexpected(about.error());
  if (about->dataFiles.empty()) {
    const auto parts = partsOf(*about, file, {});
    if (!parts) return tl::make_unexpected(parts.error());
    const auto honest = checkParts(about->layout.image, *parts);
    if (!honest) return tl::make_unexpected(honest.error());
  }
  return FileSummary{"image", "NRRD", toJson(about->layout.image.info), about->dataFiles};
}

Result<ImageReader::Image> NrrdReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                            MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const auto found = std::find_if(files.begin(), files.end(), [](const InputFile& f) { return hasNrrdMagic(f.bytes); });
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
