// Text messages of the stream protocol: what clients may say, checked, and what the server says. docs/PROTOCOL.md is
// the contract. Everything that comes from a client is hostile until it is one of these structs.
#pragma once

#include "base/error.hpp"
#include "image/content.hpp"
#include "image/image_info.hpp"
#include "render/picker.hpp"
#include "render/scene/transfer_presets.hpp"
#include "render/scene/view_geometry.hpp"
#include "streaming/histogram.hpp"
#include "streaming/protocol/frame_header.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {

constexpr std::size_t maxMessageBytes = std::size_t{1} << 20;
constexpr int maxMessageDepth = 16;
constexpr std::size_t maxSceneBytes = std::size_t{4} << 20;  // 64 a value, and its text
constexpr int maxViewportSide = 4096;
constexpr std::uint64_t maxInputId = (std::uint64_t{1} << 53) - 1;
constexpr int protocolVersion = 2;

/// The first message of a connection.
struct StartMessage {
  std::vector<Codec> codecs;  // that the client can decode, without names that are not known here
  std::string resume;         // token of the session to go on with; empty: a new one
};
struct OpenMessage {
  std::uint64_t input = 0;
  Source source;
  bool asOverlay = false;
};
struct SceneMessage {
  std::uint64_t input = 0;
  nlohmann::json scene;  // an object; its content is checked by sceneFromJson
};
struct EditMessage {
  std::uint64_t input = 0;
  nlohmann::json patch;  // an array; its content is checked by applyPatch
  /// Views that show the picture of what comes of it already: the one that was sent ahead under that id.
  std::map<std::string, std::uint32_t> have{};
};
struct ViewportSize {
  int width = 0;
  int height = 0;
  friend bool operator==(const ViewportSize&, const ViewportSize&) = default;
};
struct ViewportsMessage {
  std::uint64_t input = 0;
  std::map<std::string, ViewportSize> views;
  std::string focus;  // may be empty
};
struct ProbeMessage {
  std::uint64_t input = 0;
  Vec3 mm{};
};
/// What is at a place of a view?
struct PickMessage {
  std::uint64_t input = 0;
  std::string view;
  double x = 0;  // 0..1 from the left edge
  double y = 0;  // 0..1 from the top
};
/// Stop loading a layer's image.
struct CancelMessage {
  std::uint64_t input = 0;
  std::string layer;
};
/// Load what was stopped, or failed, of a layer's image.
struct LoadMessage {
  std::uint64_t input = 0;
  std::string layer;
};
struct AckMessage {
  std::uint64_t frame = 0;
  double heldMs = 0;  // from its arrival to the sending of this
  std::optional<double> decodeMs = std::nullopt;
};
/// How pictures shall be coded; empty: as the server finds best.
struct PreferMessage {
  std::optional<Codec> moving;
  std::optional<Codec> still;
};
/// The client's decoder cannot go on without a picture that stands by itself.
struct KeyMessage {
  std::string view;
};
/// Pictures that may be wanted soon.
struct AheadMessage {
  struct Item {
    std::uint32_t id = 0;
    std::string view;
    nlohmann::json patch;  // an array
  };
  std::vector<Item> items;  // best first
};
struct PingMessage {
  nlohmann::json token;  // a number, sent back as it came
};

using ClientMessage =
    std::variant<StartMessage, OpenMessage, SceneMessage, EditMessage, ViewportsMessage, ProbeMessage, PickMessage,
                 CancelMessage, LoadMessage, AckMessage, PreferMessage, KeyMessage, AheadMessage, PingMessage>;

/// Errors: invalidInput (malformed), limitExceeded (too large or too deep), forbidden (another protocol version).
[[nodiscard]] Result<ClientMessage> parseClientMessage(std::string_view text);

/// Applies a JSON Patch (RFC 6902) to a document; all or nothing. At most 256 operations; a result of more than 4 MiB
/// or 16 levels is refused, and so is a patch whose operations together add, copy and move more than `mostBytes`:
/// copies of copies can neither fill the memory nor take long. Errors: invalidInput, limitExceeded.
[[nodiscard]] Result<nlohmann::json> applyPatch(const nlohmann::json& document, const nlohmann::json& patch,
                                                std::size_t mostBytes = maxSceneBytes);

/// JSON text; bytes that are not UTF-8 (odd file names) become U+FFFD.
[[nodiscard]] std::string dump(const nlohmann::json& json);

enum class ImageState : std::uint8_t { loading, ready, failed };

/// A time point that a layer shows and that is not there; the pictures show another one meanwhile.
struct AwaitedTime {
  enum class State : std::uint8_t { loading, stopped, failed };

  std::int64_t timePoint = 0;
  State state = State::loading;

  friend bool operator==(const AwaitedTime&, const AwaitedTime&) = default;
};

/// What the `images` message says of one layer.
struct LayerReport {
  std::string id;
  std::string name;
  ImageState state = ImageState::loading;
  const ImageInfo* info = nullptr;  // once it is ready
  Window window;                    // in force
  std::string error;                // once it failed
  std::optional<TimeRange> held;    // the time points that are there, if these are not all
  std::uint64_t input = 0;          // of the `open` that is under way; else 0
  bool restStopped = false;         // with `held`: the other time points are not being loaded
  std::optional<AwaitedTime> awaited = std::nullopt;
  const Histogram* histogram = nullptr;     // once it is ready, unless it is a label map
  std::vector<TransferChoice> transfers{};  // likewise
  const Content* shape = nullptr;           // instead of info
  std::string note{};                       // why it is there and not seen
  bool hidesTexts = false;                  // of info and shape
};

/// Of a vertex, or a point or streamline.
struct PickedValue {
  std::string layer;
  std::string name;  // of the data
  double value = 0;
  std::string label;
};

struct LayerValue {
  std::string id;
  Probe probe;
  std::optional<std::array<int, 3>> rgb;
  std::string label;  // name of the value, of images with a label table
};

/// What a connection is told first.
struct Hello {
  std::string version;
  std::string session;           // token with which it can be resumed
  bool resumed = false;          // the session that was asked for goes on
  std::uint64_t applied = 0;     // newest input id that was worked through
  std::uint64_t revision = 0;    // see FrameHeader
  std::vector<Codec> codecs;     // that may be sent
  std::chrono::seconds kept{0};  // so long after its connection is gone
};
[[nodiscard]] std::string helloMessage(const Hello& hello, const nlohmann::json& scene);
/// `applied`: the newest input id that the server had worked through when it made this scene; a client applies its own
/// later edits on top. `revision`: that of the first picture of this scene, see FrameHeader.
[[nodiscard]] std::string sceneMessage(std::uint64_t input, std::uint64_t applied, std::uint64_t revision,
                                       const nlohmann::json& scene);
/// Of label tables and diffusion schemes only the source and the count: they may be long, and HTTP gives them.
/// `revision`: that of the first picture that shows these images.
[[nodiscard]] std::string imagesMessage(const std::vector<LayerReport>& layers, std::uint64_t revision);
/// How far the loading of layers is: 0..1.
[[nodiscard]] std::string progressMessage(const std::map<std::string, double>& layers);
[[nodiscard]] std::string valuesMessage(std::uint64_t input, const Vec3& mm, const std::vector<LayerValue>& layers);
/// Empty `hit`: there is nothing.
[[nodiscard]] std::string pickedMessage(std::uint64_t input, const std::optional<PickHit>& hit,
                                        const std::vector<PickedValue>& values);
/// `input` 0 and an empty `layer` are left out.
[[nodiscard]] std::string errorMessage(const Error& error, std::uint64_t input = 0, const std::string& layer = {});
[[nodiscard]] std::string pongMessage(const nlohmann::json& token);

}  // namespace nora
