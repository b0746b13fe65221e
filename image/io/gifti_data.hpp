// The data of one GIFTI array: decoded, in native byte order, tuple after tuple.
#pragma once

#include "image/io/file_reader.hpp"
#include "image/io/gifti_xml.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace nora {

/// The file that an array's data are in.
struct GiftiSource {
  std::string_view xml;              // the whole text of the GIFTI file
  std::span<const InputFile> parts;  // other files, told by their names
  std::string name;                  // of the GIFTI file, for messages
};

/// Bytes of the decoded array, once they are held against what there is in the file. Errors: invalidInput (claims more
/// than there can be), notFound (external file).
[[nodiscard]] Result<std::size_t> giftiBytes(const GiftiArray& array, const GiftiSource& source);

/// `out`: as many bytes as giftiBytes says. Numbers keep their type; column-major order becomes row-major.
/// Errors: invalidInput (less or more data than the array says, damaged).
[[nodiscard]] Result<void> decodeGifti(const GiftiArray& array, const GiftiSource& source, std::span<std::byte> out);

}  // namespace nora
