#include "base/child_process.hpp"

#include "base/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <future>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

namespace nora {
namespace {

constexpr int childSocket = 3;

/// What posix_spawn shall do with descriptors and signals; frees itself.
struct SpawnPlan {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  explicit SpawnPlan(int socket) {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, socket, childSocket);
    posix_spawn_file_actions_addclosefrom_np(&files, childSocket + 1);
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    // Its own group: Ctrl-C at the terminal is for the server, which then ends its children itself.
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

Result<ChildProcess> spawn(const std::string& program, const std::vector<std::string>& arguments, int socket) {
  // Out of the way of 0 to 3, which the actions overwrite one after the other.
  constexpr int firstFree = 10;
  const UniqueFd moved(::fcntl(socket, F_DUPFD_CLOEXEC, firstFree));
  if (!moved)
    return fail(ErrorCode::internal, std::string("cannot copy a descriptor: ") + std::strerror(errno), program);
  const SpawnPlan plan(moved.get());
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t id = -1;
  const int error = ::posix_spawn(&id, program.c_str(), &plan.files, &plan.attributes, argv.data(), environ);
  if (error != 0) return fail(ErrorCode::internal, std::string("cannot start: ") + std::strerror(error), program);
  return ChildProcess(id);
}

}  // namespace

ChildProcess::ChildProcess(ChildProcess&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(id_, other.id_);
  return *this;
}

ChildProcess::~ChildProcess() {
  killAndWait();
}

std::string ChildProcess::killAndWait() {
  if (id_ <= 0) return "not running";
  const pid_t id = std::exchange(id_, -1);
  ::kill(id, SIGKILL);  // does not change how a process that is already ending is reported
  int status = 0;
  pid_t waited = -1;
  do {
    waited = ::waitpid(id, &status, 0);
  } while (waited < 0 && errno == EINTR);
  if (waited == id && WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  if (waited == id && WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  return "unknown reason";
}

ChildStarter::ChildStarter() : thread_([this](const std::stop_token& stop) { serve(stop); }) {}

ChildStarter::~ChildStarter() = default;

void ChildStarter::serve(const std::stop_token& stop) {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return !work_.empty(); })) return;
      job = std::move(work_.front());
      work_.pop_front();
    }
    job();
  }
}

Result<ChildProcess> ChildStarter::start(const std::string& program, const std::vector<std::string>& arguments,
                                         int socket) {
  std::promise<Result<ChildProcess>> promise;
  auto started = promise.get_future();
  {
    const std::lock_guard lock(mutex_);
    work_.emplace_back([&] { promise.set_value(spawn(program, arguments, socket)); });
  }
  wake_.notify_one();
  return started.get();
}

}  // namespace nora
