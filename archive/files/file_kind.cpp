// What a file is worth a look for, by its name alone.
#include "archive/files/tree_walker.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace nora {
namespace {

struct SuffixKind {
  std::string_view suffix;  // lower case, with its dot
  std::string_view kind;
};

constexpr std::string_view image = "image?", surface = "surface", tracts = "tracts", table = "table",
                           document = "document", other = "other";

constexpr std::array suffixKinds{
    SuffixKind{".nii", image},      SuffixKind{".nii.gz", image},   SuffixKind{".hdr", image},
    SuffixKind{".img", image},      SuffixKind{".img.gz", image},   SuffixKind{".mgz", image},
    SuffixKind{".mgh", image},      SuffixKind{".nrrd", image},     SuffixKind{".nhdr", image},
    SuffixKind{".mha", image},      SuffixKind{".mhd", image},      SuffixKind{".mif", image},
    SuffixKind{".mif.gz", image},   SuffixKind{".mih", image},      SuffixKind{".mnc", image},
    SuffixKind{".par", image},      SuffixKind{".brik", image},     SuffixKind{".brik.gz", image},
    SuffixKind{".head", image},     SuffixKind{".dcm", image},      SuffixKind{".dicom", image},
    SuffixKind{".ima", image},      SuffixKind{".gii", surface},    SuffixKind{".gii.gz", surface},
    SuffixKind{".pial", surface},   SuffixKind{".white", surface},  SuffixKind{".inflated", surface},
    SuffixKind{".sphere", surface}, SuffixKind{".stl", surface},    SuffixKind{".ply", surface},
    SuffixKind{".obj", surface},    SuffixKind{".off", surface},    SuffixKind{".mz3", surface},
    SuffixKind{".vtk", surface},    SuffixKind{".vtp", surface},    SuffixKind{".annot", surface},
    SuffixKind{".tck", tracts},     SuffixKind{".trk", tracts},     SuffixKind{".trk.gz", tracts},
    SuffixKind{".trx", tracts},     SuffixKind{".tt", tracts},      SuffixKind{".tt.gz", tracts},
    SuffixKind{".csv", table},      SuffixKind{".tsv", table},      SuffixKind{".tsv.gz", table},
    SuffixKind{".json", table},     SuffixKind{".bval", table},     SuffixKind{".bvec", table},
    SuffixKind{".stats", table},    SuffixKind{".pdf", document},   SuffixKind{".png", document},
    SuffixKind{".jpg", document},   SuffixKind{".jpeg", document},  SuffixKind{".tif", document},
    SuffixKind{".tiff", document},  SuffixKind{".ctbl", table},     SuffixKind{".gif", document},
    SuffixKind{".bmp", document},   SuffixKind{".svg", document},   SuffixKind{".txt", document},
    SuffixKind{".md", document},    SuffixKind{".rst", document},   SuffixKind{".html", document},
    SuffixKind{".htm", document},   SuffixKind{".doc", document},   SuffixKind{".docx", document},
    SuffixKind{".ppt", document},   SuffixKind{".pptx", document},  SuffixKind{".xls", document},
    SuffixKind{".xlsx", document},  SuffixKind{".raw", other},      SuffixKind{".raw.gz", other},
    SuffixKind{".zraw", other},     SuffixKind{".rec", other},      SuffixKind{".lut", table},
    SuffixKind{".tsf", other},      SuffixKind{".zip", other},      SuffixKind{".tar", other},
    SuffixKind{".tar.gz", other},   SuffixKind{".tgz", other},      SuffixKind{".bz2", other},
    SuffixKind{".xz", other},       SuffixKind{".7z", other},       SuffixKind{".py", other},
    SuffixKind{".m", other},        SuffixKind{".mat", other},      SuffixKind{".sh", other},
    SuffixKind{".r", other},        SuffixKind{".log", other},      SuffixKind{".xml", other},
    SuffixKind{".yaml", other},     SuffixKind{".yml", other},      SuffixKind{".toml", other},
    SuffixKind{".npy", other},      SuffixKind{".npz", other},      SuffixKind{".h5", other},
    SuffixKind{".hdf5", other},     SuffixKind{".pkl", other},      SuffixKind{".pt", other},
    SuffixKind{".mp4", other},      SuffixKind{".avi", other},      SuffixKind{".lnk", other},
    SuffixKind{".tmp", other},      SuffixKind{".vtk.gz", surface}, SuffixKind{".vtp.gz", surface},
    SuffixKind{".stl.gz", surface}, SuffixKind{".ply.gz", surface}, SuffixKind{".obj.gz", surface},
    SuffixKind{".off.gz", surface}, SuffixKind{".tck.gz", tracts},  SuffixKind{".vtu", surface},
    SuffixKind{".vti", image},      SuffixKind{".bvals", table},    SuffixKind{".bvecs", table},
};

/// Names without a suffix that no reader need look at.
constexpr std::array wholeNames{
    SuffixKind{"readme", document},  SuffixKind{"changes", document}, SuffixKind{"changelog", document},
    SuffixKind{"license", document}, SuffixKind{"licence", document}, SuffixKind{"copying", document},
    SuffixKind{"authors", document}, SuffixKind{"makefile", other},   SuffixKind{"dicomdir", other},
};

}  // namespace

std::string kindBySuffix(const std::string& name) {
  const auto slash = name.rfind('/');
  std::string lower = slash == std::string::npos ? name : name.substr(slash + 1);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const auto& whole : wholeNames) {
    if (lower == whole.suffix) return std::string(whole.kind);
  }
  // The longest suffix decides: .tsv.gz is a table, .nii.txt a document.
  std::string_view kind;
  std::size_t longest = 0;
  for (const auto& known : suffixKinds) {
    if (known.suffix.size() > longest && lower.ends_with(known.suffix)) {
      kind = known.kind;
      longest = known.suffix.size();
    }
  }
  if (!kind.empty()) return std::string(kind);
  // FreeSurfer's surfaces and their per-vertex data have a hemisphere in front and any word behind.
  if (lower.starts_with("lh.") || lower.starts_with("rh.")) return std::string(surface);
  return std::string(image);
}

}  // namespace nora
