// The `nora` program: one subcommand a task.
#include "app/commands.hpp"
#include "app/process_metrics.hpp"

#include "base/log.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include <sys/resource.h>
#include <CLI/CLI.hpp>

namespace {

/// A series may have thousands of files, all open while they are handed to a reader.
void raiseFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    CLI::App app("nora: medical images, rendered on the server, read in the browser", "nora");
    app.set_version_flag("--version", std::string("nora ") + nora::programVersion);
    app.require_subcommand(1);
    app.footer(nora::exitStatusHelp);
    int exitStatus = 0;
    nora::addServeCommand(app, exitStatus);
    nora::addInfoCommand(app, exitStatus);
    nora::addProbeCommand(app, exitStatus);
    nora::addRenderCommand(app, exitStatus);
    nora::addArchiveCommands(app, exitStatus);
    nora::addReaderCommand(app, exitStatus);
    raiseFileLimit();
    std::signal(SIGPIPE, SIG_IGN);  // a change is ended also where nobody reads what is said of it
    CLI11_PARSE(app, argc, argv);
    return nora::endOutput(exitStatus);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "nora: there is not enough memory; ask for a smaller picture or image\n");
    return nora::exitStatus(nora::ErrorCode::limitExceeded);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "nora: %s\n", failure.what());
    return 70;
  }
}
