// The server's side of reading files: a pool of `nora reader` processes that open, decode and convert.
//
// The server opens files and passes descriptors; a reader process maps and parses them under limits of memory, time and
// system calls, and answers with a small checked header and a sealed memfd of voxels, or with their place in the file. A reader that dies, hangs or lies
// is an Error for that file and nothing else; the next request gets a fresh process.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "image/content.hpp"
#include "image/io/file_reader.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

/// A file opened for reading by the server: a regular file; the reader never sees a path that it could open.
struct OpenedFile {
  std::string name;  // as shown to the user, relative to the served folder
  UniqueFd fd;
  bool sidecar = false;  // a label table, b-values, ... beside the image: what is wrong with it is only a warning
};

/// Opens a regular file read-only (no FIFO, no device: they could block for ever).
[[nodiscard]] Result<OpenedFile> openRegularFile(const std::string& path, std::string name);

class ReaderPool {
 public:
  struct Limits {
    std::size_t processes = 2;                         // at most so many at once
    std::size_t volumeBytes = std::size_t{8} << 30;    // voxels of one volume
    std::size_t processBytes = std::size_t{12} << 30;  // address space of one reader
    std::chrono::milliseconds readTime{120'000};       // wall clock for one request
    std::size_t requestsPerProcess = 500;              // then it is replaced, so that leaks end
    bool preferQform = false;                          // no limit, but the same for all requests: ReadOptions'
    /// Voxels of so many bytes and more that lie in a plain file as they have to be in memory are not copied: the
    /// volume maps the file (Volume::isIntact). 0: always copied.
    std::size_t inPlaceBytes = std::size_t{4} << 20;
  };

  /// `program`: the executable to start as `program reader`; normally /proc/self/exe. Processes start on first use.
  ReaderPool(std::string program, Limits limits);
  ~ReaderPool();
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  /// Looks at the headers of many files in one request; one result a file, in order. A file that kills the reader gets
  /// an Error; the files behind it are tried again in a fresh process.
  /// Thread: any; blocks while all processes are busy. Errors inside: unsupported, invalidInput, unavailable,
  /// cancelled.
  [[nodiscard]] std::vector<Result<FileSummary>> peek(std::span<const OpenedFile> files, std::stop_token stop);

  /// The same of one file (the first) with its parts.
  [[nodiscard]] Result<FileSummary> peekTogether(std::span<const OpenedFile> files, std::stop_token stop);

  /// Reads what a file, or files that belong together, hold: first the one that is asked for (of DICOM any slice),
  /// then its parts and sidecars in any order. `name` names the whole in messages. options.progress is called on the
  /// calling thread.
  /// Thread: any; blocks. `stop` kills the reader. Errors: as the format's reader; limitExceeded; unavailable (the
  /// reader died: "the reader stopped (signal 11)"; or took too long); cancelled.
  [[nodiscard]] Result<Content> readContent(std::span<const OpenedFile> files, const std::string& name,
                                            const ReadOptions& options, std::stop_token stop);

  /// The same where only an image will do. Errors: unsupported (it is something else).
  [[nodiscard]] Result<Volume> read(std::span<const OpenedFile> files, const std::string& name, std::stop_token stop);
  [[nodiscard]] Result<Volume> read(std::span<const OpenedFile> files, const std::string& name,
                                    const ReadOptions& options, std::stop_token stop);

  /// Process ids of the readers that live now; for tests that kill one.
  [[nodiscard]] std::vector<int> processIds() const;

 private:
  struct State;
  class Loan;
  std::unique_ptr<State> state_;
};

/// The main function of `nora reader`: serves requests on descriptor 3 until it closes. Applies its own limits first.
[[nodiscard]] int readerMain();

}  // namespace nora
