#include "image/io/dicom_jpeg.hpp"

#include "image/io/dicom_text.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <new>

namespace nora {
namespace {

/// The fragments of one frame as DCMTK has encapsulated pixel data; null if that fails.
std::unique_ptr<DcmPixelSequence> sequenceOf(std::span<const std::span<const std::byte>> fragments) {
  const DcmTag itemTag(DCM_PixelItemTag, EVR_OB);
  auto sequence = std::make_unique<DcmPixelSequence>(DcmTag(DCM_PixelSequenceTag, EVR_OB));
  const auto append = [&](std::span<const std::byte> bytes) {
    auto item = std::make_unique<DcmPixelItem>(itemTag);
    if (bytes.size() > std::numeric_limits<Uint32>::max() / 2) return false;
    Uint8* even = nullptr;  // DCMTK wants an even size
    if (!bytes.empty()) {
      const std::size_t size = bytes.size() + bytes.size() % 2;
      if (item->createUint8Array(static_cast<Uint32>(size), even).bad() || even == nullptr) return false;
      even[size - 1] = 0;
      std::memcpy(even, bytes.data(), bytes.size());
    }
    return sequence->insert(item.release()).good();
  };
  bool good = append({});  // the offset table
  for (const auto& fragment : fragments) good = good && append(fragment);
  return good ? std::move(sequence) : nullptr;
}

void describe(const DicomPixelFormat& format, DcmDataset& dataset) {
  const auto put = [&](const DcmTagKey& key, std::int64_t value) {
    dataset.putAndInsertUint16(key, static_cast<Uint16>(value)).good();
  };
  put(DCM_Rows, format.rows);
  put(DCM_Columns, format.columns);
  put(DCM_SamplesPerPixel, format.samples);
  put(DCM_BitsAllocated, format.bitsAllocated);
  put(DCM_BitsStored, format.bitsStored);
  put(DCM_HighBit, format.highBit);
  put(DCM_PixelRepresentation, format.isSigned ? 1 : 0);
  if (format.samples > 1) put(DCM_PlanarConfiguration, format.planar ? 1 : 0);
  dataset.putAndInsertString(DCM_PhotometricInterpretation, format.photometric.c_str()).good();
  dataset.putAndInsertString(DCM_NumberOfFrames, "1").good();
}

}  // namespace

void prepareJpeg() {
  static std::once_flag once;
  std::call_once(once, [] {
    DJDecoderRegistration::registerCodecs(EDC_photometricInterpretation, EUC_default, EPC_colorByPixel);
    DJLSDecoderRegistration::registerCodecs(EJLSUC_default, EJLSPC_colorByPixel);
  });
}

Result<void> decodeJpeg(std::span<const std::span<const std::byte>> fragments, const std::string& transferSyntaxUid,
                        DicomPixelFormat& format, std::span<std::byte> target, const std::string& name) {
  const auto damaged = [&](const std::string& what) {
    return fail(ErrorCode::invalidInput, "the compressed pixel data cannot be decoded: " + what, name);
  };
  try {
    auto sequence = sequenceOf(fragments);
    if (!sequence) return damaged("its fragments are too large");
    DcmDataset dataset;
    describe(format, dataset);
    auto pixels = std::make_unique<DcmPixelData>(DcmTag(DCM_PixelData, EVR_OB));
    pixels->putOriginalRepresentation(DcmXfer(transferSyntaxUid.c_str()).getXfer(), nullptr, sequence.release());
    DcmPixelData* inserted = pixels.get();
    if (dataset.insert(pixels.get()).bad()) return damaged("it has no place");
    static_cast<void>(pixels.release());
    Uint32 fragment = 1;  // 0 is the offset table
    OFString colourModel;
    const OFCondition decoded = inserted->getUncompressedFrame(&dataset, 0, fragment, target.data(),
                                                               static_cast<Uint32>(target.size()), colourModel);
    if (decoded.bad()) return damaged(cleanedText(decoded.text() ? decoded.text() : ""));
    format.photometric = std::string(colourModel.c_str(), colourModel.length());
    if (format.photometric == "YBR_FULL_422") format.photometric = "YBR_FULL";  // the decoder has widened it
    format.planar = false;
    format.bigEndian = false;
    return {};
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "the pixel data needs too much memory", name);
  } catch (const std::exception& e) {
    return damaged(e.what());
  }
}

}  // namespace nora
