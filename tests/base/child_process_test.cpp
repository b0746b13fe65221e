#include "base/child_process.hpp"

#include "base/unique_fd.hpp"

#include <array>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace nora {
namespace {

struct SocketPair {
  SocketPair() {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    ours.reset(pair[0]);
    theirs.reset(pair[1]);
  }
  /// All that the child wrote until it closed.
  std::string readAll() {
    theirs.reset();
    std::string text;
    std::array<char, 256> part{};
    for (ssize_t n = 0; (n = ::read(ours.get(), part.data(), part.size())) > 0;) {
      text.append(part.data(), static_cast<std::size_t>(n));
    }
    return text;
  }
  UniqueFd ours, theirs;
};

TEST(ChildProcess, SpeaksOnDescriptorThreeAndHasNoOther) {
  const UniqueFd secret(::dup(2));  // without close-on-exec
  ChildStarter starter;
  SocketPair sockets;
  auto child =
      starter.start("/bin/sh", {"-c", "exec >&3; echo $0 $1; ls /proc/$$/fd", "a b", "c"}, sockets.theirs.get());
  ASSERT_TRUE(child) << describe(child.error());
  EXPECT_EQ(sockets.readAll(), "a b c\n0\n1\n2\n3\n");
  EXPECT_EQ(child->killAndWait(), "exit status 0");
}

TEST(ChildProcess, SaysHowItEnded) {
  ChildStarter starter;
  const auto endOf = [&](const std::string& script) {
    SocketPair sockets;
    auto child = starter.start("/bin/sh", {"-c", script}, sockets.theirs.get());
    EXPECT_TRUE(child);
    sockets.readAll();  // until it ends
    return child->killAndWait();
  };
  EXPECT_EQ(endOf("exit 7"), "exit status 7");
  EXPECT_EQ(endOf("kill -SEGV $$"), "signal 11");
  EXPECT_EQ(endOf("exec 3>&-; exec sleep 1000"), "signal 9") << "one that does not end is killed";
}

TEST(ChildProcess, DiesWithItsHandle) {
  ChildStarter starter;
  SocketPair sockets;
  int id = 0;
  {
    const auto child = starter.start("/bin/sleep", {"1000"}, sockets.theirs.get());
    ASSERT_TRUE(child);
    id = child->id();
    EXPECT_EQ(::kill(id, 0), 0);
  }
  EXPECT_EQ(::kill(id, 0), -1);
}

TEST(ChildProcess, MissingProgramIsAnError) {
  ChildStarter starter;
  SocketPair sockets;
  const auto child = starter.start("/no/such/program", {}, sockets.theirs.get());
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().where, "/no/such/program");
}

TEST(ChildProcess, OutlivesTheThreadThatAskedForIt) {
  ChildStarter starter;
  SocketPair sockets;
  Result<ChildProcess> child = fail(ErrorCode::internal, "");
  // setpriv asks to be killed with its parent, as a reader does.
  std::thread([&] {
    child = starter.start("/usr/bin/setpriv",
                          {"--pdeathsig", "KILL", "/bin/sh", "-c", "echo up >&3; read x <&3; echo $x >&3"},
                          sockets.theirs.get());
  }).join();
  ASSERT_TRUE(child) << describe(child.error());
  ASSERT_EQ(::write(sockets.ours.get(), "still\n", 6), 6);
  EXPECT_EQ(sockets.readAll(), "up\nstill\n");
}

}  // namespace
}  // namespace nora
