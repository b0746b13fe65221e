// What a client asked for by pick: found away from the session's lock, for it may take a while.
#pragma once

#include "render/picker.hpp"
#include "streaming/protocol/messages.hpp"

#include <memory>
#include <string>

namespace nora {

/// Nobody else changes what it points to.
struct PickJob {
  std::shared_ptr<const Scene> scene;
  std::shared_ptr<const LayerVolumes> volumes;
  std::shared_ptr<const LayerShapes> shapes;
  PickMessage asked;
  ViewportSize viewport;
};

/// The message that answers it. One thread at a time per picker.
[[nodiscard]] std::string answer(Picker& picker, const PickJob& job);

}  // namespace nora
