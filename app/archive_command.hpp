// What the commands of the archive share: options, the open index, output.
#pragma once

#include "app/open_index.hpp"
#include "archive/search/query.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace CLI {
class App;
}

namespace nora {

constexpr int itemsPerPage = 1000;
/// Who may open the index file may read all of it.
inline const SearchScope everything{true, {}, {}};

struct ArchiveOptions {
  std::string index;
  bool json = false;
};

/// A subcommand with --index and --json; `run` gives the exit status.
CLI::App* addArchiveCommand(CLI::App& app, const std::string& name, const std::string& about, ArchiveOptions& options,
                            std::function<int()> run, int& exitStatus);

/// The same with a value of options of its own.
template <class Options>
CLI::App* addCommand(CLI::App& app, const std::string& name, const std::string& about,
                     const std::shared_ptr<Options>& options, int (*run)(const Options&), int& exitStatus) {
  return addArchiveCommand(
      app, name, about, *options, [options, run] { return run(*options); }, exitStatus);
}

void addLevel(CLI::App* command, std::string& level);
[[nodiscard]] Level levelOf(const std::string& name);

/// One line of JSON on standard output.
void print(const nlohmann::json& json);
/// The object that a text is; an empty one for what is none.
[[nodiscard]] nlohmann::json metaOf(const std::string& text);
/// Nobody reads standard output any more (nora find | head).
[[nodiscard]] bool isOutputClosed();
/// One record of RFC 4180 on standard output. A text that a spreadsheet would take for a formula gets a ' before it.
void printCsv(const std::vector<std::string>& fields);

/// "2024-03-17T09:30:00Z"; empty for 0.
[[nodiscard]] std::string isoTime(std::int64_t us);
/// A day, or a day and a time, in UTC; of a day its first microsecond, or with `isEnd` that after its last.
/// Errors: invalidInput.
[[nodiscard]] Result<std::int64_t> timeOf(const std::string& text, bool isEnd = false);
[[nodiscard]] std::int64_t nowUs();

/// The user of this machine who runs the command, for history and audit: "local:NAME".
[[nodiscard]] std::string actor();
/// Notes in the audit that it was done by this command line.
[[nodiscard]] Result<void> noteCommand(OpenIndex& index, const std::string& action, const std::string& item,
                                       std::int64_t projectId = 0,
                                       const nlohmann::json& detail = nlohmann::json::object());

/// All ids that a search finds.
[[nodiscard]] Result<std::vector<std::int64_t>> idsOf(Archive& archive, Level level, const std::string& query);

// ---- the commands; each adds itself to the parser
void addProjectCommands(CLI::App& app, int& exitStatus);
void addFindCommands(CLI::App& app, int& exitStatus);
void addImportCommands(CLI::App& app, int& exitStatus);
void addExportCommand(CLI::App& app, int& exitStatus);
void addUserCommands(CLI::App& app, int& exitStatus);
void addGrantCommands(CLI::App& app, int& exitStatus);
void addAuditCommand(CLI::App& app, int& exitStatus);
void addBackupCommands(CLI::App& app, int& exitStatus);
void addCompletionCommand(CLI::App& app, int& exitStatus);

}  // namespace nora
