#include "app/archive_command.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include <pwd.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

namespace nora {

CLI::App* addArchiveCommand(CLI::App& app, const std::string& name, const std::string& about, ArchiveOptions& options,
                            std::function<int()> run, int& exitStatus) {
  CLI::App* command = app.add_subcommand(name, about);
  command
      ->add_option("--index", options.index,
                   "The index: a file of SQLite, or mysql://USER@HOST/NAME (password: NORA_INDEX_PASSWORD)")
      ->envname("NORA_INDEX");
  command->add_flag("--json", options.json, "Print JSON");
  command->callback([run = std::move(run), &exitStatus] { exitStatus = run(); });
  return command;
}

void addLevel(CLI::App* command, std::string& level) {
  command->add_option("--level", level, "project, subject, study or file")
      ->check(CLI::IsMember({"project", "subject", "study", "file"}));
}

Level levelOf(const std::string& name) {
  return name == "project"   ? Level::project
         : name == "subject" ? Level::subject
         : name == "study"   ? Level::study
                             : Level::file;
}

void print(const nlohmann::json& json) {
  std::printf("%s\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

nlohmann::json metaOf(const std::string& text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_object() ? json : nlohmann::json::object();
}

bool isOutputClosed() {
  return std::ferror(stdout) != 0;
}

namespace {

std::string csvField(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
    text.insert(0, 1, '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

void printCsv(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) line += csvField(field) + ",";
  line.back() = '\r';
  std::printf("%s\n", line.c_str());
}

std::string isoTime(std::int64_t us) {
  if (us == 0) return {};
  const std::time_t seconds = us / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> out{};
  std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return out.data();
}

Result<std::int64_t> timeOf(const std::string& text, bool isEnd) {
  constexpr std::int64_t second = 1'000'000, day = 86'400 * second;
  std::tm parts{};
  for (const char* format : {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M"}) {
    parts = {};
    const char* end = ::strptime(text.c_str(), format, &parts);
    if (end == nullptr || *end != '\0') continue;
    const std::int64_t at = std::int64_t{::timegm(&parts)} * second;
    return isEnd && text.size() == 10 ? at + day : at;
  }
  return fail(ErrorCode::invalidInput, "a time is 2024-03-17 or 2024-03-17T09:30:00Z", text);
}

std::int64_t nowUs() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::string actor() {
  const passwd* user = ::getpwuid(::getuid());
  return "local:" + (user != nullptr ? std::string(user->pw_name) : std::to_string(::getuid()));
}

Result<void> noteCommand(OpenIndex& index, const std::string& action, const std::string& item, std::int64_t projectId,
                         const nlohmann::json& detail) {
  AuditRecord record;
  record.user = actor();
  record.action = action;
  record.projectId = projectId;
  record.item = item;
  record.detail = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  record.address = "command line";
  return index.accounts.note(record);
}

Result<std::vector<std::int64_t>> idsOf(Archive& archive, Level level, const std::string& text) {
  const auto query = parseQuery(text);
  if (!query) return tl::make_unexpected(query.error());
  std::vector<std::int64_t> ids;
  for (std::int64_t after = 0;;) {
    const auto page = archive.find(level, *query, everything, after, itemsPerPage);
    if (!page) return tl::make_unexpected(page.error());
    ids.insert(ids.end(), page->ids.begin(), page->ids.end());
    if (!page->next) return ids;
    after = *page->next;
  }
}

}  // namespace nora
