// Reads the legacy VTK format ("# vtk DataFile Version ...") into arrays.
#pragma once

#include "image/io/vtk_dataset.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

[[nodiscard]] bool hasVtkLegacyMagic(std::span<const std::byte> bytes);

/// Own parser because VTK's readers believe what a file claims: their memory has no bound and damaged files crash them.
/// ASCII and BINARY (big-endian; its arrays stay in the file), versions 1 to 5.1; POLYDATA, UNSTRUCTURED_GRID and
/// STRUCTURED_POINTS; all attributes; METADATA and look-up tables are skipped. Every count is held against the bytes
/// that are left before anything is asked for. Errors: invalidInput; unsupported (other datasets).
/// Source: VTK file formats, docs.vtk.org, "Legacy file formats".
[[nodiscard]] Result<VtkDataset> readVtkLegacy(std::span<const std::byte> bytes, const std::string& name);

/// What kind of thing a file is, without reading its numbers: "surface", "tracts", "image"; empty if that cannot be
/// told.
[[nodiscard]] std::string peekVtkLegacy(std::span<const std::byte> bytes);

}  // namespace nora
