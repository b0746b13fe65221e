#include "app/typed_password.hpp"

#include "base/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr std::size_t longestLine = 4096;

/// Up to the line's end, byte by byte: what follows is not ours.
Result<std::string> readLine(int fd, const std::string& where) {
  std::string out;
  for (char c = '\0'; out.size() < longestLine;) {
    const ssize_t got = ::read(fd, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::internal, std::strerror(errno), where);
    if (got == 0 || c == '\n') break;
    out += c;
  }
  if (!out.empty() && out.back() == '\r') out.pop_back();
  if (out.empty()) return fail(ErrorCode::invalidInput, "there is no password", where);
  return out;
}

/// A terminal that shows nothing of what is typed, as long as this lives.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    if (::tcgetattr(fd_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);  // Ctrl+C is read as a character: the echo comes back
    silent.c_lflag |= ICANON;
    ::tcsetattr(fd_, TCSAFLUSH, &silent);
    isSet_ = true;
  }
  ~SilentTerminal() {
    if (isSet_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  [[nodiscard]] Result<std::string> ask(const std::string& question) const {
    static_cast<void>(!::write(fd_, question.data(), question.size()));
    auto line = readLine(fd_, "terminal");
    static_cast<void>(!::write(fd_, "\n", 1));
    if (line && line->find('\3') != std::string::npos) return fail(ErrorCode::cancelled, "stopped", "password");
    return line;
  }

 private:
  const int fd_;
  termios before_{};
  bool isSet_ = false;
};

}  // namespace

Result<std::string> newPassword(const std::string& file, const std::string& user) {
  if (file == "-") return readLine(STDIN_FILENO, "standard input");
  if (!file.empty()) {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
      return fail(errno == ENOENT ? ErrorCode::notFound : ErrorCode::forbidden, std::strerror(errno), file);
    }
    return readLine(fd.get(), file);
  }
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal)
    return fail(ErrorCode::invalidInput,
                "there is no terminal to ask at: use --password-file FILE, or - for standard input", "password");
  const SilentTerminal silent(terminal.get());
  auto first = silent.ask("New password of " + printable(user) + ": ");
  if (!first) return first;
  const auto second = silent.ask("Once more: ");
  if (!second) return second;
  if (*first != *second) return fail(ErrorCode::invalidInput, "these were two different ones", "password");
  return first;
}

}  // namespace nora
