// The reader process's side of reading files: receives descriptors, maps and parses, answers. See reader_protocol.hpp.
#pragma once

#include "image/io/file_reader.hpp"

#include <memory>
#include <vector>

namespace nora::reader {

using Readers = std::vector<std::unique_ptr<const FileReader>>;

/// Serves requests on descriptor 3 until it closes; returns the exit status. Enters the sandbox first.
[[nodiscard]] int serve(const Readers& readers);

}  // namespace nora::reader
