// Who may do what in a project. The one place where that is decided: HTTP, WebSocket, files and jobs ask here.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// Bits as kept in the index (access_grant.rights).
enum class Right : std::uint32_t {
  read = 1,          // see that it is there, look at it
  annotate = 2,      // draw labels, tag, write notes
  edit = 4,          // change, add and remove files, subjects, metadata
  process = 8,       // start jobs
  download = 16,     // take bytes of files away
  seeIdentity = 32,  // names instead of pseudonyms
  administer = 64,   // the project's settings and rights
};

/// A set of rights.
class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(Right right) : bits_(static_cast<std::uint32_t>(right)) {}  // NOLINT: a right is a set of one
  /// From the index; unknown bits are left out.
  [[nodiscard]] static constexpr Rights fromBits(std::uint32_t bits) { return Rights(bits & everyBit); }
  [[nodiscard]] static constexpr Rights all() { return Rights(everyBit); }

  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr bool has(Right right) const { return (bits_ & static_cast<std::uint32_t>(right)) != 0; }
  friend constexpr Rights operator|(Rights a, Rights b) { return Rights(a.bits_ | b.bits_); }
  friend constexpr Rights operator&(Rights a, Rights b) { return Rights(a.bits_ & b.bits_); }
  friend constexpr Rights operator-(Rights a, Rights b) { return Rights(a.bits_ & ~b.bits_); }
  friend constexpr bool operator==(Rights, Rights) = default;

 private:
  static constexpr std::uint32_t everyBit = 127;
  explicit constexpr Rights(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};
constexpr Rights operator|(Right a, Right b) {
  return Rights(a) | Rights(b);
}

/// "read", "annotate", "edit", "process", "download", "see-identity", "administer".
[[nodiscard]] std::string_view toString(Right right);
/// "read,download"; "none" for the empty set.
[[nodiscard]] std::string toString(Rights rights);
/// Names with commas or spaces between them, "all", "none". Errors: invalidInput (names the word and what there is).
[[nodiscard]] Result<Rights> parseRights(std::string_view text);

/// With what they bring along: administer brings all others, edit brings annotate, and each brings read.
[[nodiscard]] Rights withImplied(Rights rights);

/// How somebody has come in.
enum class Entrance {
  session,    // logged in on the page
  token,      // an API token: not more than its scopes
  shareLink,  // a link that a user made: that user's rights, not more than the link's
  guest,      // not logged in
};

struct Caller {
  Entrance entrance = Entrance::guest;
  std::int64_t userId = 0;           // 0: guest; of a share link its owner
  std::vector<std::int64_t> groups;  // ids
  bool administrator = false;        // of the whole server
  bool disabled = false;
  Rights limit = Rights::all();  // scopes of the token, rights of the share link
  std::int64_t onlyProject = 0;  // token or share link for one project; 0: any
};

/// A row of access_grant. Neither user nor group: everybody, guests too.
struct Grant {
  std::optional<std::int64_t> userId;
  std::optional<std::int64_t> groupId;
  Rights rights;
};

struct ProjectFacts {
  std::int64_t id = 0;
  bool hideIdentity = true;
};

/// What a caller may do in one project.
struct Access {
  Rights rights;               // with what they imply
  bool showsIdentity = false;  // else pseudonyms in every list, picture, file name and export
};

/// The decision. `grants` are those of the project; of other users and groups they do not count.
///
/// Administrators of the server have all rights; disabled users none, also by their tokens and links. Tokens and links
/// never give more than their owner has now. Guests read, annotate nothing, and download if the grant says so; share
/// links read, annotate and download. Neither sees identities that the project hides.
[[nodiscard]] Access accessTo(const ProjectFacts& project, std::span<const Grant> grants, const Caller& caller);

/// Users, groups, new projects, settings, audit. A token needs the scope "administer" and must not be for one project.
[[nodiscard]] bool mayAdministerServer(const Caller& caller);

/// Errors: notFound where the caller may not even read, so that ids cannot be guessed; else forbidden (names the right
/// and who gives it). `project` is its name, for the text.
[[nodiscard]] Result<void> require(const Access& access, Right right, std::string_view project);

}  // namespace nora
