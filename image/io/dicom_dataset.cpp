#include "image/io/dicom_dataset.hpp"

#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_jpeg.hpp"
#include "image/io/dicom_tables.hpp"
#include "image/io/dicom_tags.hpp"
#include "image/io/dicom_text.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <vector>

namespace nora {
namespace {

constexpr std::int64_t int32Max = std::numeric_limits<std::int32_t>::max();

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

/// PixelPaddingValue and its range limit as stored values; writers are not exact about US and SS.
/// Source: DICOM PS3.3 C.7.5.1.1.2.
void readPadding(const DicomItem& d, DicomPixelFormat& f) {
  auto from = d.number(f.isFloat ? f.bitsAllocated == 64 ? tag::doublePadding : tag::floatPadding : tag::padding);
  if (!from) return;
  auto to = f.isFloat ? from : d.number(tag::paddingLimit).value_or(*from);
  for (auto* value : {&from, &to}) {
    if (f.isFloat) continue;
    if (f.isSigned && **value > 32767) *value = **value - 65536;
    if (!f.isSigned && **value < 0) *value = **value + 65536;
  }
  f.padding = {std::min(*from, *to), std::max(*from, *to)};
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

void DicomDataset::prepare() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    dcmDataDict.rdlock();  // loads the dictionary
    dcmDataDict.rdunlock();
    prepareJpeg();
    loadCharacterSets();
    prepareJapaneseText();
  });
}

DicomDataset::DicomDataset(const DicomLayout& layout, std::string name)
    : layout_(&layout), name_(std::move(name)), root_(layout) {
  prepare();
}

DicomHeader DicomDataset::header() const {
  const DicomItem& d = root_;
  const DicomCharacters characters(std::string(d.raw(tag::specificCharacterSet)));
  DicomHeader h;
  h.patientId = characters.utf8(d.raw(tag::patientId));
  h.patientName = characters.utf8(d.raw(tag::patientName), "\\^=");
  h.studyUid = d.text(tag::studyUid);
  h.studyDate = d.text(tag::studyDate);
  h.studyDescription = characters.utf8(d.raw(tag::studyDescription));
  h.seriesUid = d.text(tag::seriesUid);
  h.seriesDescription = characters.utf8(d.raw(tag::seriesDescription));
  h.modality = d.text(tag::modality);
  h.sopClassUid = d.text(tag::sopClassUid);
  h.sopInstanceUid = d.text(tag::sopInstanceUid);
  h.transferSyntaxUid = cleanedText(layout_->transferSyntaxUid);
  h.imageType = d.text(tag::imageType);
  h.seriesNumber = d.integer(tag::seriesNumber, 0, -int32Max, int32Max);
  h.instanceNumber = d.integer(tag::instanceNumber, 0, -int32Max, int32Max);
  h.acquisitionNumber = d.integer(tag::acquisitionNumber, 0, -int32Max, int32Max);
  h.rows = d.integer(tag::rows, 0, 0, 65535);
  h.columns = d.integer(tag::columns, 0, 0, 65535);
  h.frames = d.integer(tag::numberOfFrames, 1, 0, int32Max);
  h.samplesPerPixel = d.integer(tag::samplesPerPixel, 1, 0, 65535);
  h.bitsAllocated = d.integer(tag::bitsAllocated, 0, 0, 65535);
  h.photometric = d.text(tag::photometric);
  h.hasPixels = layout_->pixels.has_value() && h.rows > 0 && h.columns > 0;
  h.positionLps = d.array<3>(tag::imagePosition);
  h.orientationLps = d.array<6>(tag::imageOrientation);
  h.pixelSpacing = d.array<2>(tag::pixelSpacing);
  h.sliceThickness = d.number(tag::sliceThickness).value_or(0);
  h.spacingBetweenSlices = d.number(tag::spacingBetweenSlices).value_or(0);
  h.echoTime = d.number(tag::echoTime);
  h.triggerTime = d.number(tag::triggerTime);
  if (d.number(tag::temporalPositionIdentifier)) {
    h.temporalPosition = d.integer(tag::temporalPositionIdentifier, 0, -int32Max, int32Max);
  }
  h.acquisitionTime = d.text(tag::acquisitionTime);
  if (h.acquisitionTime.empty()) h.acquisitionTime = timeOfDay(d.text(tag::acquisitionDateTime));
  h.contentTime = d.text(tag::contentTime);
  const DicomItem timing = d.first(tag::sharedFunctionalGroups).first(tag::mrTimingSequence);
  h.repetitionTimeMs = d.number(tag::repetitionTime).value_or(timing.number(tag::repetitionTime).value_or(0));
  h.mosaic = h.imageType.find("MOSAIC") != std::string::npos;
  h.damage = wrongPlaneOf(d);
  if (h.hasPixels && h.damage.empty()) placeFrames(*this, h);
  return h;
}

DicomPixelFormat DicomDataset::pixelFormat() const {
  const DicomItem& d = root_;
  DicomPixelFormat f;
  f.rows = d.integer(tag::rows, 0, 0, 65535);
  f.columns = d.integer(tag::columns, 0, 0, 65535);
  f.samples = d.integer(tag::samplesPerPixel, 1, 0, 65535);
  f.bitsAllocated = static_cast<int>(d.integer(tag::bitsAllocated, 0, 0, 65535));
  f.bitsStored = static_cast<int>(d.integer(tag::bitsStored, f.bitsAllocated, 0, 65535));
  f.highBit = static_cast<int>(d.integer(tag::highBit, f.bitsStored - 1, 0, 65535));
  f.isSigned = d.integer(tag::pixelRepresentation, 0, 0, 1) == 1;
  f.planar = d.integer(tag::planarConfiguration, 0, 0, 1) == 1;
  f.bigEndian = layout_->bigEndian;
  f.words = layout_->pixels && layout_->pixels->words;
  f.photometric = d.text(tag::photometric);
  if (layout_->pixels && layout_->pixels->floatBytes > 0) {
    f.isFloat = true;
    f.bitsAllocated = f.bitsStored = layout_->pixels->floatBytes * 8;
    f.highBit = f.bitsAllocated - 1;
  }
  f.slope = d.number(tag::rescaleSlope).value_or(1);
  f.inter = d.number(tag::rescaleIntercept).value_or(0);
  if (const auto scaling = d.number(tag::doseGridScaling); scaling && *scaling > 0) f.slope = *scaling;
  if (f.slope == 0) {  // as DCMTK and dcm2niix have it: no scale at all
    f.slope = 1;
    f.inter = 0;
  }
  readPadding(d, f);
  if (f.photometric == "PALETTE COLOR") readPalette(d, f);
  if (!f.isFloat && d.has(tag::modalityLutSequence)) f.table = modalityTable(d, f.isSigned);
  return f;
}

}  // namespace nora
