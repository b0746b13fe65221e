// The list of formats. The one place to add one.
#include "image/io/file_readers.hpp"

#include "image/io/afni_reader.hpp"
#include "image/io/analyze_reader.hpp"
#include "image/io/cifti_reader.hpp"
#include "image/io/dicom_reader.hpp"
#include "image/io/file_reader.hpp"
#include "image/io/freesurfer_reader.hpp"
#include "image/io/gifti_reader.hpp"
#include "image/io/label_files.hpp"
#include "image/io/mif_reader.hpp"
#include "image/io/minc_reader.hpp"
#include "image/io/metaimage_reader.hpp"
#include "image/io/mgh_reader.hpp"
#include "image/io/mz3_reader.hpp"
#include "image/io/nifti_reader.hpp"
#include "image/io/nrrd_reader.hpp"
#include "image/io/obj_reader.hpp"
#include "image/io/off_reader.hpp"
#include "image/io/parrec_reader.hpp"
#include "image/io/picture_reader.hpp"
#include "image/io/ply_reader.hpp"
#include "image/io/stl_reader.hpp"
#include "image/io/table_reader.hpp"
#include "image/io/tck_reader.hpp"
#include "image/io/text_reader.hpp"
#include "image/io/trk_reader.hpp"
#include "image/io/trx_reader.hpp"
#include "image/io/tt_reader.hpp"
#include "image/io/vtk_reader.hpp"

namespace nora {
namespace {

std::vector<std::unique_ptr<const FileReader>> makeReaders() {
  std::vector<std::unique_ptr<const FileReader>> readers;
  readers.push_back(std::make_unique<CiftiReader>());  // is NIfTI-2 too
  readers.push_back(std::make_unique<NiftiReader>());
  readers.push_back(std::make_unique<AnalyzeReader>());
  readers.push_back(std::make_unique<MifReader>());
  readers.push_back(std::make_unique<AfniReader>());
  readers.push_back(std::make_unique<ParrecReader>());
  readers.push_back(std::make_unique<MincReader>());
  readers.push_back(std::make_unique<NrrdReader>());
  readers.push_back(std::make_unique<MetaImageReader>());
  readers.push_back(std::make_unique<MghReader>());
  readers.push_back(std::make_unique<TckReader>());
  readers.push_back(std::make_unique<TrkReader>());
  readers.push_back(std::make_unique<TrxReader>());
  readers.push_back(std::make_unique<TtReader>());
  readers.push_back(std::make_unique<VtkReader>());
  readers.push_back(std::make_unique<GiftiReader>());
  readers.push_back(std::make_unique<FreeSurferReader>());
  readers.push_back(std::make_unique<PlyReader>());
  readers.push_back(std::make_unique<StlReader>());
  readers.push_back(std::make_unique<ObjReader>());
  readers.push_back(std::make_unique<OffReader>());
  readers.push_back(std::make_unique<Mz3Reader>());
  readers.push_back(std::make_unique<DicomReader>());
  readers.push_back(std::make_unique<PictureReader>());
  readers.push_back(std::make_unique<LabelReader>());  // some are .txt, .json, .csv too
  readers.push_back(std::make_unique<TableReader>());
  readers.push_back(std::make_unique<TextReader>());
  return readers;
}

}  // namespace

const std::vector<std::unique_ptr<const FileReader>>& fileReaders() {
  static const auto readers = makeReaders();
  return readers;
}

const FileReader* readerFor(const InputFile& file) {
  for (const auto& reader : fileReaders()) {
    if (reader->recognises(file)) return reader.get();
  }
  return nullptr;
}

void prepareReaders() { DicomReader::prepare(); }

}  // namespace nora
