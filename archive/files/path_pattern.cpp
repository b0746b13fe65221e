#include "archive/files/path_pattern.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::size_t longestPattern = 400;
constexpr std::size_t mostWildcards = 12;  // so that no path takes long

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  while (true) {
    const auto slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<PathPattern> PathPattern::parse(std::string_view text) {
  const auto wrong = [](const std::string& what) { return fail(ErrorCode::invalidInput, what, "pattern"); };
  if (text.size() > longestPattern) return wrong("a pattern has at most 400 bytes");
  if (text.starts_with('/') || text.ends_with('/')) return wrong("a pattern neither begins nor ends with /");
  PathPattern out;
  std::size_t wildcards = 0, subjects = 0, studies = 0;
  for (std::string_view folder : split(text)) {
    Name& name = out.names_.emplace_back();
    if (folder.empty()) return wrong("there is a folder without a name in it");
    if (folder == "**") {
      ++wildcards;
      continue;
    }
    while (!folder.empty()) {
      if (folder.starts_with("{subject}") || folder.starts_with("{study}")) {
        const bool isSubject = folder.starts_with("{subject}");
        name.push_back({isSubject ? Piece::Kind::subject : Piece::Kind::study});
        ++(isSubject ? subjects : studies);
        folder.remove_prefix(isSubject ? 9 : 7);
      } else if (folder.front() == '*' || folder.front() == '?') {
        name.push_back({folder.front() == '*' ? Piece::Kind::any : Piece::Kind::one});
        ++wildcards;
        folder.remove_prefix(1);
      } else if (folder.front() == '{' || folder.front() == '}') {
        return wrong("only {subject} and {study} stand in braces");
      } else {
        const auto end = std::min(folder.find_first_of("*?{}"), folder.size());
        name.push_back({Piece::Kind::text, std::string(folder.substr(0, end))});
        folder.remove_prefix(end);
      }
    }
  }
  if (subjects != 1) return wrong("a pattern has {subject} once");
  if (studies > 1) return wrong("a pattern has {study} at most once");
  if (wildcards > mostWildcards) return wrong("a pattern has at most 12 wildcards");
  return out;
}

/// The name from a piece on; `failed` remembers what was tried in vain, by piece and what is left.
bool PathPattern::fits(const Name& name, std::size_t piece, std::string_view rest, Tried& failed, PathPlace& place) {
  if (piece == name.size()) return rest.empty();
  if (failed.contains({piece, rest.size()})) return false;
  const Piece& now = name[piece];
  bool found = false;
  if (now.kind == Piece::Kind::text) {
    found = rest.starts_with(now.text) && fits(name, piece + 1, rest.substr(now.text.size()), failed, place);
  } else if (now.kind == Piece::Kind::one) {
    const std::size_t size = rest.empty() ? 0 : std::max<std::size_t>(utf8Length(rest, 0), 1);
    found = size > 0 && fits(name, piece + 1, rest.substr(size), failed, place);
  } else {
    const bool isName = now.kind != Piece::Kind::any;
    for (std::size_t length = isName ? 1 : 0; length <= rest.size() && !found; ++length) {
      found = fits(name, piece + 1, rest.substr(length), failed, place);
      if (found && now.kind == Piece::Kind::subject) place.subject = rest.substr(0, length);
      if (found && now.kind == Piece::Kind::study) place.study = rest.substr(0, length);
    }
  }
  if (!found) failed.emplace(piece, rest.size());
  return found;
}

bool PathPattern::fitsFrom(std::size_t name, const std::vector<std::string_view>& folders, std::size_t at,
                           Tried& failed, PathPlace& place) const {
  if (name == names_.size()) return true;
  if (failed.contains({name, at})) return false;
  bool found = false;
  if (names_[name].empty()) {  // "**"
    for (std::size_t next = at; next <= folders.size() && !found; ++next)
      found = fitsFrom(name + 1, folders, next, failed, place);
  } else if (at < folders.size()) {
    Tried inName;
    found = fits(names_[name], 0, folders[at], inName, place) && fitsFrom(name + 1, folders, at + 1, failed, place);
  }
  if (!found) failed.emplace(name, at);
  return found;
}

std::optional<PathPlace> PathPattern::match(std::string_view path) const {
  const auto parts = split(path);
  PathPlace place;
  Tried failed;
  if (fitsFrom(0, parts, 0, failed, place)) return place;
  return std::nullopt;
}

}  // namespace nora
