// A CIFTI file taken apart: its XML, held against the NIfTI header, and its matrix of numbers.
#pragma once

#include "base/error.hpp"
#include "image/io/cifti_xml.hpp"
#include "image/io/nifti_header.hpp"
#include "image/voxel_type.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// Where values go: row `row` of the matrix belongs to a vertex of a surface, or to a voxel.
struct CiftiSurface {
  std::string structure;
  std::int64_t vertices = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;  // vertex, row
};

struct CiftiFile {
  CiftiXml xml;
  VoxelType type = VoxelType::float32;  // as stored
  bool swapped = false;
  double slope = 1, inter = 0;
  std::int64_t columns = 0, rows = 0;
  std::size_t offset = 0;  // of the matrix in the file
  std::vector<CiftiSurface> surfaces;
  std::vector<std::pair<CiftiVoxel, std::int64_t>> voxels;  // voxel, row

  [[nodiscard]] const CiftiDimension& along() const { return xml.dimensions[0]; }
  [[nodiscard]] const CiftiDimension& across() const { return xml.dimensions[1]; }
};

/// True for a NIfTI-2 header whose intent is one of CIFTI's (3000 to 3099).
[[nodiscard]] bool hasCiftiHeader(std::span<const std::byte> beginning, const std::string& name);

/// Everything but the numbers, checked: rows and columns are what the XML says, indices lie within them, the matrix
/// within the file. Errors: as CiftiReader's.
[[nodiscard]] Result<CiftiFile> openCifti(std::span<const std::byte> bytes, const std::string& name);

/// One row, scaled.
void readCiftiRow(const CiftiFile& file, std::span<const std::byte> bytes, std::int64_t row, std::span<double> out);

}  // namespace nora
