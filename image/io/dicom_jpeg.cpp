#include "image/io/dicom_jpeg.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/dicom_text.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

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

struct StreamHead {
  std::int64_t rows = 0, columns = 0;
  bool lossy = false;
  std::optional<bool> ycc;  // what JFIF and Adobe markers say of the colours
};

/// Up to the start of frame (SOF) marker; empty if there is none. Source: ITU T.81 B.2.2, T.871, ISO 14495-1 C.2.2.
std::optional<StreamHead> headOf(std::span<const std::byte> stream) {
  ByteReader reader(stream, std::endian::big);
  StreamHead head;
  reader.skip(2);  // SOI
  while (reader.good()) {
    const auto mark = reader.number<std::uint16_t>();
    if (mark < 0xFFC0) return std::nullopt;
    if (mark == 0xFFFF) {  // filling
      reader.seek(reader.position() - 1);
      continue;
    }
    const auto length = reader.number<std::uint16_t>();
    if (length < 2) return std::nullopt;
    const auto body = reader.take(length - std::size_t{2});
    const bool tables = mark == 0xFFC4 || mark == 0xFFC8 || mark == 0xFFCC;
    if ((mark <= 0xFFCF && !tables) || mark == 0xFFF7) {
      ByteReader frame(body, std::endian::big);
      frame.skip(1);  // precision
      head.rows = frame.number<std::uint16_t>();
      head.columns = frame.number<std::uint16_t>();
      head.lossy = mark <= 0xFFC2;
      return frame.good() ? std::optional(head) : std::nullopt;
    }
    if (mark == 0xFFE0 && asText(body).starts_with("JFIF")) head.ycc = true;
    constexpr std::size_t transform = 11;  // offset in Adobe's segment
    if (mark == 0xFFEE && asText(body).starts_with("Adobe") && body.size() > transform) {
      head.ycc = body[transform] != std::byte{0};
    }
  }
  return std::nullopt;
}

/// A marker in the code stream knows better than the data set whether colours are YCbCr.
void correctColours(const StreamHead& head, DicomPixelFormat& format) {
  if (!head.ycc || !head.lossy || format.samples != 3) return;
  if (*head.ycc && format.photometric == "RGB") format.photometric = "YBR_FULL";
  if (!*head.ycc && format.photometric.starts_with("YBR_FULL")) format.photometric = "RGB";
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
    std::vector<std::byte> joined;
    for (const auto& fragment : fragments) joined.insert(joined.end(), fragment.begin(), fragment.end());
    const auto head = headOf(joined);
    if (!head || head->rows < 1 || head->columns < 1 || head->rows > format.rows || head->columns > format.columns) {
      return damaged("its size is not that of the image");
    }
    format.rows = head->rows;
    format.columns = head->columns;
    correctColours(*head, format);
    auto sequence = sequenceOf(std::vector<std::span<const std::byte>>{joined});
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
    std::size_t bytes = format.pixelCount() * static_cast<std::size_t>(format.samples * format.bitsAllocated / 8);
    bytes = std::min(bytes + bytes % 2, target.size());
    const OFCondition decoded =
        inserted->getUncompressedFrame(&dataset, 0, fragment, target.data(), static_cast<Uint32>(bytes), colourModel);
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
