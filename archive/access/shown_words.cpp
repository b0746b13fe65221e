#include "archive/access/shown_words.hpp"

#include "archive/search/fold.hpp"

#include <algorithm>
#include <set>

namespace nora {
namespace {

constexpr std::size_t longestNumber = 3;  // digits of a number that is no number of a patient
constexpr std::size_t longestSuffix = 4;  // digits behind a word: "b1000"

using Words = std::set<std::string, std::less<>>;

const Words& shownWords() {
  static const Words words{
      // entities and suffixes of BIDS
      "sub", "ses", "task", "acq", "run", "echo", "dir", "part", "inv", "rec", "ce", "trc", "stain", "sample", "mt",
      "flip", "recording", "proc", "space", "split", "desc", "res", "den", "hemi", "from", "to", "mode", "chunk",
      "anat", "func", "dwi", "fmap", "perf", "eeg", "meg", "ieeg", "pet", "beh", "t1w", "t2w", "t1", "t2", "pd", "pdw",
      "t2star", "t2starw", "t1map", "t2map", "flair", "bold", "sbref", "cbv", "phase", "phasediff", "magnitude",
      "fieldmap", "epi", "asl", "mprage", "mp2rage", "memprage", "unit1", "angio", "defacemask", "inplanet1",
      "inplanet2", "events", "physio", "stim", "channels", "electrodes", "participants", "scans", "sessions",
      // what is seen, and how
      "mr", "mri", "mrt", "ct", "cta", "cbct", "us", "xa", "nm", "cr", "dx", "mg", "pt", "spect", "rest", "resting",
      "motor", "nback", "visual", "auditory", "emotion", "tse", "fse", "tfe", "gre", "swi", "dti", "adc", "fa", "md",
      "rd", "ad", "trace", "tra", "cor", "sag", "ax", "axial", "coronal", "sagittal", "transversal", "iso", "ap", "pa",
      "lr", "rl", "is", "si", "lh", "rh", "left", "right", "l", "r", "ap", "3d", "2d", "4d", "1mm", "2mm", "3mm", "b",
      "te", "tr", "ti", "pre", "post", "native", "contrast", "gd", "km", "localizer", "scout", "survey", "head",
      "brain", "neck", "spine", "chest", "thorax", "abdomen", "pelvis", "knee", "heart", "liver", "skull", "whole",
      "body", "mask", "label", "labels", "seg", "dseg", "probseg", "segmentation", "atlas", "aparc", "aseg", "wm", "gm",
      "csf", "white", "pial", "inflated", "sphere", "curv", "sulc", "thickness", "surf", "tracts", "tractogram",
      "streamlines", "fod", "preproc", "mni", "baseline", "followup", "visit", "week", "month", "year", "day", "mean",
      "map", "maps", "raw", "image", "scan", "series", "study", "volume", "file", "and", "of", "with", "without",
      // extensions
      "nii", "gz", "json", "tsv", "csv", "bval", "bvec", "dcm", "hdr", "img", "mgz", "mgh", "nrrd", "nhdr", "gii",
      "trk", "tck", "tt", "vtk", "vtp", "stl", "ply", "obj", "mif", "mih", "mha", "mhd", "txt", "pdf", "png", "jpg",
      // values of the keys below
      "m", "f", "o", "male", "female", "other", "ambidextrous", "patient", "patients", "control", "controls", "case",
      "healthy", "siemens", "healthineers", "philips", "ge", "medical", "systems", "canon", "toshiba", "hitachi",
      "bruker", "fujifilm", "uih", "original", "primary", "derived", "secondary", "nd", "norm", "dis2d", "dis3d",
      "mosaic", "mpr", "se", "ir", "gr", "rm", "sk", "mtc", "ss", "sp", "osp", "none", "i", "j", "k", "good", "bad",
      "ok", "yes", "no", "true", "false", "na"};
  return words;
}

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

bool isSeparator(char c) {
  return wordSeparators.find(c) != std::string_view::npos;
}

}  // namespace

std::vector<std::string> wordsOf(std::string_view text) {
  const std::string folded = foldText(text);
  std::vector<std::string> out;
  for (std::size_t at = 0; at < folded.size();) {
    const auto end = std::min(folded.find_first_of(wordSeparators, at), folded.size());
    if (end > at) out.push_back(folded.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool isShownWord(std::string_view word) {
  if (shownWords().contains(word)) return true;
  const auto stem = std::find_if_not(word.rbegin(), word.rend(), isDigit).base();
  const auto digits = static_cast<std::size_t>(word.end() - stem);
  if (stem == word.begin()) return digits <= longestNumber;
  return digits > 0 && digits <= longestSuffix && shownWords().contains(word.substr(0, word.size() - digits));
}

std::string shownText(std::string_view text, std::string_view pseudonym) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (!pseudonym.empty() && text.substr(at).starts_with(pseudonym)) {
      out += pseudonym;
      at += pseudonym.size();
      continue;
    }
    if (isSeparator(text[at])) {
      out += text[at++];
      continue;
    }
    auto end = std::min(text.find_first_of(wordSeparators, at), text.size());
    if (!pseudonym.empty()) end = std::min(end, text.find(pseudonym, at));
    const auto word = text.substr(at, end - at);
    out += isShownWord(foldText(word)) ? word : std::string_view("x");
    at = end;
  }
  return out;
}

bool isShownKey(std::string_view key) {
  static const Words keys{"echotime",
                          "echotime1",
                          "echotime2",
                          "repetitiontime",
                          "inversiontime",
                          "flipangle",
                          "slicethickness",
                          "spacingbetweenslices",
                          "slicetiming",
                          "magneticfieldstrength",
                          "imagingfrequency",
                          "manufacturer",
                          "manufacturersmodelname",
                          "modality",
                          "scanningsequence",
                          "sequencevariant",
                          "sequencename",
                          "pulsesequencetype",
                          "mracquisitiontype",
                          "phaseencodingdirection",
                          "totalreadouttime",
                          "effectiveechospacing",
                          "dwelltime",
                          "pixelbandwidth",
                          "parallelreductionfactorinplane",
                          "multibandaccelerationfactor",
                          "receivecoilname",
                          "taskname",
                          "bodypartexamined",
                          "imagetype",
                          "kvp",
                          "xraytubecurrent",
                          "exposure",
                          "convolutionkernel",
                          "age",
                          "sex",
                          "handedness",
                          "group",
                          "quality",
                          "rating"};
  return keys.contains(foldText(key));
}

}  // namespace nora
