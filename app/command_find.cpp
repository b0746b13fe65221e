// `nora find|tag|meta`: searching, and what people say of what was found.
#include "app/archive_command.hpp"
#include "app/commands.hpp"
#include "app/item_json.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

#include <CLI/CLI.hpp>

namespace nora {
namespace {

struct FindOptions : ArchiveOptions {
  std::string query;
  std::string level = "file";
  std::int64_t limit = 0;  // 0: all
  bool count = false;
  bool csv = false;
};

void printRow(const nlohmann::json& item, bool isFirst) {
  std::vector<std::string> head, line;
  for (const auto& [key, value] : item.items()) {
    head.push_back(key);
    line.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  if (isFirst) printCsv(head);
  printCsv(line);
}

void printLine(Level level, const nlohmann::json& item) {
  const auto text = [&](const char* key) { return printable(item.value(key, "")); };
  if (level == Level::file)
    std::printf("%s\n", text("file").c_str());
  else if (level == Level::project)
    std::printf("%s\n", text("name").c_str());
  else if (level == Level::subject)
    std::printf("%s\t%s\n", text("project").c_str(), text("name").c_str());
  else
    std::printf("%s\t%s\t%s\n", text("project").c_str(), text("subject").c_str(), text("name").c_str());
}

int find(const FindOptions& options) {
  const auto query = parseQuery(options.query);
  if (!query) return report(query.error());
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  Archive& archive = (*open)->archive;
  const Level level = levelOf(options.level);
  if (options.count) {
    const auto count = archive.count(level, *query, everything, std::numeric_limits<std::int64_t>::max());
    if (!count) return report(count.error());
    if (options.json)
      print({{"count", *count}});
    else
      std::printf("%lld\n", static_cast<long long>(*count));
    return 0;
  }
  Names names(archive);
  std::int64_t printed = 0;
  for (std::int64_t after = 0;;) {
    const auto left = options.limit == 0 ? itemsPerPage : std::min<std::int64_t>(itemsPerPage, options.limit - printed);
    const auto page = archive.find(level, *query, everything, after, static_cast<int>(left));
    if (!page) return report(page.error());
    const auto items = itemsOf(archive, level, page->ids, names);
    if (!items) return report(items.error());
    for (const auto& item : *items) {
      if (options.json)
        print(item);
      else if (options.csv)
        printRow(item, printed == 0);
      else
        printLine(level, item);
      ++printed;
    }
    if (isOutputClosed() || !page->next || (options.limit != 0 && printed >= options.limit)) return 0;
    after = *page->next;
  }
}

struct TagOptions : FindOptions {
  std::vector<std::string> add, remove;
};

int tag(const TagOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const Level level = levelOf(options.level);
  const auto ids = idsOf((*open)->archive, level, options.query);  // all first: tags may change what the search finds
  if (!ids) return report(ids.error());
  const auto changed = (*open)->archive.tag(level, *ids, options.add, options.remove);
  if (!changed) return report(changed.error());
  const nlohmann::json detail = {
      {"level", options.level}, {"add", options.add}, {"remove", options.remove}, {"changed", *changed}};
  if (auto noted = noteCommand(**open, "tag", options.query, 0, detail); !noted) return report(noted.error());
  if (options.json)
    print({{"found", ids->size()}, {"changed", *changed}});
  else
    std::printf("%zu found, %lld changed\n", ids->size(), static_cast<long long>(*changed));
  return 0;
}

struct MetaOptions : ArchiveOptions {
  std::int64_t id = 0;
  std::string level = "file";
  std::string set;
  bool history = false;
};

int meta(const MetaOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  Archive& archive = (*open)->archive;
  const Level level = levelOf(options.level);
  if (!options.set.empty()) {
    const auto stored = archive.setMeta(level, options.id, options.set, actor());
    if (!stored) return report(stored.error());
    const std::string item = options.level + " " + std::to_string(options.id);
    if (auto noted = noteCommand(**open, "meta.set", item); !noted) return report(noted.error());
  }
  if (options.history) {
    const auto history = archive.metaHistory(level, options.id);
    if (!history) return report(history.error());
    for (const MetaChange& change : *history)
      print({{"at", isoTime(change.atUs)},
             {"atUs", change.atUs},
             {"user", change.user},
             {"before", metaOf(change.before)},
             {"after", metaOf(change.after)}});
    return 0;
  }
  Names names(archive);
  const auto items = itemsOf(archive, level, {options.id}, names);
  if (!items) return report(items.error());
  if (items->empty())
    return report({ErrorCode::notFound, "there is no such " + options.level, std::to_string(options.id)});
  print(items->front().at("meta"));
  return 0;
}

}  // namespace

void addFindCommands(CLI::App& app, int& exitStatus) {
  auto wanted = std::make_shared<FindOptions>();
  CLI::App* finding = addCommand(app, "find", "Searches the archive (docs/SEARCH.md)", wanted, find, exitStatus);
  finding->add_option("QUERY", wanted->query, "As in the page; none finds everything");
  addLevel(finding, wanted->level);
  finding->add_option("--limit", wanted->limit, "Most items; 0: all")->check(CLI::NonNegativeNumber);
  finding->add_flag("--count", wanted->count, "Print only how many");
  finding->add_flag("--csv", wanted->csv, "Print CSV with a line of names");

  auto tagged = std::make_shared<TagOptions>();
  CLI::App* tagging = addCommand(app, "tag", "Adds and removes tags of what a search finds", tagged, tag, exitStatus);
  tagging->add_option("QUERY", tagged->query, "As in nora find")->required();
  addLevel(tagging, tagged->level);
  tagging->add_option("--add", tagged->add, "A tag")->allow_extra_args(false);
  tagging->add_option("--remove", tagged->remove, "A tag")->allow_extra_args(false);

  auto asked = std::make_shared<MetaOptions>();
  CLI::App* asking = addCommand(app, "meta", "Shows or sets the metadata of an item", asked, meta, exitStatus);
  asking->add_option("ID", asked->id, "Its id, as nora find --json gives it")->required();
  addLevel(asking, asked->level);
  asking->add_option("--set", asked->set, "A JSON object in the place of what is there");
  asking->add_flag("--history", asked->history, "Who changed it, the newest first");
}

}  // namespace nora
