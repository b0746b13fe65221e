// LayerImages: which image each layer of one session's scene has, is waiting for, or failed to get.
#pragma once

#include "render/renderer.hpp"
#include "streaming/protocol/messages.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

/// An image that somebody must load now; `ticket` names it when the result comes back.
struct ImageLoad {
  std::uint64_t ticket = 0;
  Source source;
  std::stop_token stop;
};

/// Thread: one at a time (the session's lock).
class LayerImages {
 public:
  LayerImages() = default;
  LayerImages(const LayerImages&) = delete;
  LayerImages& operator=(const LayerImages&) = delete;
  ~LayerImages() { stopAll(); }

  /// Makes the images those of the scene's layers: forgets layers that are gone (their loads stop), starts loads for
  /// new ones and for those whose source changed. Adds the loads to `loads`. True if anything changed.
  bool follow(const Scene& scene, std::uint64_t& lastTicket, std::vector<ImageLoad>& loads);

  /// Gives a layer its image before the scene that has it is followed.
  void put(const std::string& layer, const Source& source, std::shared_ptr<const Volume> volume);

  /// Takes the result of a load. Returns the layer's id, or nothing if nobody waits for it any more.
  std::optional<std::string> finish(std::uint64_t ticket, Result<std::shared_ptr<const Volume>> result);

  /// Forgets failures, so that the next follow() tries them again.
  void forgetFailures();
  void stopAll();

  /// Images that are ready.
  [[nodiscard]] std::shared_ptr<const LayerVolumes> volumes() const;
  [[nodiscard]] const Volume* find(const std::string& layer) const;
  [[nodiscard]] std::vector<LayerReport> reports(const Scene& scene) const;

 private:
  struct Image {
    Source source;
    ImageState state = ImageState::loading;
    std::shared_ptr<const Volume> volume;
    Error error;
    std::uint64_t ticket = 0;
    std::stop_source stop;
  };

  std::map<std::string, Image> images_;
};

/// The name under which an image is shown: its file, or that of its folder for a series.
[[nodiscard]] std::string shownName(const Source& source);

/// A short layer id made of the file's name, unlike any of `taken`.
[[nodiscard]] std::string newLayerId(const Source& source, const std::vector<std::string>& taken);

}  // namespace nora
