// Passwords of local users: argon2id (RFC 9106) by libargon2. The hash is the usual text
// "$argon2id$v=19$m=...,t=...,p=...$ salt$hash" and carries its own cost, so that the cost can rise later.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace nora {

/// RFC 9106 section 4, second recommended choice.
struct PasswordCost {
  std::uint32_t memoryKiB = 64 * 1024;
  std::uint32_t passes = 3;
  std::uint32_t lanes = 4;
};

struct PasswordRules {
  std::size_t fewestCharacters = 10;
  std::size_t mostBytes = 1024;
};

/// Whether a new password may be set. Errors: invalidInput with what to change (too short, too long, not UTF-8 or with
/// control characters, the user's name, hardly any different characters).
[[nodiscard]] Result<void> checkNewPassword(std::string_view password, std::string_view userName,
                                            const PasswordRules& rules = {});

/// Hash with 16 random bytes of salt. Takes tens of milliseconds and `memoryKiB` while it runs; at most four run at
/// once, others wait. Thread: any. Errors: invalidInput (longer than 1024 bytes, empty), internal (no memory).
[[nodiscard]] Result<std::string> hashPassword(std::string_view password, const PasswordCost& cost = {});

struct PasswordCheck {
  bool matches = false;
  bool rehash = false;  // right, but kept with a lower cost than `cost`: hash again and keep that
};

/// Constant time for a given hash. Errors: internal if `hash` is not one (names no part of it).
[[nodiscard]] Result<PasswordCheck> checkPassword(std::string_view password, const std::string& hash,
                                                  const PasswordCost& cost = {});

/// The same work for a name that does not exist, so that time does not tell which names do. Never matches.
void checkPasswordOfNobody(std::string_view password, const PasswordCost& cost = {});

}  // namespace nora
