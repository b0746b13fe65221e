// The list of formats. The one place to add one.
#include "image/io/image_readers.hpp"

#include "image/io/image_reader.hpp"

#if __has_include("image/io/nifti_reader.hpp")
#include "image/io/nifti_reader.hpp"
#define HAVE_NIFTI
#endif
#if __has_include("image/io/dicom_reader.hpp")
#include "image/io/dicom_reader.hpp"
#define HAVE_DICOM
#endif

namespace nora {
namespace {

std::vector<std::unique_ptr<const ImageReader>> makeReaders() {
  std::vector<std::unique_ptr<const ImageReader>> readers;
#ifdef HAVE_NIFTI
  readers.push_back(std::make_unique<NiftiReader>());
#endif
#ifdef HAVE_DICOM
  readers.push_back(std::make_unique<DicomReader>());
#endif
  return readers;
}

template <class Reader>
void prepare() {
  if constexpr (requires { Reader::prepare(); }) Reader::prepare();
}

}  // namespace

const std::vector<std::unique_ptr<const ImageReader>>& imageReaders() {
  static const auto readers = makeReaders();
  return readers;
}

const ImageReader* readerFor(const InputFile& file) {
  for (const auto& reader : imageReaders()) {
    if (reader->recognises(file)) return reader.get();
  }
  return nullptr;
}

void prepareReaders() {
#ifdef HAVE_DICOM
  prepare<DicomReader>();
#endif
}

}  // namespace nora
