// What sidecars are called.
#include "image/io/plain_text.hpp"
#include "image/io/sidecars.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

constexpr std::array<std::string_view, 20> imageSuffixes{
    ".nii.gz", ".nii", ".nii.bz2", ".nii.xz", ".mgz", ".mgh", ".mif.gz", ".mif",  ".mih",  ".nrrd",
    ".nhdr",   ".mha", ".mhd",     ".img.gz", ".img", ".hdr", ".mnc",    ".head", ".brik", ".brik.gz"};

/// Behind the stem of an image's name ("aal" of "aal.nii.gz").
constexpr std::array<std::string_view, 25> behindStem{
    ".BVAL",      ".BVEC",       ".BVALS",      ".BVECS",          ".json",        ".bval",    ".bvec",
    ".bvals",     ".bvecs",      ".label.txt",  ".label",          "_LUT.txt",     "_lut.txt", "-LUT.txt",
    "_label.txt", "_labels.txt", "-labels.txt", "_labels.csv",     "_labels.json", ".lut",     ".ctbl",
    ".tsv",       ".csv",        ".txt",        "_ColorTable.ctbl"};
/// Behind the whole name without .gz ("aal.nii").
constexpr std::array<std::string_view, 5> behindName{".txt", ".lut", ".json", ".bval", ".bvec"};
/// What can be of nothing but an image of the same name: the scan lists it with that. (.csv, .tsv and .txt may be rows
/// of their own.)
constexpr std::array<std::string_view, 18> ownSuffixes{
    ".json",       ".bval",        ".bvec",    ".bvals",     ".bvecs",      ".label.txt",
    "_lut.txt",    "-lut.txt",     ".nii.txt", "_label.txt", "_labels.txt", "-labels.txt",
    "_labels.csv", "_labels.json", ".lut",     ".ctbl",      ".label",      "_colortable.ctbl"};
/// In the image's folder.
constexpr std::array<std::string_view, 2> inFolder{"bvals", "bvecs"};

std::string_view stemOf(const std::string& name) {
  std::string_view stem = name;
  std::size_t longest = 0;
  const std::string lower = lowerFileName(name);
  for (const std::string_view suffix : imageSuffixes) {
    if (lower.ends_with(suffix)) longest = std::max(longest, suffix.size());
  }
  stem.remove_suffix(longest);
  return stem;
}

}  // namespace

std::vector<std::string> sidecarsOf(const std::string& imageName) {
  const std::string stem(stemOf(imageName));
  if (stem.size() == imageName.size()) return {};  // no image of a single file
  std::vector<std::string> out;
  for (const std::string_view suffix : behindStem) out.push_back(stem + std::string(suffix));
  std::string whole = imageName;
  if (lowerFileName(whole).ends_with(".gz")) whole.resize(whole.size() - 3);
  for (const std::string_view suffix : behindName) out.push_back(whole + std::string(suffix));
  const std::string folder = imageName.substr(0, imageName.rfind('/') + 1);
  for (const std::string_view name : inFolder) out.push_back(folder + std::string(name));
  return out;
}

bool isSidecar(const std::string& name) {
  const std::string lower = lowerFileName(name);
  if (std::find(inFolder.begin(), inFolder.end(), lower) != inFolder.end()) return true;
  const auto ends = [&](std::string_view suffix) {
    return suffix.front() == '.' && suffix.rfind('.') == 0 && lower.ends_with(suffix);
  };
  return std::any_of(behindStem.begin(), behindStem.end(), ends) && stemOf(name).size() == name.size();
}

std::vector<std::string> imagesOfSidecar(const std::string& name) {
  const std::string lower = lowerFileName(name);
  std::vector<std::string> out;
  for (const std::string_view suffix : ownSuffixes) {
    if (!lower.ends_with(suffix)) continue;
    const std::string stem = name.substr(0, name.size() - suffix.size());
    for (const std::string_view image : imageSuffixes) out.push_back(stem + std::string(image));
    for (const std::string_view image : {"", ".gz"}) {
      if (stemOf(stem).size() != stem.size()) out.push_back(stem + std::string(image));
    }
  }
  return out;
}

}  // namespace nora
