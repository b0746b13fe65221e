// Texts in NIfTI headers, which may tell whose an image is: found, and left out of what leaves.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

/// Places of a NIfTI-1 or NIfTI-2 file whose bytes leave as zeros: descrip, aux_file, intent_name, what NIfTI-1 kept of
/// Analyze's db_name, all extensions, and whatever stands behind the voxels.
class NiftiTexts {
 public:
  /// `head`: the beginning of the file, unpacked, 540 bytes or more if it is that long.
  /// Errors: forbidden (it is no NIfTI file, so that nobody knows where its texts are).
  [[nodiscard]] static Result<NiftiTexts> in(std::string_view head);

  /// `bytes` of the file, the first of them at `at`.
  void blank(std::span<std::byte> bytes, std::int64_t at) const;

 private:
  using Places = std::vector<std::pair<std::int64_t, std::int64_t>>;  // from, until
  explicit NiftiTexts(Places places) : places_(std::move(places)) {}

  Places places_;
};

}  // namespace nora
