// What is told of an image or shape to those who may not see names.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace nora {

/// What infoOf() or toJson(ImageInfo) gives, with only those texts that are words of this program: what comes from a
/// file's header may be anybody's name. Numbers, flags and tables of labels stay.
[[nodiscard]] nlohmann::json withoutTexts(nlohmann::json info);

}  // namespace nora
