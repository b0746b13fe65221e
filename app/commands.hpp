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
/// project, scan, find, tag, meta: the archive on the command line.
void addArchiveCommands(CLI::App& app, int& exitStatus);
void addReaderCommand(CLI::App& app, int& exitStatus);

/// Prints "nora: WHERE: WHAT" to standard error; the exit status of the error.
int report(const Error& error);

}  // namespace nora
