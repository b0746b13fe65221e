// JSON Patch (RFC 6902) with bounds. The library's own patch asserts on some hostile patches (a member added to a
// number) and lets copies of copies grow without end. All that the operations of a patch put somewhere is counted
// together, also what a later one takes away again: large values moved to and fro would take seconds, of everybody.
#include "streaming/protocol/messages.hpp"

#include <algorithm>
#include <charconv>

namespace nora {
namespace {

using nlohmann::json;
using Pointer = json::json_pointer;

constexpr std::size_t maxOperations = 256;
constexpr std::size_t bytesPerValue = 64;  // what a small value costs in memory, about

tl::unexpected<Error> refuse(std::string what, std::string where = {}) {
  return fail(ErrorCode::invalidInput, std::move(what), std::move(where));
}

/// False if the document is deeper than allowed or takes more than `left` bytes.
bool withinBounds(const json& value, int depth, std::size_t& left) {
  const std::size_t cost = bytesPerValue + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  if (left < cost || depth > maxMessageDepth) return false;
  left -= cost;
  if (value.is_array()) {
    for (const auto& child : value) {
      if (!withinBounds(child, depth + 1, left)) return false;
    }
  } else if (value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      if (left < key.size()) return false;
      left -= key.size();
      if (!withinBounds(child, depth + 1, left)) return false;
    }
  }
  return true;
}

bool withinBounds(const json& value) {
  std::size_t left = maxSceneBytes;
  return withinBounds(value, 0, left);
}

/// A JSON pointer as text and read.
struct Place {
  explicit Place(const std::string& text)
      : pointer(text), depth(static_cast<int>(std::count(text.begin(), text.end(), '/'))) {}
  Pointer pointer;
  int depth = 0;
};

/// May the value be put there? `left`: bytes of the whole patch.
Result<void> charge(const json& value, const Place& place, std::size_t& left) {
  if (withinBounds(value, place.depth, left)) return {};
  return fail(ErrorCode::limitExceeded, "what the patch adds, copies and moves is too large or too deep");
}

/// An array index 0..limit, without sign or leading zeros.
Result<std::size_t> arrayIndex(const std::string& token, std::size_t limit, const std::string& where) {
  std::size_t index = 0;
  const auto [end, status] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool number = status == std::errc{} && end == token.data() + token.size();
  if (!number || (token.size() > 1 && token[0] == '0')) return refuse("not an array index", where);
  if (index > limit) return refuse("beyond the end of the array", where);
  return index;
}

Result<void> addAt(json& document, const Pointer& path, json value) {
  if (path.empty()) {
    document = std::move(value);
    return {};
  }
  json& parent = document.at(path.parent_pointer());
  if (parent.is_object()) {
    parent[path.back()] = std::move(value);
    return {};
  }
  if (!parent.is_array()) return refuse("the parent is neither an object nor an array", path.to_string());
  if (path.back() == "-") {
    parent.push_back(std::move(value));
    return {};
  }
  const auto index = arrayIndex(path.back(), parent.size(), path.to_string());
  if (!index) return tl::make_unexpected(index.error());
  parent.insert(parent.begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
  return {};
}

Result<void> removeAt(json& document, const Pointer& path) {
  if (path.empty()) return refuse("the whole scene cannot be removed");
  json& parent = document.at(path.parent_pointer());
  if (parent.is_object()) {
    if (parent.erase(path.back()) == 0) return refuse("there is nothing to remove", path.to_string());
    return {};
  }
  if (!parent.is_array() || parent.empty()) return refuse("there is nothing to remove", path.to_string());
  const auto index = arrayIndex(path.back(), parent.size() - 1, path.to_string());
  if (!index) return tl::make_unexpected(index.error());
  parent.erase(*index);
  return {};
}

Result<std::string> member(const json& operation, const char* name) {
  const auto at = operation.find(name);
  if (at == operation.end() || !at->is_string())
    return refuse(std::string("an operation needs a string \"") + name + '"');
  return at->get<std::string>();
}

/// add, replace, test: operations with a value of their own.
Result<void> applyValue(json& document, const std::string& op, const Place& place, const json& operation,
                        std::size_t& left) {
  const auto value = operation.find("value");
  if (value == operation.end()) return refuse("an operation needs a \"value\"", place.pointer.to_string());
  if (op == "test") {
    if (document.at(place.pointer) != *value) return refuse("a test failed", place.pointer.to_string());
    return {};
  }
  if (auto charged = charge(*value, place, left); !charged) return charged;
  if (op == "add") return addAt(document, place.pointer, *value);
  document.at(place.pointer) = *value;
  return {};
}

Result<void> applyOne(json& document, const json& operation, std::size_t& left) {
  if (!operation.is_object()) return refuse("an operation is not an object");
  const auto op = member(operation, "op");
  if (!op) return tl::make_unexpected(op.error());
  const auto pathText = member(operation, "path");
  if (!pathText) return tl::make_unexpected(pathText.error());
  const Place place(*pathText);
  if (*op == "add" || *op == "replace" || *op == "test") return applyValue(document, *op, place, operation, left);
  if (*op == "remove") return removeAt(document, place.pointer);
  if (*op != "move" && *op != "copy") return refuse("unknown operation", printable(*op));
  const auto fromText = member(operation, "from");
  if (!fromText) return tl::make_unexpected(fromText.error());
  const Pointer from(*fromText);
  const json& source = document.at(from);
  if (auto charged = charge(source, place, left); !charged) return charged;
  json value = source;
  if (*op == "move") {
    if (auto removed = removeAt(document, from); !removed) return removed;
  }
  return addAt(document, place.pointer, std::move(value));
}

}  // namespace

Result<json> applyPatch(const json& document, const json& patch, std::size_t mostBytes) {
  if (!patch.is_array()) return refuse("a patch is not an array");
  if (patch.size() > maxOperations) return fail(ErrorCode::limitExceeded, "a patch has more than 256 operations");
  try {
    json result = document;
    std::size_t left = mostBytes;
    for (const auto& operation : patch) {
      if (auto applied = applyOne(result, operation, left); !applied) return tl::make_unexpected(applied.error());
    }
    if (!withinBounds(result)) return fail(ErrorCode::limitExceeded, "the edited scene is too large or too deep");
    return result;
  } catch (const std::exception& e) {
    return refuse(std::string("the patch does not fit the scene: ") + e.what());
  }
}

}  // namespace nora
