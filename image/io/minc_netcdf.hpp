// Parser of the classic netCDF format (CDF-1 and CDF-2), which MINC 1 files are. Own parser because Debian's netCDF
// opens files by name only and brings HDF5, curl and more along; format by
// https://docs.unidata.ucar.edu/nug/current/file_format_specifications.html
#pragma once

#include "base/error.hpp"
#include "image/io/minc_file.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

[[nodiscard]] bool hasNetcdfMagic(std::span<const std::byte> bytes);

/// Header, and the values of image-min and image-max. `bytes` may be the beginning of the file only.
struct NetcdfParse {
  MincFile file;
  std::uint64_t needed = 0;  // more bytes than there were are needed to say; `file` is then incomplete
};

/// Errors: invalidInput (damaged, lying); unsupported (CDF-5).
[[nodiscard]] Result<NetcdfParse> parseNetcdf(std::span<const std::byte> bytes, const std::string& name);

}  // namespace nora
