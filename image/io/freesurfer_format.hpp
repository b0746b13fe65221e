// Which of FreeSurfer's surface formats a file is, and the parts of the reader for each.
#pragma once

#include "image/io/file_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nora {

enum class FreeSurferFormat : std::uint8_t {
  none,
  triangles,     // lh.white: ff ff fe
  quads,         // ff ff ff, hundredths of mm as int16
  newQuads,      // ff ff fd, float32
  asciiSurface,  // lh.white.asc
  curv,          // lh.curv: ff ff ff
  oldCurv,       // no magic, int16 hundredths
  asciiValues,   // lh.curv.asc: number, x, y, z, value
  paint,         // .w: numbers of vertices and their values
  annotation,    // .annot
  label,         // .label: numbers of vertices, x, y, z, value
};

/// By magic, name and size (of the content, if it is known: they must agree where there is no magic to speak of).
[[nodiscard]] FreeSurferFormat freeSurferFormatOf(const std::string& name, std::string_view beginning,
                                                  std::size_t size);
[[nodiscard]] std::string freeSurferFormatName(FreeSurferFormat format);

/// What the parts read: `bytes` are the whole content, inflated.
struct FreeSurferInput {
  std::span<const std::byte> bytes;
  const std::string& name;
  const ReadOptions& options;
};

/// Meshes. Points are tkRAS in the file; with the volume's geometry behind the faces they are brought to scanner RAS,
/// without it they stay, and a warning says so. Errors: invalidInput.
[[nodiscard]] Result<ReadSurface> readFreeSurferMesh(FreeSurferFormat format, const FreeSurferInput& input,
                                                     MemorySink& sink);
/// curv, oldCurv, asciiValues: a value for every vertex. paint, label: for some, NaN for others.
[[nodiscard]] Result<ReadSurface> readFreeSurferValues(FreeSurferFormat format, const FreeSurferInput& input,
                                                       MemorySink& sink);
/// Labels are indices of the colour table; -1 where a vertex has none of it.
[[nodiscard]] Result<ReadSurface> readFreeSurferAnnotation(const FreeSurferInput& input, MemorySink& sink);

}  // namespace nora
