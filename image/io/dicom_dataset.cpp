#include "image/io/dicom_dataset.hpp"

#include "image/io/dicom_text.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>

#include <charconv>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <new>
#include <string_view>

namespace nora {
namespace {

constexpr std::size_t maxFrameBytes = std::size_t{1} << 30;

/// Every defined term for one character set: DICOM PS3.3 C.12.1.1.2.
constexpr const char* characterSets[] = {
    "ISO_IR 6",          "ISO_IR 100",        "ISO_IR 101",        "ISO_IR 109",
    "ISO_IR 110",        "ISO_IR 144",        "ISO_IR 127",        "ISO_IR 126",
    "ISO_IR 138",        "ISO_IR 148",        "ISO_IR 203",        "ISO_IR 13",
    "ISO_IR 166",        "ISO_IR 192",        "GB18030",           "GBK",
    "\\ISO 2022 IR 100", "\\ISO 2022 IR 101", "\\ISO 2022 IR 109", "\\ISO 2022 IR 110",
    "\\ISO 2022 IR 144", "\\ISO 2022 IR 127", "\\ISO 2022 IR 126", "\\ISO 2022 IR 138",
    "\\ISO 2022 IR 148", "\\ISO 2022 IR 13",  "\\ISO 2022 IR 166", "\\ISO 2022 IR 87",
    "\\ISO 2022 IR 159", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58"};

/// Converters kept for the life of the process: iconv loads its modules from files, which a reader cannot open later.
void loadCharacterSets() {
  static std::vector<std::unique_ptr<DcmSpecificCharacterSet>> kept;
  for (const char* name : characterSets) {
    auto converter = std::make_unique<DcmSpecificCharacterSet>();
    if (converter->selectCharacterSet(name).good()) {
      OFString converted;
      converter->convertString("A", converted).good();
      kept.push_back(std::move(converter));
    }
  }
}

std::string reason(const OFCondition& condition) {
  return cleanedText(condition.text() ? condition.text() : "");
}

}  // namespace

struct DicomCharacters::Converter {
  mutable DcmSpecificCharacterSet characterSet;  // its conversion is not const
  bool converts = false;
  bool japanese = false;
};

DicomCharacters::DicomCharacters(const std::string& specificCharacterSet) : converter_(std::make_unique<Converter>()) {
  converter_->japanese = isJapaneseCodeExtension(specificCharacterSet);
  converter_->converts = !specificCharacterSet.empty() && !converter_->japanese &&
                         converter_->characterSet.selectCharacterSet(specificCharacterSet.c_str()).good();
}
DicomCharacters::DicomCharacters(DicomCharacters&&) noexcept = default;
DicomCharacters& DicomCharacters::operator=(DicomCharacters&&) noexcept = default;
DicomCharacters::~DicomCharacters() = default;

std::string DicomCharacters::utf8(std::string_view raw, const char* delimiters) const {
  if (converter_->japanese) return cleanedText(utf8FromJapanese(raw));
  OFString converted;
  if (!converter_->converts ||
      converter_->characterSet.convertString(OFString(raw.data(), raw.size()), converted, delimiters).bad()) {
    return cleanedText(raw);
  }
  return cleanedText(std::string_view(converted.c_str(), converted.length()));
}

struct DicomDataset::Parsed {
  mutable DcmDataset dataset;  // DCMTK's getters are not const
  DicomCharacters characters{""};
  std::string name;
  std::string transferSyntaxUid;
  bool bigEndian = false;
  bool words = false;
  bool encapsulated = false;
  bool hasPixels = false;

  /// Value number `index`, or all of a text with its backslashes if negative.
  [[nodiscard]] std::string raw(const DcmTagKey& tag, long index = -1) const {
    DcmElement* element = nullptr;
    if (dataset.findAndGetElement(tag, element).bad() || element == nullptr) return {};
    OFString value;
    const bool good = index < 0 ? element->getOFStringArray(value).good()
                                : element->getOFString(value, static_cast<unsigned long>(index)).good();
    return good ? std::string(value.c_str(), value.length()) : std::string();
  }
  [[nodiscard]] std::string text(const DcmTagKey& tag) const { return cleanedText(raw(tag)); }
  /// Text in the data set's character set.
  [[nodiscard]] std::string localised(const DcmTagKey& tag, const char* delimiters) const {
    return characters.utf8(raw(tag), delimiters);
  }
  [[nodiscard]] std::optional<double> number(const DcmTagKey& tag, long index = 0) const {
    return numberOfText(raw(tag, index));
  }
  [[nodiscard]] std::optional<std::int64_t> integer(const DcmTagKey& tag) const {
    const auto value = number(tag);
    constexpr double limit = std::numeric_limits<std::int32_t>::max();
    if (!value || std::abs(*value) > limit) return std::nullopt;
    return static_cast<std::int64_t>(*value);
  }
  [[nodiscard]] std::int64_t integerOr(const DcmTagKey& tag, std::int64_t fallback, std::int64_t low,
                                       std::int64_t high) const {
    const auto value = integer(tag);
    return value && *value >= low && *value <= high ? *value : fallback;
  }
  template <std::size_t N>
  [[nodiscard]] std::optional<std::array<double, N>> numbers(const DcmTagKey& tag) const {
    std::array<double, N> values{};
    for (std::size_t i = 0; i < N; ++i) {
      const auto value = number(tag, static_cast<long>(i));
      if (!value) return std::nullopt;
      values[i] = *value;
    }
    return values;
  }
  void readPalette(DicomPixelFormat& format) const;
};

DicomDataset::DicomDataset(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
DicomDataset::DicomDataset(DicomDataset&&) noexcept = default;
DicomDataset& DicomDataset::operator=(DicomDataset&&) noexcept = default;
DicomDataset::~DicomDataset() = default;

void DicomDataset::prepare() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    dcmDataDict.rdlock();  // loads the dictionary
    dcmDataDict.rdunlock();
    DcmRLEDecoderRegistration::registerCodecs();
    DJDecoderRegistration::registerCodecs(EDC_photometricInterpretation, EUC_default, EPC_colorByPixel);
    DJLSDecoderRegistration::registerCodecs(EJLSUC_default, EJLSPC_colorByPixel);
    loadCharacterSets();
    prepareJapaneseText();
  });
}

Result<DicomDataset> DicomDataset::parse(const DicomLayout& layout, Part part, const std::string& name) {
  prepare();
  try {
    auto parsed = std::make_unique<Parsed>();
    parsed->name = name;
    parsed->transferSyntaxUid = layout.transferSyntaxUid;
    parsed->bigEndian = layout.bigEndian;
    parsed->hasPixels = layout.pixels.has_value();
    parsed->words = layout.pixels && layout.pixels->words;
    parsed->encapsulated = layout.pixels && layout.pixels->encapsulated;
    const auto bytes = part == Part::header ? layout.header() : layout.withPixels();
    E_TransferSyntax syntax = layout.bigEndian    ? EXS_BigEndianExplicit
                              : layout.explicitVr ? EXS_LittleEndianExplicit
                                                  : EXS_LittleEndianImplicit;
    if (part == Part::all && parsed->encapsulated) syntax = DcmXfer(layout.transferSyntaxUid.c_str()).getXfer();
    if (!bytes.empty()) {
      DcmInputBufferStream stream;
      stream.setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
      stream.setEos();
      parsed->dataset.transferInit();
      const OFCondition read = parsed->dataset.read(stream, syntax, EGL_noChange);
      parsed->dataset.transferEnd();
      if (read.bad()) return fail(ErrorCode::invalidInput, "the DICOM file is damaged: " + reason(read), name);
    }
    parsed->characters = DicomCharacters(parsed->raw(DCM_SpecificCharacterSet));
    return DicomDataset(std::move(parsed));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "the DICOM file needs too much memory", name);
  } catch (const std::exception& e) {
    return fail(ErrorCode::invalidInput, std::string("the DICOM file is damaged: ") + e.what(), name);
  }
}

DicomHeader DicomDataset::header() const {
  const Parsed& p = *parsed_;
  DicomHeader h;
  h.patientId = p.localised(DCM_PatientID, "\\");
  h.patientName = p.localised(DCM_PatientName, "\\^=");
  h.studyUid = p.text(DCM_StudyInstanceUID);
  h.studyDate = p.text(DCM_StudyDate);
  h.studyDescription = p.localised(DCM_StudyDescription, "\\");
  h.seriesUid = p.text(DCM_SeriesInstanceUID);
  h.seriesDescription = p.localised(DCM_SeriesDescription, "\\");
  h.modality = p.text(DCM_Modality);
  h.sopClassUid = p.text(DCM_SOPClassUID);
  h.sopInstanceUid = p.text(DCM_SOPInstanceUID);
  h.transferSyntaxUid = cleanedText(p.transferSyntaxUid);
  h.imageType = p.text(DCM_ImageType);
  h.seriesNumber = p.integer(DCM_SeriesNumber).value_or(0);
  h.instanceNumber = p.integer(DCM_InstanceNumber).value_or(0);
  h.acquisitionNumber = p.integer(DCM_AcquisitionNumber).value_or(0);
  h.rows = p.integerOr(DCM_Rows, 0, 0, 65535);
  h.columns = p.integerOr(DCM_Columns, 0, 0, 65535);
  h.frames = p.integerOr(DCM_NumberOfFrames, 1, 0, std::numeric_limits<std::int32_t>::max());
  h.samplesPerPixel = p.integerOr(DCM_SamplesPerPixel, 1, 0, 65535);
  h.bitsAllocated = p.integerOr(DCM_BitsAllocated, 0, 0, 65535);
  h.photometric = p.text(DCM_PhotometricInterpretation);
  h.hasPixels = p.hasPixels && h.rows > 0 && h.columns > 0;
  h.positionLps = p.numbers<3>(DCM_ImagePositionPatient);
  h.orientationLps = p.numbers<6>(DCM_ImageOrientationPatient);
  h.pixelSpacing = p.numbers<2>(DCM_PixelSpacing);
  if (!h.pixelSpacing) h.pixelSpacing = p.numbers<2>(DCM_ImagerPixelSpacing);
  h.sliceThickness = p.number(DCM_SliceThickness).value_or(0);
  h.spacingBetweenSlices = p.number(DCM_SpacingBetweenSlices).value_or(0);
  h.echoTime = p.number(DCM_EchoTime);
  h.triggerTime = p.number(DCM_TriggerTime);
  h.temporalPosition = p.integer(DCM_TemporalPositionIdentifier);
  h.acquisitionTime = p.text(DCM_AcquisitionTime);
  h.contentTime = p.text(DCM_ContentTime);
  h.repetitionTimeMs = p.number(DCM_RepetitionTime).value_or(0);
  h.mosaic = h.imageType.find("MOSAIC") != std::string::npos;
  return h;
}

void DicomDataset::Parsed::readPalette(DicomPixelFormat& format) const {
  const DcmTagKey descriptors[] = {DCM_RedPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableDescriptor,
                                   DCM_BluePaletteColorLookupTableDescriptor};
  const DcmTagKey tables[] = {DCM_RedPaletteColorLookupTableData, DCM_GreenPaletteColorLookupTableData,
                              DCM_BluePaletteColorLookupTableData};
  for (std::size_t c = 0; c < 3; ++c) {
    const auto count = number(descriptors[c], 0), first = number(descriptors[c], 1), bits = number(descriptors[c], 2);
    const Uint16* data = nullptr;
    unsigned long wordCount = 0;
    if (!count || !first || !bits || dataset.findAndGetUint16Array(tables[c], data, &wordCount).bad() || !data) return;
    const std::size_t entries = *count > 0 ? static_cast<std::size_t>(*count) : 65536;  // PS3.3 C.7.6.3.1.5: 0 is 2^16
    format.paletteFirst = static_cast<int>(*first);
    auto& table = format.palette[c];
    if (wordCount >= entries) {
      for (std::size_t i = 0; i < entries; ++i)
        table.push_back(static_cast<std::uint8_t>(*bits > 8 ? data[i] >> 8 : data[i]));
    } else if (wordCount * 2 >= entries) {  // 8-bit entries, two a word
      for (std::size_t i = 0; i < entries; ++i) table.push_back(static_cast<std::uint8_t>(data[i / 2] >> (i % 2 * 8)));
    }
  }
}

DicomPixelFormat DicomDataset::pixelFormat() const {
  const Parsed& p = *parsed_;
  DicomPixelFormat f;
  f.rows = p.integerOr(DCM_Rows, 0, 0, 65535);
  f.columns = p.integerOr(DCM_Columns, 0, 0, 65535);
  f.samples = p.integerOr(DCM_SamplesPerPixel, 1, 0, 65535);
  f.bitsAllocated = static_cast<int>(p.integerOr(DCM_BitsAllocated, 0, 0, 65535));
  f.bitsStored = static_cast<int>(p.integerOr(DCM_BitsStored, f.bitsAllocated, 0, 65535));
  f.highBit = static_cast<int>(p.integerOr(DCM_HighBit, f.bitsStored - 1, 0, 65535));
  f.isSigned = p.integerOr(DCM_PixelRepresentation, 0, 0, 1) == 1;
  f.planar = p.integerOr(DCM_PlanarConfiguration, 0, 0, 1) == 1;
  f.bigEndian = p.bigEndian;
  f.words = p.words;
  f.photometric = p.text(DCM_PhotometricInterpretation);
  f.slope = p.number(DCM_RescaleSlope).value_or(1);
  f.inter = p.number(DCM_RescaleIntercept).value_or(0);
  if (f.slope == 0) f.slope = 1;
  const auto centre = p.number(DCM_WindowCenter), width = p.number(DCM_WindowWidth);
  if (centre && width && *width > 0) f.window = {*centre, *width};
  if (f.photometric == "PALETTE COLOR") p.readPalette(f);
  return f;
}

Result<std::vector<std::byte>> DicomDataset::decodeFrame(DicomPixelFormat& format) {
  Parsed& p = *parsed_;
  const auto damaged = [&](const std::string& what) {
    return fail(ErrorCode::invalidInput, "the compressed pixel data cannot be decoded: " + what, p.name);
  };
  try {
    DcmElement* element = nullptr;
    if (p.dataset.findAndGetElement(DCM_PixelData, element).bad()) return damaged("there is none");
    auto* pixelData = dynamic_cast<DcmPixelData*>(element);
    if (pixelData == nullptr) return damaged("its element is not of the right kind");
    const std::size_t size = format.pixelCount() * static_cast<std::size_t>(format.samples * format.bitsAllocated / 8);
    if (size == 0 || size > maxFrameBytes) return fail(ErrorCode::limitExceeded, "a frame of more than 1 GiB", p.name);
    std::vector<std::byte> frame(size + size % 2);  // DCMTK wants an even size
    Uint32 fragment = 0;
    OFString colourModel;
    const OFCondition decoded = pixelData->getUncompressedFrame(&p.dataset, 0, fragment, frame.data(),
                                                                static_cast<Uint32>(frame.size()), colourModel);
    if (decoded.bad()) return damaged(reason(decoded));
    format.photometric = std::string(colourModel.c_str(), colourModel.length());
    if (format.photometric == "YBR_FULL_422") format.photometric = "YBR_FULL";  // the decoder has widened it
    const bool rle = p.transferSyntaxUid == "1.2.840.10008.1.2.5";              // keeps the planes of the data set
    format.planar = rle && format.planar;
    format.bigEndian = false;
    return frame;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "the pixel data needs too much memory", p.name);
  } catch (const std::exception& e) {
    return damaged(e.what());
  }
}

}  // namespace nora
