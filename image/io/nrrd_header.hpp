// The text header of an NRRD or NHDR file as fields and key/value pairs: the step between bytes and meaning.
// Own parser: Teem's library wants to open files itself, which a reader process cannot.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

struct NrrdHeader {
  int version = 1;                                         // NRRD000N
  std::map<std::string, std::string> fields;               // name: small letters, no blanks, "centers", "datafile"
  std::vector<std::pair<std::string, std::string>> pairs;  // key:=value, in the order of the file, unescaped
  std::vector<std::string> dataFiles;                      // the lines behind "data file: LIST"
  std::uint64_t end = 0;                                   // where attached voxels begin
  bool hasEnd = false;                                     // a blank line ends the header: voxels may follow
  std::vector<std::string> warnings;

  /// nullptr if the file does not have the field.
  [[nodiscard]] const std::string* field(const char* name) const;
  /// The value of a key, empty if there is none.
  [[nodiscard]] std::string_view value(std::string_view key) const;
};

/// True if the bytes begin with "NRRD" and a version.
[[nodiscard]] bool hasNrrdMagic(std::span<const std::byte> bytes);

/// Errors: invalidInput (no magic, a line that is neither field nor pair, no end within 64 MiB); unsupported (a version
/// above 5). Source: Teem's "Definition of NRRD File Format", sections 1 to 3.
[[nodiscard]] Result<NrrdHeader> parseNrrdHeader(std::span<const std::byte> bytes, const std::string& name);

/// The pieces of a per-axis field: vectors "(1,0,0)" with their brackets, "quoted texts" without quotes, words.
[[nodiscard]] std::vector<std::string> nrrdPieces(std::string_view text);

/// The numbers of a vector "(1,0,0)"; empty for "none" and for anything that is no vector of finite numbers.
[[nodiscard]] std::optional<std::vector<double>> nrrdVector(std::string_view piece);

}  // namespace nora
