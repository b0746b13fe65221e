// The text header of an MRtrix image (.mif, .mif.gz, .mih) as plain values: the step between bytes and ImageInfo.
// Own parser because MRtrix has no library apart from its programs; format by
// https://mrtrix.readthedocs.io/en/latest/getting_started/image_data.html
#pragma once

#include "base/error.hpp"
#include "image/io/strided_voxels.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

/// One `file:` entry: where voxels lie.
struct MifFile {
  std::string name;  // "." : in the header's own file
  std::uint64_t offset = 0;
};

struct MifHeader {
  std::vector<std::int64_t> dim;
  std::vector<double> vox;   // as many as dim; NaN where the file has none
  std::vector<long> layout;  // as many as dim: rank of the axis from the fastest, 1 and up; negative: runs backwards
  StoredVoxel stored;
  std::vector<std::vector<double>> transform;  // rows; empty if the file has none
  VoxelScale scaling;
  std::vector<std::vector<double>> gradients;  // dw_scheme: x, y, z (scanner RAS), b
  std::vector<MifFile> files;
  std::vector<std::pair<std::string, std::string>> others;  // every further key, in the file's order
};

/// True if the bytes, inflated where they are gzip, begin as MRtrix images do.
[[nodiscard]] bool hasMifMagic(std::span<const std::byte> bytes);

/// Parses the text up to END and checks each field by itself.
/// Errors: invalidInput (no END, a field that is missing or makes no sense); unsupported (datatype, number of axes).
[[nodiscard]] Result<MifHeader> parseMifHeader(std::span<const std::byte> bytes, const std::string& name);

/// "Float32LE", "Bit", ... in any case; empty if MRtrix has no such type.
[[nodiscard]] std::optional<StoredVoxel> mifDatatype(std::string_view name);

}  // namespace nora
