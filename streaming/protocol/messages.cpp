#include "streaming/protocol/messages.hpp"

#include "streaming/protocol/shown_info.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::size_t maxLayerId = 256;   // bytes
constexpr std::size_t maxViewName = 256;  // bytes; a view has at most 64 characters
constexpr std::size_t maxViews = 32;
constexpr std::size_t maxAhead = 32;
constexpr std::size_t maxCodecs = 32;
constexpr std::size_t maxToken = 64;  // bytes
constexpr double maxTime = 1e9;       // ms

tl::unexpected<Error> malformed(std::string what, std::string where = {}) {
  return fail(ErrorCode::invalidInput, std::move(what), std::move(where));
}

/// Looks at brackets outside strings only, so that nothing is built from a message that is too deep.
bool deeperThan(std::string_view text, int limit) {
  int depth = 0;
  bool inString = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '{' || c == '[') {
      if (++depth > limit) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

/// Refuses fields that the message does not have: a spelling mistake would otherwise be silently ignored.
Result<void> checkFields(const json& message, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : message.items()) {
    bool found = key == "type";
    for (const auto name : known) found = found || key == name;
    if (!found) return malformed("unknown field", key.substr(0, 64));
  }
  return {};
}

Result<std::uint64_t> wholeNumber(const json& object, const char* field, std::uint64_t low, std::uint64_t high) {
  const auto at = object.find(field);
  if (at == object.end()) return malformed("the field is missing", field);
  // A page may write whole numbers as 1.0 or 1e3: JSON does not tell them apart.
  if (at->is_number_float()) {
    const double value = at->get<double>();
    const bool whole =
        value >= static_cast<double>(low) && value <= static_cast<double>(high) && std::trunc(value) == value;
    if (!whole) return malformed("not a whole number in its range", field);
    return static_cast<std::uint64_t>(value);
  }
  if (!at->is_number_unsigned()) return malformed("not a whole number in its range", field);
  const auto value = at->get<std::uint64_t>();
  if (value < low || value > high) return malformed("not a whole number in its range", field);
  return value;
}

Result<std::string> text(const json& object, const char* field, std::size_t maxBytes) {
  const auto at = object.find(field);
  if (at == object.end()) return malformed("the field is missing", field);
  if (!at->is_string()) return malformed("not a string", field);
  auto value = at->get<std::string>();
  if (value.empty() || value.size() > maxBytes) return malformed("empty or too long", field);
  return value;
}

Result<ClientMessage> parseOpen(const json& message, std::uint64_t input) {
  if (auto ok = checkFields(message, {"input", "source", "as"}); !ok) return tl::make_unexpected(ok.error());
  if (!message.contains("source")) return malformed("the field is missing", "source");
  auto source = sourceFromJson(message["source"], "source");
  if (!source) return tl::make_unexpected(source.error());
  OpenMessage out{input, std::move(*source), false};
  if (message.contains("as")) {
    const auto as = text(message, "as", 16);
    if (!as) return tl::make_unexpected(as.error());
    if (*as != "new" && *as != "overlay") return malformed("neither \"new\" nor \"overlay\"", "as");
    out.asOverlay = *as == "overlay";
  }
  return out;
}

Result<ClientMessage> parseScene(json& message, std::uint64_t input) {
  if (auto ok = checkFields(message, {"input", "scene"}); !ok) return tl::make_unexpected(ok.error());
  if (!message.contains("scene") || !message["scene"].is_object()) return malformed("not an object", "scene");
  return SceneMessage{input, std::move(message["scene"])};
}

Result<ClientMessage> parseEdit(json& message, std::uint64_t input) {
  if (auto ok = checkFields(message, {"input", "patch", "have"}); !ok) return tl::make_unexpected(ok.error());
  if (!message.contains("patch") || !message["patch"].is_array()) return malformed("not an array", "patch");
  EditMessage out{input, std::move(message["patch"])};
  const auto have = message.find("have");
  if (have == message.end()) return out;
  if (!have->is_object()) return malformed("not an object", "have");
  if (have->size() > maxViews) return malformed("more than 32 views", "have");
  for (const auto& item : have->items()) {
    if (item.key().empty() || item.key().size() > maxViewName)
      return malformed("a view's name is empty or too long", "have");
    const auto id = wholeNumber(*have, item.key().c_str(), 1, 0xFFFFFFFFU);
    if (!id) return tl::make_unexpected(id.error());
    out.have[item.key()] = static_cast<std::uint32_t>(*id);
  }
  return out;
}

Result<ClientMessage> parseViewports(const json& message, std::uint64_t input) {
  if (auto ok = checkFields(message, {"input", "views", "focus"}); !ok) return tl::make_unexpected(ok.error());
  const auto views = message.find("views");
  if (views == message.end() || !views->is_object()) return malformed("not an object", "views");
  if (views->size() > maxViews) return malformed("more than 32 views", "views");
  ViewportsMessage out;
  out.input = input;
  for (const auto& [name, size] : views->items()) {
    if (name.empty() || name.size() > maxViewName) return malformed("a view's name is empty or too long", "views");
    if (!size.is_object() || size.size() != 2) return malformed("a size needs width and height", "views/" + name);
    const auto width = wholeNumber(size, "width", 1, maxViewportSide);
    if (!width) return tl::make_unexpected(width.error());
    const auto height = wholeNumber(size, "height", 1, maxViewportSide);
    if (!height) return tl::make_unexpected(height.error());
    out.views[name] = {static_cast<int>(*width), static_cast<int>(*height)};
  }
  if (message.contains("focus") && !message["focus"].is_null()) {
    auto focus = text(message, "focus", maxViewName);
    if (!focus) return tl::make_unexpected(focus.error());
    out.focus = std::move(*focus);
  }
  return out;
}

Result<ClientMessage> parseProbe(const json& message, std::uint64_t input) {
  if (auto ok = checkFields(message, {"input", "mm"}); !ok) return tl::make_unexpected(ok.error());
  const auto mm = message.find("mm");
  if (mm == message.end() || !mm->is_array() || mm->size() != 3) return malformed("not three numbers", "mm");
  ProbeMessage out{input, {}};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!(*mm)[i].is_number()) return malformed("not three numbers", "mm");
    out.mm[i] = (*mm)[i].get<double>();
  }
  return out;
}

Result<double> share(const json& object, const char* field) {
  const auto at = object.find(field);
  if (at == object.end() || !at->is_number()) return malformed("not a number", field);
  const auto value = at->get<double>();
  if (!(value >= 0 && value <= 1)) return malformed("not between 0 and 1", field);
  return value;
}

Result<ClientMessage> parsePick(const json& message, std::uint64_t input) {
  if (auto ok = checkFields(message, {"input", "view", "x", "y"}); !ok) return tl::make_unexpected(ok.error());
  auto view = text(message, "view", maxViewName);
  if (!view) return tl::make_unexpected(view.error());
  const auto x = share(message, "x");
  if (!x) return tl::make_unexpected(x.error());
  const auto y = share(message, "y");
  if (!y) return tl::make_unexpected(y.error());
  return PickMessage{input, std::move(*view), *x, *y};
}

/// A message that names a layer and nothing else.
template <class Message>
Result<ClientMessage> parseOfLayer(const json& message, std::uint64_t input) {
  if (auto ok = checkFields(message, {"input", "layer"}); !ok) return tl::make_unexpected(ok.error());
  auto layer = text(message, "layer", maxLayerId);
  if (!layer) return tl::make_unexpected(layer.error());
  return Message{input, std::move(*layer)};
}

Result<ClientMessage> parseStart(const json& message) {
  if (auto ok = checkFields(message, {"protocol", "codecs", "resume"}); !ok) return tl::make_unexpected(ok.error());
  const auto protocol = wholeNumber(message, "protocol", 1, 0xFFFFFFFFU);
  if (!protocol) return tl::make_unexpected(protocol.error());
  if (*protocol != protocolVersion) {
    return fail(ErrorCode::forbidden,
                "the client speaks protocol " + std::to_string(*protocol) + ", this server protocol " +
                    std::to_string(protocolVersion) + ": load the page again",
                "protocol");
  }
  const auto codecs = message.find("codecs");
  if (codecs == message.end() || !codecs->is_array()) return malformed("not an array", "codecs");
  if (codecs->size() > maxCodecs) return malformed("more than 32 names", "codecs");
  StartMessage out;
  for (const auto& name : *codecs) {
    if (!name.is_string()) return malformed("not a string", "codecs");
    if (const auto codec = codecNamed(name.get<std::string>())) out.codecs.push_back(*codec);
  }
  for (const Codec needed : {Codec::jpeg, Codec::png}) {
    if (std::find(out.codecs.begin(), out.codecs.end(), needed) == out.codecs.end())
      return malformed("a client must be able to decode jpeg and png", "codecs");
  }
  if (message.contains("resume")) {
    auto resume = text(message, "resume", maxToken);
    if (!resume) return tl::make_unexpected(resume.error());
    out.resume = std::move(*resume);
  }
  return out;
}

/// A time in milliseconds; empty if it is not there.
Result<std::optional<double>> milliseconds(const json& message, const char* field) {
  const auto at = message.find(field);
  if (at == message.end()) return std::optional<double>();
  if (!at->is_number()) return malformed("not a number", field);
  const auto value = at->get<double>();
  if (!(value >= 0 && value <= maxTime)) return malformed("not a time in milliseconds", field);
  return std::optional(value);
}

Result<ClientMessage> parseAck(const json& message) {
  if (auto ok = checkFields(message, {"frame", "heldMs", "decodeMs"}); !ok) return tl::make_unexpected(ok.error());
  const auto frame = wholeNumber(message, "frame", 1, 0xFFFFFFFFU);
  if (!frame) return tl::make_unexpected(frame.error());
  const auto held = milliseconds(message, "heldMs");
  if (!held) return tl::make_unexpected(held.error());
  const auto decode = milliseconds(message, "decodeMs");
  if (!decode) return tl::make_unexpected(decode.error());
  return AckMessage{*frame, held->value_or(0), *decode};
}

/// "auto" (or nothing) is empty.
Result<std::optional<Codec>> wish(const json& message, const char* field, bool lossless) {
  if (!message.contains(field)) return std::optional<Codec>();
  const auto name = text(message, field, 16);
  if (!name) return tl::make_unexpected(name.error());
  if (*name == "auto") return std::optional<Codec>();
  const auto codec = codecNamed(*name);
  if (!codec || isLossless(*codec) != lossless)
    return malformed(lossless ? "not auto, png or webp" : "not auto, jpeg, h264, hevc or av1", field);
  return codec;
}

Result<ClientMessage> parsePrefer(const json& message) {
  if (auto ok = checkFields(message, {"moving", "still"}); !ok) return tl::make_unexpected(ok.error());
  const auto moving = wish(message, "moving", false);
  if (!moving) return tl::make_unexpected(moving.error());
  const auto still = wish(message, "still", true);
  if (!still) return tl::make_unexpected(still.error());
  return PreferMessage{*moving, *still};
}

Result<ClientMessage> parseKey(const json& message) {
  if (auto ok = checkFields(message, {"view"}); !ok) return tl::make_unexpected(ok.error());
  auto view = text(message, "view", maxViewName);
  if (!view) return tl::make_unexpected(view.error());
  return KeyMessage{std::move(*view)};
}

Result<ClientMessage> parseAhead(json& message) {
  if (auto ok = checkFields(message, {"items"}); !ok) return tl::make_unexpected(ok.error());
  const auto items = message.find("items");
  if (items == message.end() || !items->is_array()) return malformed("not an array", "items");
  if (items->size() > maxAhead) return malformed("more than 32 pictures", "items");
  AheadMessage out;
  for (auto& item : *items) {
    if (!item.is_object() || item.size() != 3) return malformed("not an id, a view and a patch", "items");
    const auto id = wholeNumber(item, "id", 1, 0xFFFFFFFFU);
    if (!id) return tl::make_unexpected(id.error());
    auto view = text(item, "view", maxViewName);
    if (!view) return tl::make_unexpected(view.error());
    if (!item.contains("patch") || !item["patch"].is_array()) return malformed("not an array", "patch");
    out.items.push_back({static_cast<std::uint32_t>(*id), std::move(*view), std::move(item["patch"])});
  }
  return out;
}

Result<ClientMessage> parsePing(const json& message) {
  if (auto ok = checkFields(message, {"token"}); !ok) return tl::make_unexpected(ok.error());
  if (!message.contains("token") || !message["token"].is_number()) return malformed("not a number", "token");
  return PingMessage{message["token"]};
}

Result<ClientMessage> parseObject(json& message) {
  const auto type = text(message, "type", 32);
  if (!type) return tl::make_unexpected(type.error());
  if (*type == "ack") return parseAck(message);
  if (*type == "ping") return parsePing(message);
  if (*type == "ahead") return parseAhead(message);
  if (*type == "key") return parseKey(message);
  if (*type == "prefer") return parsePrefer(message);
  if (*type == "start") return parseStart(message);
  const bool known = *type == "open" || *type == "scene" || *type == "edit" || *type == "viewports" ||
                     *type == "probe" || *type == "pick" || *type == "cancel" || *type == "load";
  if (!known) return malformed("unknown message type", printable(*type));
  const auto input = wholeNumber(message, "input", 1, maxInputId);
  if (!input) return tl::make_unexpected(input.error());
  if (*type == "open") return parseOpen(message, *input);
  if (*type == "scene") return parseScene(message, *input);
  if (*type == "edit") return parseEdit(message, *input);
  if (*type == "viewports") return parseViewports(message, *input);
  if (*type == "pick") return parsePick(message, *input);
  if (*type == "cancel") return parseOfLayer<CancelMessage>(message, *input);
  if (*type == "load") return parseOfLayer<LoadMessage>(message, *input);
  return parseProbe(message, *input);
}

json finiteOrNull(double value) {
  return std::isfinite(value) ? json(value) : json(nullptr);
}

json toJson(const TransferChoice& choice) {
  return {{"preset", choice.preset}, {"title", choice.title}, {"points", toJson(choice.points)}};
}

json transfersJson(const std::vector<TransferChoice>& choices) {
  json out = json::array();
  for (const auto& choice : choices) out.push_back(toJson(choice));
  return out;
}

const char* nameOf(AwaitedTime::State state) {
  switch (state) {
    case AwaitedTime::State::loading: return "loading";
    case AwaitedTime::State::stopped: return "stopped";
    case AwaitedTime::State::failed: break;
  }
  return "failed";
}

json shortInfo(ImageInfo info) {
  json labels, diffusion;
  if (info.labels) labels = {{"source", info.labels->source()}, {"count", info.labels->labels().size()}};
  if (info.diffusion) diffusion = {{"source", info.diffusion->source}, {"count", info.diffusion->bValues.size()}};
  info.labels.reset();
  info.diffusion.reset();
  json out = toJson(info);
  if (!labels.is_null()) out["labels"] = std::move(labels);
  if (!diffusion.is_null()) out["diffusion"] = std::move(diffusion);
  return out;
}

json shortInfo(const Content& shape) {
  json out = infoOf(shape);
  for (const char* key : {"data", "perPoint", "perStreamline"}) {
    if (!out.contains(key)) continue;
    for (auto& data : out[key]) {
      if (data.contains("labels") && data["labels"].is_object())
        data["labels"] = {{"count", data["labels"].value("labels", json::array()).size()}};
    }
  }
  return out;
}

}  // namespace

Result<ClientMessage> parseClientMessage(std::string_view text) {
  if (text.size() > maxMessageBytes) return fail(ErrorCode::limitExceeded, "a message is larger than 1 MiB");
  if (deeperThan(text, maxMessageDepth)) return fail(ErrorCode::limitExceeded, "a message is more than 16 levels deep");
  try {
    json message = json::parse(text, nullptr, false);
    if (message.is_discarded()) return malformed("a message is not JSON");
    if (!message.is_object()) return malformed("a message is not an object");
    return parseObject(message);
  } catch (const std::exception& e) {
    return malformed(std::string("a message cannot be read: ") + e.what());
  }
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string helloMessage(const Hello& hello, const json& scene) {
  json codecs = json::array();
  for (const Codec codec : hello.codecs) codecs.push_back(nameOf(codec));
  return dump({{"type", "hello"},
               {"protocol", protocolVersion},
               {"version", hello.version},
               {"session", hello.session},
               {"resumed", hello.resumed},
               {"applied", hello.applied},
               {"revision", hello.revision},
               {"scene", scene},
               {"codecs", std::move(codecs)},
               {"keepSeconds", hello.kept.count()}});
}

std::string sceneMessage(std::uint64_t input, std::uint64_t applied, std::uint64_t revision, const json& scene) {
  return dump({{"type", "scene"}, {"input", input}, {"applied", applied}, {"revision", revision}, {"scene", scene}});
}

std::string imagesMessage(const std::vector<LayerReport>& layers, std::uint64_t revision) {
  json out = json::object();
  for (const auto& layer : layers) {
    json one{{"name", layer.name}};
    switch (layer.state) {
      case ImageState::loading: one["state"] = "loading"; break;
      case ImageState::ready: one["state"] = "ready"; break;
      case ImageState::failed: one["state"] = "failed"; break;
    }
    if (layer.info != nullptr) {
      one["info"] = layer.hidesTexts ? withoutTexts(shortInfo(*layer.info)) : shortInfo(*layer.info);
      one["window"] = {{"low", finiteOrNull(layer.window.low)}, {"high", finiteOrNull(layer.window.high)}};
    }
    if (layer.shape != nullptr) {
      one["shape"] = layer.hidesTexts ? withoutTexts(shortInfo(*layer.shape)) : shortInfo(*layer.shape);
      one["window"] = {{"low", finiteOrNull(layer.window.low)}, {"high", finiteOrNull(layer.window.high)}};
    }
    if (layer.histogram != nullptr && !layer.histogram->counts.empty()) {
      const Histogram& h = *layer.histogram;
      one["histogram"] = {{"low", h.low}, {"high", h.high}, {"counts", h.counts}};
    }
    if (!layer.transfers.empty()) one["transfers"] = transfersJson(layer.transfers);
    if (!layer.error.empty()) one["error"] = layer.error;
    if (!layer.note.empty()) one["note"] = layer.note;
    if (layer.held) {
      one["held"] = {layer.held->first, layer.held->count};
      one["rest"] = layer.restStopped ? "stopped" : "loading";
    }
    if (layer.awaited) one["awaits"] = {{"time", layer.awaited->timePoint}, {"state", nameOf(layer.awaited->state)}};
    if (layer.input > 0) one["input"] = layer.input;
    out[layer.id] = std::move(one);
  }
  return dump({{"type", "images"}, {"revision", revision}, {"layers", std::move(out)}});
}

std::string progressMessage(const std::map<std::string, double>& layers) {
  constexpr double steps = 1000;  // more digits say nothing
  json list = json::object();
  for (const auto& [id, fraction] : layers) list[id] = std::round(fraction * steps) / steps;
  return dump({{"type", "progress"}, {"layers", std::move(list)}});
}

std::string valuesMessage(std::uint64_t input, const Vec3& mm, const std::vector<LayerValue>& layers) {
  json list = json::array();
  for (const auto& layer : layers) {
    json one{{"id", layer.id},
             {"voxel", layer.probe.voxel},
             {"inside", layer.probe.inside},
             {"value", finiteOrNull(layer.probe.value)},
             {"trilinear", finiteOrNull(layer.probe.trilinear)}};
    if (layer.rgb) one["rgb"] = *layer.rgb;
    if (!layer.label.empty()) one["label"] = layer.label;
    list.push_back(std::move(one));
  }
  return dump({{"type", "values"}, {"input", input}, {"mm", mm}, {"layers", std::move(list)}});
}

std::string pickedMessage(std::uint64_t input, const std::optional<PickHit>& hit,
                          const std::vector<PickedValue>& values) {
  json out{{"type", "picked"}, {"input", input}, {"hit", nullptr}};
  if (!hit) return dump(out);
  json one{{"kind", toString(hit->kind)}, {"mm", hit->mm}};
  if (!hit->layer.empty()) one["layer"] = hit->layer;
  if (hit->vertex >= 0) one["vertex"] = hit->vertex;
  if (hit->triangle >= 0) one["triangle"] = hit->triangle;
  if (hit->streamline >= 0) one["streamline"] = hit->streamline;
  if (hit->point >= 0) one["point"] = hit->point;
  if (hit->marker >= 0) one["marker"] = hit->marker;
  json list = json::array();
  for (const auto& value : values) {
    json item{{"layer", value.layer}, {"name", value.name}, {"value", finiteOrNull(value.value)}};
    if (!value.label.empty()) item["label"] = value.label;
    list.push_back(std::move(item));
  }
  one["values"] = std::move(list);
  out["hit"] = std::move(one);
  return dump(out);
}

std::string errorMessage(const Error& error, std::uint64_t input, const std::string& layer) {
  json out{{"type", "error"}, {"code", toString(error.code)}, {"what", error.what}, {"where", error.where}};
  if (input > 0) out["input"] = input;
  if (!layer.empty()) out["layer"] = layer;
  return dump(out);
}

std::string pongMessage(const json& token) {
  return dump({{"type", "pong"}, {"token", token}});
}

}  // namespace nora
