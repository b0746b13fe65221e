// `nora audit`: who did what.
#include "app/archive_command.hpp"
#include "app/commands.hpp"

#include <cstdio>
#include <map>

#include <CLI/CLI.hpp>

namespace nora {
namespace {

struct AuditOptions : ArchiveOptions {
  std::string user, project, action, from, until;
  std::int64_t limit = 0;
  bool csv = false;
};

Result<Accounts::AuditFilter> filterOf(OpenIndex& index, const AuditOptions& options) {
  Accounts::AuditFilter filter;
  if (!options.user.empty()) filter.user = options.user;
  if (!options.action.empty()) filter.action = options.action;
  if (!options.project.empty()) {
    const auto project = index.archive.project(options.project);
    if (!project) return fail(project.error().code, project.error().what, options.project);
    filter.projectId = project->id;
  }
  if (!options.from.empty()) {
    const auto at = timeOf(options.from);
    if (!at) return tl::make_unexpected(at.error());
    filter.fromUs = *at;
  }
  if (!options.until.empty()) {
    const auto at = timeOf(options.until, true);
    if (!at) return tl::make_unexpected(at.error());
    filter.untilUs = *at;
  }
  filter.most = itemsPerPage;
  return filter;
}

void printRecord(const AuditOptions& options, const AuditRecord& record, const std::string& project) {
  if (options.json) {
    print({{"id", record.id},
           {"at", isoTime(record.atUs)},
           {"user", record.user},
           {"action", record.action},
           {"project", project},
           {"item", record.item},
           {"detail", metaOf(record.detail)},
           {"address", record.address}});
  } else if (options.csv) {
    printCsv({isoTime(record.atUs), record.user, record.action, project, record.item, record.detail, record.address});
  } else {
    std::printf("%s\t%s\t%s\t%s\t%s\t%s\n", isoTime(record.atUs).c_str(), printable(record.user).c_str(),
                printable(record.action).c_str(), printable(project).c_str(), printable(record.item).c_str(),
                printable(record.detail).c_str());
  }
}

int audit(const AuditOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  auto filter = filterOf(**open, options);
  if (!filter) return report(filter.error());
  std::map<std::int64_t, std::string> names;
  const auto projects = (*open)->archive.projects();
  if (!projects) return report(projects.error());
  for (const ProjectRecord& project : *projects) names[project.id] = project.name;
  if (options.csv) printCsv({"at", "user", "action", "project", "item", "detail", "address"});
  for (std::int64_t printed = 0;;) {
    const auto records = (*open)->accounts.audit(*filter);
    if (!records) return report(records.error());
    for (const AuditRecord& record : *records) {
      printRecord(options, record, names[record.projectId]);
      if (++printed == options.limit) return 0;
    }
    if (records->size() < static_cast<std::size_t>(filter->most) || isOutputClosed()) return 0;
    filter->before = records->back().id;
  }
}

}  // namespace

void addAuditCommand(CLI::App& app, int& exitStatus) {
  auto asked = std::make_shared<AuditOptions>();
  CLI::App* command = addCommand(app, "audit", "Who did what, the newest first", asked, audit, exitStatus);
  command->add_option("--user", asked->user, "Only by this user; local:NAME for commands");
  command->add_option("--project", asked->project, "Only in this project");
  command->add_option("--action", asked->action, "Only this: login, file.download, meta.set, grant.set, ...");
  command->add_option("--from", asked->from, "From this day or time (UTC): 2024-03-17, 2024-03-17T09:30:00Z");
  command->add_option("--until", asked->until, "Until this day (its end) or time");
  command->add_option("--limit", asked->limit, "Most records; 0: all")->check(CLI::NonNegativeNumber);
  command->add_flag("--csv", asked->csv, "Print CSV with a line of names");
}

}  // namespace nora
