// LayerImages: which image each layer of one session's scene has, is waiting for, or failed to get.
#pragma once

#include "render/renderer.hpp"
#include "streaming/histogram.hpp"
#include "streaming/protocol/messages.hpp"
#include "streaming/session.hpp"

#include <chrono>
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
  std::optional<std::int64_t> timePoint;  // what is needed first; empty: the whole image
  bool background = false;                // there is something to look at already
  std::stop_token stop;
};

/// What became of a layer when a load ended.
struct FinishedLoad {
  std::string layer;
  std::optional<Error> error;
};

/// An image of several time points may come in pieces: the time point that is shown first, then, in the background, the
/// whole, which replaces it. Meanwhile another time point that is asked for is loaded by itself.
/// Thread: one at a time (the session's lock).
class LayerImages {
 public:
  LayerImages() = default;
  LayerImages(const LayerImages&) = delete;
  LayerImages& operator=(const LayerImages&) = delete;
  ~LayerImages() { stopAll(); }

  /// Makes the images those of the scene's layers: forgets layers that are gone (their loads stop), starts loads for
  /// new ones, for those whose source changed, and for time points that are shown and not there; one that was stopped
  /// or failed is tried again when the viewer comes back to it. Adds the loads to `loads`. True if a layer's image
  /// changed its state.
  bool follow(const Scene& scene, std::uint64_t& lastTicket, std::vector<ImageLoad>& loads);

  /// Gives a layer its image before the scene that has it is followed.
  void put(const std::string& layer, const Source& source, LayerContent content, Histogram histogram = {});

  /// Takes the result of a load; to be followed by follow(). Nothing if nobody waits for it any more.
  std::optional<FinishedLoad> finish(std::uint64_t ticket, Result<LayerContent> result, Histogram histogram = {});

  /// Fails the images whose file was changed since it was read (Volume::isIntact); resume() reads them again.
  std::vector<FinishedLoad> dropChanged();

  /// Stops what is being loaded for a layer; what is there stays. False if nothing is.
  bool cancel(const std::string& layer);
  /// Lets the next follow() load what was stopped or failed. False if there is nothing of the kind.
  bool resume(const std::string& layer);

  /// The scene to be drawn: a layer whose time point is not there yet shows the one that is.
  [[nodiscard]] std::shared_ptr<const Scene> drawable(const std::shared_ptr<const Scene>& scene) const;

  /// How far a load is. Nothing if nobody waits for it.
  void setProgress(std::uint64_t ticket, double fraction);
  /// Of the layers whose loads were started before a time and have told something.
  [[nodiscard]] std::map<std::string, double> progress(std::chrono::steady_clock::time_point startedBefore) const;

  /// Forgets failures, so that the next follow() tries them again.
  void forgetFailures();
  void stopAll();
  /// What is being loaded; the next follow() begins anew.
  void stopLoads();
  /// Forgets everything, as if there had never been a scene.
  void clear();
  /// True if the time points that the layers show are all there.
  [[nodiscard]] bool holdsTimesOf(const Scene& scene) const;

  /// Images that are ready.
  [[nodiscard]] std::shared_ptr<const LayerVolumes> volumes() const;
  [[nodiscard]] std::shared_ptr<const LayerShapes> shapes() const;
  [[nodiscard]] const Volume* find(const std::string& layer) const;
  [[nodiscard]] std::vector<LayerReport> reports(const Scene& scene) const;

 private:
  struct Pending {
    std::uint64_t ticket = 0;
    std::optional<std::int64_t> timePoint;  // empty: the whole image
    std::stop_source stop;
    std::optional<double> progress;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  };
  struct Image {
    Source source;
    ImageState state = ImageState::loading;
    std::shared_ptr<const Volume> volume;
    std::shared_ptr<const Content> shape;  // instead of a volume
    Histogram histogram;                   // of the volume
    bool hidesTexts = false;
    Error error;
    std::vector<Pending> pending;
    bool settled = false;                // the rest of a series failed or was stopped: time points come one by one
    std::optional<AwaitedTime> awaited;  // the time point that is shown, if it is not there

    void stop() {
      for (auto& load : pending) load.stop.request_stop();
      pending.clear();
    }
  };

  static void start(Image& image, std::optional<std::int64_t> timePoint, std::uint64_t& lastTicket,
                    std::vector<ImageLoad>& loads);
  static bool complete(Image& image, const Layer& layer, std::uint64_t& lastTicket, std::vector<ImageLoad>& loads);

  std::map<std::string, Image> images_;
};

/// The name under which an image is shown: its file, or that of its folder for a series.
[[nodiscard]] std::string shownName(const Source& source);

/// A short layer id made of the file's name, unlike any of `taken`.
[[nodiscard]] std::string newLayerId(const Source& source, const std::vector<std::string>& taken);

}  // namespace nora
