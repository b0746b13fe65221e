// What a file held once it was read: the value that the reader pool gives.
#pragma once

#include "image/document.hpp"
#include "image/surface.hpp"
#include "image/tractogram.hpp"
#include "image/volume.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <variant>

namespace nora {

using Content = std::variant<Volume, Surface, Tractogram, Document>;

/// "image", "surface", "tracts", "table", "document" or "labels".
[[nodiscard]] std::string_view kindOf(const Content& content);

[[nodiscard]] std::size_t memoryBytes(const Content& content);

/// The image that is held; nullptr if it is something else. Shares the ownership.
[[nodiscard]] std::shared_ptr<const Volume> volumeIn(const std::shared_ptr<const Content>& content);

/// What `nora info --json` prints of it, without "file".
[[nodiscard]] nlohmann::json infoOf(const Content& content);

}  // namespace nora
