// Files that come into a folder whole or not at all, and never in the place of others.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace nora {

enum class Placed : std::uint8_t { stored, wasThere };

/// Copies an open regular file to `path` beneath the folder `root`, which is there; folders on the way are made. The
/// file has no name, or a hidden one where the file system cannot do that, until all of it is on the disk; its time is
/// that of the source. When this returns it survives a loss of power.
/// A file with the same content that is there already: wasThere. Two that place the same path at once: one has stored.
/// Errors: invalidInput (a path with "..", hidden parts, or one where another file is); limitExceeded (disk full,
/// quota); forbidden (read-only, no right, a folder that leads out of the root); unavailable (the source became shorter
/// or changed while it was read); cancelled; internal.
[[nodiscard]] Result<Placed> placeFile(int source, const std::string& root, const std::string& path,
                                       std::stop_token stop);

/// The same for a text in the place of what may be there: by a hidden name beside it, then renamed.
[[nodiscard]] Result<void> replaceFile(const std::string& file, std::string_view text);

/// Makes a folder and those above it, on the disk when it returns. Errors: as placeFile.
[[nodiscard]] Result<void> makeFolders(const std::string& folder);

/// Waits until the disk has what a descriptor of a file or folder refers to.
[[nodiscard]] Result<void> synchronise(int fd, const std::string& where);

/// Of a call to the system on `where`, in words: disk full, read-only, ...
[[nodiscard]] Error systemError(int number, const std::string& where);

}  // namespace nora
