// PathPattern: which parts of a path name subject and study, as the user of a folder says.
#pragma once

#include "archive/files/tree_walker.hpp"
#include "base/error.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

/// "{subject}/{study}", "data/{subject}_{study}", "**/{subject}/MR/*/{study}": names of folders with "{subject}" and
/// "{study}" for what is looked for, "*" for any text within a name, "?" for one character, and "**" for any number of
/// folders. What lies below a folder that fits belongs to it.
class PathPattern {
 public:
  /// Errors: invalidInput (says what is wrong; `where` is "pattern").
  [[nodiscard]] static Result<PathPattern> parse(std::string_view text);

  /// Subject and study of a file; nothing if its path does not fit. Of several ways the one with the shortest names.
  [[nodiscard]] std::optional<PathPlace> match(std::string_view path) const;

 private:
  struct Piece {
    enum class Kind { text, any, one, subject, study } kind = Kind::text;
    std::string text{};
  };
  using Name = std::vector<Piece>;  // of one folder; empty: "**"

  using Tried = std::set<std::pair<std::size_t, std::size_t>>;

  static bool fits(const Name& name, std::size_t piece, std::string_view rest, Tried& failed, PathPlace& place);
  [[nodiscard]] bool fitsFrom(std::size_t name, const std::vector<std::string_view>& folders, std::size_t at,
                              Tried& failed, PathPlace& place) const;

  std::vector<Name> names_;
};

}  // namespace nora
