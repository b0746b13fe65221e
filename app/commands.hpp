// The subcommands of `nora`. Each adds itself to the parser; its callback stores the exit status.
#pragma once

#include "base/error.hpp"

namespace CLI {
class App;
}

namespace nora {

void addServeCommand(CLI::App& app, int& exitStatus);
void addInfoCommand(CLI::App& app, int& exitStatus);
void addProbeCommand(CLI::App& app, int& exitStatus);
void addRenderCommand(CLI::App& app, int& exitStatus);
/// The archive on the command line: archive_command.hpp.
void addArchiveCommands(CLI::App& app, int& exitStatus);
void addReaderCommand(CLI::App& app, int& exitStatus);

/// For the end of --help.
extern const char* const exitStatusHelp;

/// Writes out standard output; the exit status, another one if that could not be written (who closed it early knows
/// why).
[[nodiscard]] int endOutput(int exitStatus);

/// Prints "nora: WHERE: WHAT" to standard error; the exit status of the error.
int report(const Error& error);

}  // namespace nora
