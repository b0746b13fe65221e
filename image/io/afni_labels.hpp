// Names of values in AFNI headers: VALUE_LABEL_DTABLE and ATLAS_LABEL_TABLE, two small NIML texts inside attributes.
#pragma once

#include "image/label_table.hpp"

#include <string_view>
#include <vector>

namespace nora {

/// <VALUE_LABEL_DTABLE ...> "1" "left" "2" "right" ... </VALUE_LABEL_DTABLE>. What is no pair is left out.
[[nodiscard]] std::vector<Label> afniValueLabels(std::string_view niml);

/// <ATLAS_POINT ... STRUCT="left" VAL="1" ... /> ... . Points without a value are left out.
[[nodiscard]] std::vector<Label> afniAtlasLabels(std::string_view niml);

}  // namespace nora
