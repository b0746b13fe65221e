#include "image/io/dicom_reader.hpp"

#include "image/io/dicom_dataset.hpp"
#include "image/io/dicom_header.hpp"
#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_rtstruct.hpp"
#include "image/io/dicom_rtstruct_parse.hpp"
#include "image/io/dicom_seg.hpp"
#include "image/io/dicom_seg_segments.hpp"
#include "image/io/dicom_tags.hpp"
#include "image/io/dicom_volume.hpp"
#include "image/io/picture_reader.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr char encapsulatedPdf[] = "1.2.840.10008.5.1.4.1.1.104.1";
constexpr std::uint32_t documentTitle = 0x00420010, encapsulatedDocument = 0x00420011, documentLength = 0x00420015;

/// Source: DICOM PS3.3 A.45.1, C.24.2.
Result<ReadContent> readPdf(const DicomLayout& layout, const InputFile& file, const ReadOptions& options,
                            MemorySink& sink) {
  const DicomItem item(layout);
  auto bytes = item.bytes(encapsulatedDocument);
  // The value is padded to an even length; the true one may be stated.
  const auto length = static_cast<std::size_t>(item.integer(documentLength, 0, 0, std::int64_t{1} << 32));
  if (length > 0) bytes = bytes.first(std::min(bytes.size(), length));
  const InputFile pdf{file.name, bytes};
  const PictureReader reader;
  if (!reader.recognises(pdf)) return fail(ErrorCode::invalidInput, "the document in it is not a PDF", file.name);
  auto content = reader.readContent(std::span(&pdf, 1), options, sink);
  if (!content) return content;
  const std::string title = DicomCharacters(item.text(tag::specificCharacterSet)).utf8(item.raw(documentTitle));
  auto* document = std::get_if<ReadDocument>(&*content);
  if (document != nullptr && !title.empty()) document->info.fields.emplace_back("title", title);
  return content;
}

}  // namespace

void DicomReader::prepare() {
  DicomDataset::prepare();
}

bool DicomReader::recognises(const InputFile& file) const {
  return looksLikeDicom(file.bytes) || isRestOfDicom(file.bytes, file.name);
}

Result<FileSummary> DicomReader::peek(const InputFile& file) const {
  const auto layout = dicomLayout(file.bytes, file.name, DicomExtent::header);
  if (!layout) return tl::make_unexpected(layout.error());
  if (layout->mediaClassUid == dicomDirectoryClassUid) return FileSummary{"other", "DICOMDIR", nullptr};
  const DicomDataset dataset(*layout, file.name);
  if (dataset.root().text(tag::sopClassUid) == encapsulatedPdf) return FileSummary{"document", "PDF", nullptr};
  DicomHeader header = dataset.header();
  if (isSegmentationClass(header.sopClassUid)) header.sourceSeriesUid = segSourceSeriesUid(dataset.root());
  if (header.sopClassUid == rtStructureSetClassUid) {
    header.sourceSeriesUid = rtSourceSeriesUid(dataset.root());
    if (header.seriesDescription.empty()) header.seriesDescription = rtLabel(dataset.root());
  }
  return FileSummary{"dicom", "DICOM", toJson(header)};
}

Result<ReadImage> DicomReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                    MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no files");
  const auto layout = dicomLayout(files.front().bytes, files.front().name, DicomExtent::header);
  if (!layout) return tl::make_unexpected(layout.error());
  if (layout->mediaClassUid == dicomDirectoryClassUid) {
    return fail(ErrorCode::unsupported, "a DICOMDIR only lists files: open the folder that it lies in",
                files.front().name);
  }
  const std::string kind = DicomItem(*layout).text(tag::sopClassUid);
  if (isSegmentationClass(kind)) return readDicomSegmentation(files, options, sink);
  if (kind == rtStructureSetClassUid) return readRtStructureSet(files, options, sink);
  return readDicomVolume(files, options, sink);
}

Result<ReadContent> DicomReader::readContent(std::span<const InputFile> files, const ReadOptions& options,
                                             MemorySink& sink) const {
  if (files.size() == 1) {
    const auto layout = dicomLayout(files.front().bytes, files.front().name, DicomExtent::header);
    if (layout && DicomItem(*layout).text(tag::sopClassUid) == encapsulatedPdf) {
      return readPdf(*layout, files.front(), options, sink);
    }
  }
  return read(files, options, sink).map([](ReadImage&& image) { return ReadContent(std::move(image)); });
}

}  // namespace nora
