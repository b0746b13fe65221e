// Reads VTK's XML format (.vtp, .vtu, .vti) into arrays.
#pragma once

#include "image/io/vtk_dataset.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

[[nodiscard]] bool hasVtkXmlMagic(std::span<const std::byte> bytes);

/// Own reader on expat for the same reasons as vtk_legacy.hpp. PolyData, UnstructuredGrid and ImageData of one piece;
/// arrays as text, base64 or appended (raw or base64), plain or zlib-compressed, both byte orders, header_type UInt32
/// and UInt64. Sizes of arrays are held against the counts of the piece and against what their bytes can hold. Errors:
/// invalidInput; unsupported (several pieces, other kinds). Source: VTK file formats, docs.vtk.org, "XML
/// file formats".
[[nodiscard]] Result<VtkDataset> readVtkXml(std::span<const std::byte> bytes, const std::string& name);

/// "surface", "tracts", "image", or empty, by the head of the file.
[[nodiscard]] std::string peekVtkXml(std::span<const std::byte> bytes);

}  // namespace nora
