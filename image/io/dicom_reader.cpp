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

namespace nora {

void DicomReader::prepare() {
  DicomDataset::prepare();
}

bool DicomReader::recognises(const InputFile& file) const {
  return looksLikeDicom(file.bytes);
}

Result<FileSummary> DicomReader::peek(const InputFile& file) const {
  const auto layout = dicomLayout(file.bytes, file.name, DicomExtent::header);
  if (!layout) return tl::make_unexpected(layout.error());
  if (layout->mediaClassUid == dicomDirectoryClassUid) return FileSummary{"other", "DICOMDIR", nullptr};
  const DicomDataset dataset(*layout, file.name);
  DicomHeader header = dataset.header();
  if (isSegmentationClass(header.sopClassUid)) header.sourceSeriesUid = segSourceSeriesUid(dataset.root());
  if (header.sopClassUid == rtStructureSetClassUid) {
    header.sourceSeriesUid = rtSourceSeriesUid(dataset.root());
    if (header.seriesDescription.empty()) header.seriesDescription = rtLabel(dataset.root());
  }
  return FileSummary{"dicom", "DICOM", toJson(header)};
}

Result<ImageReader::Image> DicomReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                             MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no files");
  const auto layout = dicomLayout(files.front().bytes, files.front().name, DicomExtent::header);
  if (!layout) return tl::make_unexpected(layout.error());
  const std::string kind = DicomItem(*layout).text(tag::sopClassUid);
  if (isSegmentationClass(kind)) return readDicomSegmentation(files, options, sink);
  if (kind == rtStructureSetClassUid) return readRtStructureSet(files, options, sink);
  return readDicomVolume(files, options, sink);
}

}  // namespace nora
