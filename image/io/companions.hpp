// Files that belong together by name: the .img of a .hdr. The server opens them; a reader process cannot open files.
// What explains an image (b-values, label tables) is in sidecars.hpp.
#pragma once

#include <string>
#include <vector>

namespace nora {

/// Names, in the order of preference, of a file that must be opened together with `name`; empty if it stands alone.
/// "a.hdr" -> {"a.img", "a.IMG", "a.Img", "a.img.gz", ...}; "a.img" -> {"a.hdr", ...}.
[[nodiscard]] std::vector<std::string> companionsOf(const std::string& name);

/// True if `name` is the second file of such a pair (.img): the scan lists the pair under its header.
[[nodiscard]] bool isSecondOfPair(const std::string& name);

}  // namespace nora
