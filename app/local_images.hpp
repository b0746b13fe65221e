// Images for the command line: any path of the user's, a file or a folder of DICOM, through the same reader processes.
#pragma once

#include "image/io/reader_pool.hpp"
#include "render/scene/scene.hpp"

#include <string>
#include <vector>

namespace nora {

/// The files of one image, and how the user may call it.
struct LocalImage {
  std::string file;    // the path as given
  std::string series;  // DicomStack::series of a stack in a folder or of several in a file; else empty
  std::string key;     // the same, and where images of the folder share that, "~" and a hash of what parts them
  std::string name;    // DicomStack::label where there is a series
  std::vector<OpenedFile> files;
  std::vector<std::string> warnings;  // of the grouping: files that were left out
};

/// What a path holds: one image (or surface, ...) for a file and for an unpacked TRX, one for every stack of DICOM
/// below a folder or in a file. Errors: notFound, unsupported (a folder without DICOM), forbidden.
[[nodiscard]] Result<std::vector<LocalImage>> openLocal(ReaderPool& pool, const std::string& path);

/// The image that a scene's source names; `folder` is where relative paths start. Of a DICOM file with several images
/// and no name: the largest, with a warning of the reader.
[[nodiscard]] Result<LocalImage> openSource(ReaderPool& pool, const std::string& folder, const Source& source);

/// How to read it: which image, where its files hold several.
[[nodiscard]] ReadOptions readOptions(const LocalImage& image);

/// A pool for the command line: this program's own reader processes.
[[nodiscard]] ReaderPool::Limits commandLineLimits(bool preferQform = false);

}  // namespace nora
