#include "image/io/analyze_reader.hpp"

#include "image/io/analyze_header.hpp"
#include "image/io/gzip.hpp"
#include "image/io/nifti_data.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace nora {
namespace {

constexpr std::size_t channels = 3;

std::vector<std::byte> beginning(const InputFile& file) {
  if (isGzip(file.bytes)) return inflatePrefix(file.bytes, analyzeHeaderBytes);
  const auto first = file.bytes.first(std::min(file.bytes.size(), analyzeHeaderBytes));
  return {first.begin(), first.end()};
}

bool isHeaderName(const std::string& name) {
  return hasSuffix(name, ".hdr") || hasSuffix(name, ".hdr.gz");
}

bool isHeader(const InputFile& file) {
  return isHeaderName(file.name) && looksLikeAnalyze(beginning(file));
}

/// How much bytes `distance` apart differ.
double roughness(std::span<const std::byte> bytes, std::size_t distance) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + distance < bytes.size(); ++i) {
    sum += static_cast<std::uint64_t>(
        std::abs(std::to_integer<int>(bytes[i]) - std::to_integer<int>(bytes[i + distance])));
  }
  return static_cast<double>(sum);
}

/// Rows of a plane are nx bytes, of interleaved voxels 3 nx. Neighbouring rows are alike only at the true distance.
bool isInterleaved(const ImageInfo& info, std::span<const std::byte> slice) {
  const auto row = static_cast<std::size_t>(info.dims[0]);
  return roughness(slice, channels * row) < roughness(slice, row);
}

void interleave(std::span<std::byte> slice, std::vector<std::byte>& scratch) {
  scratch.assign(slice.begin(), slice.end());
  const std::size_t plane = slice.size() / channels;
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < channels; ++c) slice[i * channels + c] = scratch[c * plane + i];
  }
}

void arrangeColours(ImageInfo& info, std::span<std::byte> voxels) {
  const std::size_t slice = static_cast<std::size_t>(info.dims[0] * info.dims[1]) * channels;
  const std::size_t middle = voxels.size() / slice / 2 * slice;
  if (isInterleaved(info, voxels.subspan(middle, slice))) {
    info.warnings.emplace_back("colours are taken as interleaved (RGBRGB), by how smooth the image is");
    return;
  }
  info.warnings.emplace_back("colours are taken as planes (RR..GG..BB in every slice), as Analyze 7.5 has them");
  std::vector<std::byte> scratch;
  for (std::size_t at = 0; at + slice <= voxels.size(); at += slice) interleave(voxels.subspan(at, slice), scratch);
}

/// With the place that a .mat file of SPM's among `files` says, if one does.
Result<NiftiLayout> describe(const InputFile& header, std::span<const InputFile> files) {
  const auto mat = std::find_if(files.begin(), files.end(), [](const InputFile& f) { return isSpmMatName(f.name); });
  if (mat == files.end()) return describeAnalyze(beginning(header), header.name);
  const auto place = readSpmMat(*mat);
  auto layout = describeAnalyze(beginning(header), header.name, place ? &*place : nullptr);
  if (!layout) return layout;
  const std::string shown = printable(mat->name.substr(mat->name.rfind('/') + 1));
  auto& warnings = layout->info.warnings;
  if (!place) warnings.push_back(shown + " was not used: " + place.error().what);
  for (const auto& warning : place ? place->warnings : std::vector<std::string>{}) {
    warnings.push_back(shown + ": " + warning);
  }
  return layout;
}

Result<ImageReader::Image> readPair(std::span<const InputFile> files, const ReadOptions& options, MemorySink& sink) {
  const auto header = std::find_if(files.begin(), files.end(), isHeader);
  if (header == files.end()) {
    return fail(ErrorCode::notFound, "the header (.hdr) of the image is missing", files.front().name);
  }
  auto layout = describe(*header, files);
  if (!layout) return tl::make_unexpected(layout.error());
  const auto data = std::find_if(files.begin(), files.end(),
                                 [&](const InputFile& f) { return &f != &*header && !isSpmMatName(f.name); });
  if (data == files.end()) {
    return fail(ErrorCode::notFound, "the data file (.img) of this header is missing", header->name);
  }
  const bool compressed = isCompressed(*data, true);
  if (const auto honest = checkClaim(*layout, *data, compressed); !honest) return tl::make_unexpected(honest.error());
  layout->rearranged = isColour(layout->info.type);
  const auto read = readVoxels(*layout, *data, compressed, options, sink);
  if (!read) return tl::make_unexpected(read.error());
  if (layout->rearranged) arrangeColours(layout->info, read->voxels);
  return ImageReader::Image{std::move(layout->info), read->offset,     read->held.first,
                            read->held.count,        read->sameVoxels, read->stayInFile()};
}

}  // namespace

bool AnalyzeReader::recognises(const InputFile& file) const {
  return isHeader(file);
}

Result<FileSummary> AnalyzeReader::peek(const InputFile& file) const {
  return peekTogether(std::span(&file, 1));
}

Result<FileSummary> AnalyzeReader::peekTogether(std::span<const InputFile> files) const {
  const InputFile& file = files.front();
  const auto layout = describe(file, files);
  if (!layout) return tl::make_unexpected(layout.error());
  FileSummary summary{"image", layout->info.format, toJson(layout->info)};
  std::string stem = file.name.substr(file.name.rfind('/') + 1);
  stem.resize(stem.size() - (hasSuffix(stem, ".gz") ? 7 : 4));  // isHeaderName
  summary.parts.push_back(stem + ".mat");
  summary.partsTell = true;
  return summary;
}

Result<ImageReader::Image> AnalyzeReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                               MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  try {
    return readPair(files, options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the image", files.front().name);
  }
}

}  // namespace nora
