// The XML of a CIFTI-2 file as plain values: what the rows and columns of its matrix are.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/label_table.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

enum class CiftiAxis : std::uint8_t { none, brainModels, parcels, scalars, labels, series };

using CiftiVoxel = std::array<std::int64_t, 3>;

/// Vertices of one surface, or voxels, and the indices of the axis that hold their values.
struct CiftiModel {
  std::string structure;  // "CortexLeft"
  bool surface = false;
  std::int64_t offset = 0, count = 0;  // the indices of the axis
  std::int64_t vertices = 0;           // of the whole surface
  std::vector<std::int64_t> indices;   // a vertex each
  std::vector<CiftiVoxel> voxels;
};

/// One value for many places: index i of the axis is parcel i.
struct CiftiParcel {
  std::string name;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> vertices;  // structure, its vertices
  std::vector<CiftiVoxel> voxels;
};

struct CiftiMap {
  std::string name;
  std::vector<Label> labels;
};

struct CiftiDimension {
  CiftiAxis axis = CiftiAxis::none;
  std::vector<CiftiModel> models;
  std::vector<CiftiParcel> parcels;
  std::vector<std::pair<std::string, std::int64_t>> surfaces;  // of parcels: structure, number of vertices
  std::vector<CiftiMap> maps;
  std::int64_t seriesLength = 0;
  double seriesStep = 0;  // in seriesUnit
  std::string seriesUnit;
  bool hasVolume = false;
  CiftiVoxel volumeDims{};
  Affine worldFromVoxel;  // mm
};

struct CiftiXml {
  std::string version;
  std::array<CiftiDimension, 2> dimensions;  // 0: along a row of the matrix (fastest on disk), 1: from row to row
};

/// Errors: invalidInput (no CIFTI, damaged XML, wrong numbers); unsupported (version 1, more than two dimensions).
/// Source: CIFTI-2 file format specification.
[[nodiscard]] Result<CiftiXml> parseCifti(std::string_view text, const std::string& name);

/// The name of an axis for messages: "brain models", ...
[[nodiscard]] std::string_view toString(CiftiAxis axis);

}  // namespace nora
