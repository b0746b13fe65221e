// Is it JSON, how deep, and where does it go wrong: before a document is built of it or handed to a browser.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nora {

struct JsonCheck {
  static constexpr std::size_t maxDepth = 64;

  bool good = false;
  std::size_t line = 0;  // of the mistake, from 1
  std::string wrong;     // "not valid JSON", "nested more than 64 deep"
  std::size_t values = 0;
};

/// Builds nothing: memory does not grow with the text (UTF-8).
[[nodiscard]] JsonCheck checkJson(std::string_view text);

}  // namespace nora
