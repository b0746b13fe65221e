// Names of subjects for those who may not see who they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nora {

constexpr std::size_t shortestProjectSecret = 16;  // bytes

/// "P-7K3QX9": stable for a project's secret and a subject's name, and telling nothing about the name without the
/// secret (HMAC-SHA256, cut to 30 bits in Crockford's base 32, which has no I, L, O, U).
///
/// `secret`: at least 16 random bytes of the project (newSecret().text). `attempt`: 0 at first; if the pseudonym is
/// taken by another subject of the project (1 in 20 projects of 10,000 subjects has such a pair) try 1, 2, ... and keep
/// what was free. Ends the program if the secret is shorter: a weak one would let names be guessed.
[[nodiscard]] std::string pseudonym(std::string_view secret, std::string_view subject, unsigned attempt = 0);

/// Text, folded, of the form that pseudonym() makes.
[[nodiscard]] bool looksLikePseudonym(std::string_view folded);

}  // namespace nora
