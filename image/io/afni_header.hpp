// The attributes of an AFNI .HEAD file: names with numbers or text. Own parser because AFNI's library is not packaged;
// format by https://afni.nimh.nih.gov/pub/dist/doc/program_help/README.attributes.html
#pragma once

#include "base/error.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

class AfniHeader {
 public:
  /// Errors: invalidInput (an attribute that is cut, has no name, or holds something else than it says).
  [[nodiscard]] static Result<AfniHeader> parse(std::span<const std::byte> bytes, const std::string& name);

  /// Empty if there is no such attribute; texts come without the tilde that ends them.
  [[nodiscard]] const std::vector<double>& numbers(std::string_view attribute) const;
  [[nodiscard]] std::string_view text(std::string_view attribute) const;

 private:
  std::map<std::string, std::vector<double>, std::less<>> numbers_;
  std::map<std::string, std::string, std::less<>> texts_;
};

/// True if the text begins with an attribute.
[[nodiscard]] bool looksLikeAfniHeader(std::span<const std::byte> bytes);

}  // namespace nora
