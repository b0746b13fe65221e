// Walks untrusted XML with expat: bounded in depth, and no DTD may declare anything.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

struct XmlElement {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string_view>> attributes;
  std::size_t contentBegin = 0;  // place of the first byte behind the start tag

  /// Empty if absent.
  [[nodiscard]] std::string_view attribute(std::string_view wanted) const;
};

/// What to do on the way. A returned text is what is wrong: the walk stops with it.
struct XmlVisitor {
  /// An element opens; `depth` is 1 for the root.
  std::function<std::string(const XmlElement& element, int depth)> open;
  /// It closes. `text` is the text directly within it, trimmed and cut to maxXmlText; `end` is where its end tag
  /// begins.
  std::function<std::string(std::string_view name, std::string_view text, std::size_t end, int depth)> close;
  /// The text of this element is not gathered (it may be long; its place is known).
  std::string_view skipTextOf = {};
  /// How much text one element may have, beyond which the rest is dropped.
  std::size_t mostText = 16384;
};

/// Errors: invalidInput (damaged or cut XML, says the line; nested too deeply; what the visitor objects to);
/// unsupported (entities).
[[nodiscard]] Result<void> walkXml(std::string_view text, const XmlVisitor& visitor, const std::string& name);

}  // namespace nora
