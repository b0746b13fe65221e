#include "image/io/dicom_support.hpp"

#include "image/io/dicom_stack.hpp"

#include <utility>

namespace nora {
namespace {

constexpr char structureSet[] = "1.2.840.10008.5.1.4.1.1.481.3";
constexpr char segmentation[] = "1.2.840.10008.5.1.4.1.1.66.4";
constexpr char labelMap[] = "1.2.840.10008.5.1.4.1.1.66.7";

struct Named {
  const char* prefix;  // of a UID
  const char* what;
};

constexpr Named notImages[] = {
    {"1.2.840.10008.5.1.4.1.1.88.", "structured report: not an image"},
    {"1.2.840.10008.5.1.4.1.1.66.4", ""},  // segmentations: images
    {"1.2.840.10008.5.1.4.1.1.66.7", ""},
    {"1.2.840.10008.5.1.4.1.1.66.5", "DICOM surface segmentation is not read"},
    {"1.2.840.10008.5.1.4.1.1.66.6", "DICOM tractography is not read"},
    {"1.2.840.10008.5.1.4.1.1.66", "registration, fiducials or raw data: not an image"},
    {"1.2.840.10008.5.1.4.1.1.67", "real world value mapping: not an image"},
    {"1.2.840.10008.5.1.4.1.1.11.", "presentation state: not an image"},
    {"1.2.840.10008.5.1.4.1.1.9.", "waveform: not an image"},
    {"1.2.840.10008.5.1.4.1.1.104.", "encapsulated document: not an image"},
    {"1.2.840.10008.5.1.4.1.1.481.1", ""},  // RT image, dose, structure set
    {"1.2.840.10008.5.1.4.1.1.481.2", ""},
    {"1.2.840.10008.5.1.4.1.1.481.3", ""},
    {"1.2.840.10008.5.1.4.1.1.481.", "radiotherapy plan or record: not an image"},
    {"1.2.840.10008.1.3.10", "DICOMDIR: a directory, not an image"},
};

constexpr const char* readableSyntaxes[] = {
    "1.2.840.10008.1.2",       "1.2.840.10008.1.2.1",    "1.2.840.10008.1.2.1.99",  "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.2",     "1.2.840.10008.1.2.5",    "1.2.840.10008.1.2.4.50",  "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",  "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",  "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",  "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203", "1.2.840.10008.1.2.8.1"};

constexpr Named otherSyntaxes[] = {{"1.2.840.10008.1.2.4.92", "JPEG 2000 of several components"},
                                   {"1.2.840.10008.1.2.4.93", "JPEG 2000 of several components"},
                                   {"1.2.840.10008.1.2.4.94", "JPIP (the pixels are elsewhere)"},
                                   {"1.2.840.10008.1.2.4.95", "JPIP (the pixels are elsewhere)"},
                                   {"1.2.840.10008.1.2.4.20", "HTJ2K or JPIP"},
                                   {"1.2.840.10008.1.2.4.107", "HEVC video"},
                                   {"1.2.840.10008.1.2.4.108", "HEVC video"},
                                   {"1.2.840.10008.1.2.4.100", "MPEG-2 video"},
                                   {"1.2.840.10008.1.2.4.101", "MPEG-2 video"},
                                   {"1.2.840.10008.1.2.4.10", "MPEG-4 (H.264) video"},
                                   {"1.2.840.10008.1.2.4.11", "JPEG XL"},
                                   {"1.2.840.10008.1.2.4.5", "retired JPEG"},
                                   {"1.2.840.10008.1.2.4.6", "retired JPEG"},
                                   {"1.2.840.10008.1.2.8", "deflated frames"},
                                   {"1.2.840.10008.1.2.6", "XML or MIME"},
                                   {"1.2.840.10008.1.2.7", "SMPTE video"},
                                   {"", "unknown"}};

std::string unsupportedSyntax(const std::string& uid) {
  for (const char* known : readableSyntaxes) {
    if (uid == known) return {};
  }
  for (const auto& syntax : otherSyntaxes) {
    if (uid.starts_with(syntax.prefix)) return std::string(syntax.what) + " (transfer syntax " + uid + ")";
  }
  return uid;
}

/// Of an image that says where it lies: its pixel spacing is missing or cannot be right. Empty if all is well.
std::string wrongSizeOf(const DicomHeader& h) {
  constexpr char askAgain[] = "; export it again from its source";
  constexpr char missing[] =
      "PixelSpacing (0028,0030) is missing, though the image says where it lies: its size is not known";
  const auto check = [&](const std::optional<std::array<double, 2>>& spacing, bool hasPlace) -> std::string {
    if (!spacing) return hasPlace ? std::string(missing) + askAgain : std::string();
    const std::string wrong = wrongPixelSpacing(*spacing);
    return wrong.empty() ? wrong : wrong + askAgain;
  };
  for (const auto& kind : h.kinds) {
    if (auto wrong = check(kind.pixelSpacing, true); !wrong.empty()) return wrong;
  }
  if (!h.kinds.empty() || !(h.positionLps || h.orientationLps)) return {};
  return check(h.pixelSpacing, h.positionLps && h.orientationLps);
}

}  // namespace

std::optional<Error> dicomRefusal(const DicomHeader& h) {
  const auto unsupported = [](std::string what) { return Error{ErrorCode::unsupported, std::move(what), {}}; };
  for (const auto& kind : notImages) {
    if (!h.sopClassUid.starts_with(kind.prefix)) continue;
    if (*kind.what != '\0') return unsupported(kind.what);
    break;
  }
  if (h.sopClassUid == structureSet) return std::nullopt;
  if (!h.damage.empty()) return Error{ErrorCode::invalidInput, h.damage, {}};
  if (!h.hasPixels && h.rows > 0 && h.columns > 0) {
    return Error{ErrorCode::invalidInput, "the file ends before its pixel data: it was cut off; copy it again", {}};
  }
  if (!h.hasPixels) return unsupported("no pixel data: not an image, or a file that was cut off");
  if (const auto syntax = unsupportedSyntax(h.transferSyntaxUid); !syntax.empty()) {
    return unsupported("pixel data compressed as " + syntax + " is not read");
  }
  if (!h.unsupported.empty()) return unsupported(h.unsupported);
  std::string wrong = h.positionLps ? wrongPosition(*h.positionLps) : std::string();
  if (wrong.empty() && h.orientationLps) wrong = wrongOrientation(*h.orientationLps);
  if (wrong.empty()) wrong = wrongSizeOf(h);
  if (!wrong.empty()) return Error{ErrorCode::invalidInput, std::move(wrong), {}};
  return std::nullopt;
}

bool isDicomOverlay(const DicomHeader& h) {
  return h.sopClassUid == structureSet || h.sopClassUid == segmentation || h.sopClassUid == labelMap;
}

}  // namespace nora
