#include "image/io/vtk_reader.hpp"

#include "image/io/tract_content.hpp"
#include "image/io/vtk_content.hpp"
#include "image/io/vtk_legacy.hpp"
#include "image/io/vtk_xml.hpp"

#include <algorithm>
#include <new>

namespace nora {
namespace {

Result<VtkDataset> parse(const InputFile& file) {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  return hasVtkXmlMagic(file.bytes) ? readVtkXml(file.bytes, file.name) : readVtkLegacy(file.bytes, file.name);
}

/// The scan shows the header of an image, as of any other.
Result<FileSummary> peekImage(const InputFile& file) {
  const auto dataset = parse(file);
  if (!dataset) return tl::make_unexpected(dataset.error());
  const auto info = vtkImageInfo(*dataset, file.name);
  if (!info) return tl::make_unexpected(info.error());
  return FileSummary{"image", info->format, toJson(*info)};
}

}  // namespace

bool VtkReader::recognises(const InputFile& file) const {
  constexpr std::size_t magicWithin = 1024;
  const auto first = beginningOf(file, magicWithin);
  if (hasVtkLegacyMagic(first) || hasVtkXmlMagic(first)) return true;
  return nameEndsWith(file.name, ".vtk") || nameEndsWith(file.name, ".vtp");
}

Result<FileSummary> VtkReader::peek(const InputFile& file) const {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  try {
    const auto content = TractContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    const InputFile plain{file.name, content->bytes()};
    const bool xml = hasVtkXmlMagic(plain.bytes);
    if (!xml && !hasVtkLegacyMagic(plain.bytes)) {
      return fail(ErrorCode::invalidInput, "the file does not begin as a VTK file does", file.name);
    }
    const std::string kind = xml ? peekVtkXml(plain.bytes) : peekVtkLegacy(plain.bytes);
    if (kind == "image") return peekImage(plain);
    return FileSummary{kind.empty() ? "other" : kind, xml ? "VTK XML" : "VTK legacy", nullptr};
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the file", file.name);
  }
}

Result<ReadContent> VtkReader::readContent(std::span<const InputFile> files, const ReadOptions& options,
                                           MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = TractContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    auto dataset = parse({file.name, content->bytes()});
    if (!dataset) return tl::make_unexpected(dataset.error());
    return vtkContent(*dataset, options, sink, file.name);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the file", file.name);
  }
}

}  // namespace nora
