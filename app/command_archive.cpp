// The commands of the archive, all on the same index as a server that runs; and what they all end with.
#include "app/archive_command.hpp"
#include "app/commands.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <CLI/CLI.hpp>

namespace nora {

const char* const exitStatusHelp =
    "Exit status: 0 done; 65 wrong input; 66 not found; 69 unsupported; 70 internal; 73 too large or disk full;\n"
    "75 not reachable or changed meanwhile, try again; 77 not allowed; 100 and more: wrong arguments; 130 stopped.\n"
    "nora COMMAND --help tells more; nora completion bash|zsh prints completions.";

int endOutput(int exitStatus) {
  const bool failed = std::ferror(stdout) != 0;
  errno = 0;
  if (std::fflush(stdout) == 0 && !failed) return exitStatus;
  if (errno == EPIPE || errno == 0) return exitStatus;  // as in nora find | head
  const int code = report({ErrorCode::limitExceeded, std::strerror(errno), "standard output"});
  return exitStatus == 0 ? code : exitStatus;
}

void addArchiveCommands(CLI::App& app, int& exitStatus) {
  addProjectCommands(app, exitStatus);
  addFindCommands(app, exitStatus);
  addImportCommands(app, exitStatus);
  addExportCommand(app, exitStatus);
  addUserCommands(app, exitStatus);
  addGrantCommands(app, exitStatus);
  addAuditCommand(app, exitStatus);
  addBackupCommands(app, exitStatus);
  addCompletionCommand(app, exitStatus);
}

}  // namespace nora
