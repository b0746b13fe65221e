#include "archive/access/password.hpp"

#include "archive/access/secret.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <cstdio>
#include <semaphore>
#include <set>

#include <argon2.h>

namespace nora {
namespace {

constexpr std::size_t saltBytes = 16;
constexpr std::size_t hashBytes = 32;
constexpr std::size_t mostPasswordBytes = 1024;
constexpr std::size_t mostHashText = 256;
constexpr std::size_t fewestDifferent = 4;  // different characters in a new password
constexpr std::uint32_t mostMemoryKiB = 1024 * 1024;
constexpr std::uint32_t mostPasses = 64;

/// Many log-ins at once must not take all memory: each runs with 64 MiB.
class HashingTurn {
 public:
  HashingTurn() { turns().acquire(); }
  ~HashingTurn() { turns().release(); }
  HashingTurn(const HashingTurn&) = delete;
  HashingTurn& operator=(const HashingTurn&) = delete;

 private:
  static std::counting_semaphore<4>& turns() {
    static std::counting_semaphore<4> atOnce(4);
    return atOnce;
  }
};

std::string lowerAscii(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// The cost written in a hash; false if it is not argon2id version 19.
bool costOf(const std::string& hash, PasswordCost& cost) {
  unsigned memory = 0, passes = 0, lanes = 0;
  int end = 0;
  if (std::sscanf(hash.c_str(), "$argon2id$v=19$m=%9u,t=%9u,p=%9u$%n", &memory, &passes, &lanes, &end) != 3 || end == 0)
    return false;
  cost = {memory, passes, lanes};
  return memory <= mostMemoryKiB && passes <= mostPasses && lanes <= 64;
}

tl::unexpected<Error> failedHashing(int code) {
  return fail(ErrorCode::internal, std::string("the password cannot be hashed: ") + argon2_error_message(code) +
                                       "; free memory or lower the cost of passwords");
}

}  // namespace

Result<void> checkNewPassword(std::string_view password, std::string_view userName, const PasswordRules& rules) {
  const auto refuse = [](std::string what) { return fail(ErrorCode::invalidInput, std::move(what), "password"); };
  if (password.size() > std::min(rules.mostBytes, mostPasswordBytes)) {
    return refuse("longer than " + std::to_string(std::min(rules.mostBytes, mostPasswordBytes)) + " bytes");
  }
  std::set<std::string_view> different;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < password.size(); ++characters) {
    const std::size_t length = utf8Length(password, i);
    const auto byte = static_cast<std::uint8_t>(password[i]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) return refuse("has control characters or is not UTF-8");
    different.insert(password.substr(i, length));
    i += length;
  }
  if (characters < rules.fewestCharacters) {
    return refuse("shorter than " + std::to_string(rules.fewestCharacters) + " characters: take several words");
  }
  if (different.size() < fewestDifferent) return refuse("repeats the same few characters: take several words");
  const std::string low = lowerAscii(password), name = lowerAscii(userName);
  // What is left beside the name must be a password of its own.
  if (name.size() >= 3 && low.find(name) != std::string::npos && low.size() - name.size() < rules.fewestCharacters) {
    return refuse("is little more than the user's name: take several words");
  }
  return {};
}

Result<std::string> hashPassword(std::string_view password, const PasswordCost& cost) {
  if (password.empty()) return fail(ErrorCode::invalidInput, "is empty", "password");
  if (password.size() > mostPasswordBytes) {
    return fail(ErrorCode::invalidInput, "longer than " + std::to_string(mostPasswordBytes) + " bytes", "password");
  }
  const std::string salt = randomBytes(saltBytes);
  std::string text(argon2_encodedlen(cost.passes, cost.memoryKiB, cost.lanes, saltBytes, hashBytes, Argon2_id), '\0');
  const HashingTurn turn;
  const int code = argon2id_hash_encoded(cost.passes, cost.memoryKiB, cost.lanes, password.data(), password.size(),
                                         salt.data(), salt.size(), hashBytes, text.data(), text.size());
  if (code != ARGON2_OK) return failedHashing(code);
  text.resize(text.find('\0'));
  return text;
}

Result<PasswordCheck> checkPassword(std::string_view password, const std::string& hash, const PasswordCost& cost) {
  PasswordCost kept;
  if (hash.size() > mostHashText || !costOf(hash, kept)) {
    return fail(ErrorCode::internal, "the kept password hash is damaged: set a new password", "password");
  }
  if (password.empty() || password.size() > mostPasswordBytes) return PasswordCheck{};
  const HashingTurn turn;
  const int code = argon2id_verify(hash.c_str(), password.data(), password.size());
  if (code == ARGON2_VERIFY_MISMATCH) return PasswordCheck{};
  if (code == ARGON2_MEMORY_ALLOCATION_ERROR || code == ARGON2_THREAD_FAIL) return failedHashing(code);
  if (code != ARGON2_OK) {
    return fail(ErrorCode::internal, "the kept password hash is damaged: set a new password", "password");
  }
  return PasswordCheck{true, kept.memoryKiB < cost.memoryKiB || kept.passes < cost.passes};
}

void checkPasswordOfNobody(std::string_view password, const PasswordCost& cost) {
  (void)hashPassword(password.substr(0, mostPasswordBytes), cost);
}

}  // namespace nora
