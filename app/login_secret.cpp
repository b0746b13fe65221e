#include "app/login_secret.hpp"

#include "base/log.hpp"

#include <fstream>

#include <sys/stat.h>

namespace nora {
namespace {

constexpr std::size_t longestSecret = 4096;  // bytes

Result<std::string> fromFile(const std::string& setting, const std::string& file) {
  const auto wrong = [&](const char* what) {
    return fail(ErrorCode::invalidInput, printable(file) + " " + what, setting + "_file");
  };
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return wrong("is not a file that can be read");
  std::ifstream in(file, std::ios::binary);
  std::string text(longestSecret + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || !in.is_open()) return wrong("is not a file that can be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > longestSecret) return wrong("has more than 4096 bytes: it must hold the secret alone");
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return wrong("is empty");
  if ((status.st_mode & S_IROTH) != 0)
    log::warning(setting + "_file: every user of this machine can read " + printable(file));
  return text;
}

}  // namespace

Result<std::string> loginSecret(const std::string& setting, const std::string& file, const std::string& variable,
                                const Environment& environment) {
  if (!file.empty() && !variable.empty())
    return fail(ErrorCode::invalidInput, "the secret comes from a file or from the environment, not from both",
                setting + "_file");
  if (!file.empty()) return fromFile(setting, file);
  if (variable.empty()) return std::string();
  const char* const value = environment(variable);
  if (value == nullptr || *value == '\0')
    return fail(ErrorCode::invalidInput, "the environment variable " + printable(variable) + " is not set",
                setting + "_env");
  return std::string(value);
}

}  // namespace nora
