// The interface of a format reader. Readers run in a reader process only: their input is hostile until proved
// otherwise.
#pragma once

#include "base/error.hpp"
#include "image/document.hpp"
#include "image/image_info.hpp"
#include "image/surface.hpp"
#include "image/tractogram.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {

/// One input file, mapped read-only. `name` is for messages and for sniffing by suffix; it is not opened.
struct InputFile {
  std::string name;
  std::span<const std::byte> bytes;
};

/// Where a reader puts voxels, vertices or bytes: one shared memory file that becomes the Volume, Surface, ...
class MemorySink {
 public:
  virtual ~MemorySink() = default;
  /// Memory of `size` bytes, zeroed, aligned to a page. May be called once. Pages that are never written cost nothing,
  /// so a safe upper bound is good enough. Errors: limitExceeded.
  [[nodiscard]] virtual Result<std::span<std::byte>> allocate(std::size_t size) = 0;
  /// Copies `from` to `to`, a part of that memory: the same as std::copy, but for megabytes cheaper (pages are filled
  /// without having been zeroed and mapped before).
  virtual void copyIn(std::span<const std::byte> from, std::span<std::byte> to) {
    std::copy(from.begin(), from.end(), to.begin());
  }
  /// True if these bytes of an input file, which are the voxels as they have to be in memory, need not be copied: who
  /// asked for the image maps that file too. Then allocate() is not called.
  [[nodiscard]] virtual bool canStayInFile(std::span<const std::byte> /*voxels*/) const { return false; }
};

struct ReadOptions {
  /// Read this time point only, where that is cheaper than reading all. A hint: a reader may read all.
  std::optional<std::int64_t> timePoint;
  /// To be called with 0..1 now and then; cheap, may be called often. Never empty.
  std::function<void(double)> progress = [](double) {};
  /// Which image, where the files hold several: as the format's reader names them (DICOM: DicomStack::series). Empty:
  /// the only one, or the first with a warning.
  std::string series = {};
  /// NIfTI: the qform goes before the sform.
  bool preferQform = false;
};

/// What is known of a file after looking at its header: one row of the scan.
struct FileSummary {
  /// "image"; "dicom" (one instance of a series); "surface" (a mesh, or values for the vertices of one); "tracts";
  /// "table" (rows, JSON), "document" (a picture, text, PDF), "labels" (a look-up table); "other".
  std::string kind;
  std::string format;     // "NIfTI-1", "DICOM", ... ; empty if nobody knows it
  nlohmann::json header;  // image: toJson(ImageInfo); dicom: toJson(DicomHeader); else null
  /// Further files that the header names (NHDR, MHD, GIFTI external, ...), relative to the file's folder, in order.
  std::vector<std::string> parts = {};
  bool partsTell = false;  // `header` is not the whole truth where one of `parts` is there: FileReader::peekTogether
};

/// What a reader makes of one image. Voxels are in the sink at `voxelOffset` (a multiple of 16), in native byte order,
/// with Volume::paddingBytes behind the last. statistics are left empty: the reader process computes them.
struct ReadImage {
  ImageInfo info;
  std::size_t voxelOffset = 0;
  /// The time points that are there: all, or one. info.timePoints is the number of all in any case.
  std::int64_t firstTimePoint = 0;
  std::optional<std::int64_t> timePointsRead = std::nullopt;  // empty: all
  /// Where an input file holds the very same bytes, aligned: statistics are had from there without touching new memory.
  std::span<const std::byte> sameVoxels = {};
  /// The voxels are only there and not in the sink: MemorySink::canStayInFile().
  bool stayInFile = false;
};

/// Arrays in the sink, described by `arrays`. Bounds and ranges are left empty: the reader process computes them.
struct ReadSurface {
  SurfaceInfo info;
  std::vector<ArrayInfo> arrays;
};
struct ReadTracts {
  TractogramInfo info;
  std::vector<ArrayInfo> arrays;
  bool pointsMeasured = false;  // the reader did that while it copied them (StreamlineMeasure)
};
struct ReadDocument {
  DocumentInfo info;
  std::size_t offset = 0;  // of the bytes in the sink
  std::size_t size = 0;
};

/// Fills what a reader leaves empty.
inline void measure(ReadSurface& read, std::span<const std::byte> memory) {
  measure(read.info, read.arrays, memory);
}
inline void measure(ReadTracts& read, std::span<const std::byte> memory) {
  measure(read.info, read.arrays, memory, read.pointsMeasured);
}

using ReadContent = std::variant<ReadImage, ReadSurface, ReadTracts, ReadDocument>;

/// A format, or a family of formats, whose files may hold any kind of content.
class FileReader {
 public:
  virtual ~FileReader() = default;

  /// True if the file is of this reader's format, by its first bytes (and its name only where bytes cannot tell).
  [[nodiscard]] virtual bool recognises(const InputFile& file) const = 0;

  /// Reads the header only; quick, also for huge files: it runs over every file of a scan.
  [[nodiscard]] virtual Result<FileSummary> peek(const InputFile& file) const = 0;

  /// The same with parts beside the file, which comes first: where they say what its header does not (Analyze's .mat).
  [[nodiscard]] virtual Result<FileSummary> peekTogether(std::span<const InputFile> files) const {
    return peek(files.front());
  }

  /// Reads what `files` hold together: the first is the one that was asked for, or for DICOM any slice; then its parts
  /// (header and data; what peek named in `parts`) in any order. Label tables and sidecars are applied afterwards by
  /// the reader process and are not among them.
  /// Errors: invalidInput (names the file and what is wrong), unsupported, notFound (a part), limitExceeded.
  [[nodiscard]] virtual Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                        MemorySink& sink) const = 0;
};

/// A reader whose files hold images.
class ImageReader : public FileReader {
 public:
  using Image = ReadImage;
  [[nodiscard]] virtual Result<ReadImage> read(std::span<const InputFile> files, const ReadOptions& options,
                                               MemorySink& sink) const = 0;
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const final {
    return read(files, options, sink).map([](ReadImage&& image) { return ReadContent(std::move(image)); });
  }
};

class SurfaceReader : public FileReader {
 public:
  [[nodiscard]] virtual Result<ReadSurface> read(std::span<const InputFile> files, const ReadOptions& options,
                                                 MemorySink& sink) const = 0;
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const final {
    return read(files, options, sink).map([](ReadSurface&& surface) { return ReadContent(std::move(surface)); });
  }
};

class TractsReader : public FileReader {
 public:
  [[nodiscard]] virtual Result<ReadTracts> read(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const = 0;
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const final {
    return read(files, options, sink).map([](ReadTracts&& tracts) { return ReadContent(std::move(tracts)); });
  }
};

/// All readers, in the order in which they are asked. The one place to add a format: file_readers.cpp.
[[nodiscard]] const std::vector<std::unique_ptr<const FileReader>>& fileReaders();

/// The reader for a file, or nullptr.
[[nodiscard]] const FileReader* readerFor(const InputFile& file);

}  // namespace nora
