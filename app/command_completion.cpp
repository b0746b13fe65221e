// `nora completion bash|zsh`: scripts that ask this very program, so that they are never older than it is; and
// `nora complete WORD...`, which answers them from the parser.
#include "app/archive_command.hpp"
#include "app/commands.hpp"

#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>

namespace nora {
namespace {

// Words with blanks are not completed. Where nothing is said, files are.
constexpr const char* bashScript =
    R"(# nora completion bash > /etc/bash_completion.d/nora, or: source <(nora completion bash)
_nora() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" complete . "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _nora nora
)";
constexpr const char* zshScript = R"(#compdef nora
# nora completion zsh > a folder of $fpath/_nora
_nora() {
  local -a found
  found=("${(@f)$("${words[1]}" complete . "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("${(@)found:#}")
  if (( ${#found} )); then compadd -- "${found[@]}"; else _files; fi
}
if [[ "$funcstack[1]" = "_nora" ]]; then _nora "$@"; else compdef _nora nora; fi
)";

/// The choices of an option (its check "{a,b,c}"), as the parser prints them.
std::vector<std::string> choicesOf(const CLI::Option& option) {
  std::string text = option.get_type_name();
  const auto begin = text.find('{'), end = text.find('}');
  std::vector<std::string> out;
  if (begin == std::string::npos || end == std::string::npos) return out;
  for (const std::string& word : CLI::detail::split(text.substr(begin + 1, end - begin - 1), ',')) out.push_back(word);
  return out;
}

const CLI::Option* optionOf(CLI::App& app, const std::string& word) {
  if (word.empty() || word.front() != '-') return nullptr;
  return app.get_option_no_throw(word);
}

bool takesValue(const CLI::Option* option) {
  return option != nullptr && option->get_items_expected_max() > 0;
}

/// What may stand at the place of the last word.
std::vector<std::string> completionsOf(CLI::App& top, const std::vector<std::string>& words) {
  CLI::App* app = &top;
  const CLI::Option* open = nullptr;  // waits for its value
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (open != nullptr) {
      open = nullptr;
      continue;
    }
    const auto below = app->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == words[i]; });
    if (!below.empty()) app = below.front();
    const CLI::Option* option = optionOf(*app, words[i]);
    if (takesValue(option)) open = option;
  }
  if (open != nullptr) return choicesOf(*open);
  std::vector<std::string> out;
  const bool wantsOption = !words.empty() && words.back().starts_with("-");
  if (!wantsOption) {
    for (const CLI::App* below : app->get_subcommands(nullptr)) {
      if (!below->get_group().empty() && !below->get_name().empty()) out.push_back(below->get_name());
    }
    for (const CLI::Option* option : app->get_options([](const CLI::Option* o) { return o->get_positional(); })) {
      for (const std::string& choice : choicesOf(*option)) out.push_back(choice);
    }
    return out;
  }
  const auto addOptions = [&](const CLI::App& from) {
    for (const CLI::Option* option : from.get_options()) {
      for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
    }
  };
  addOptions(*app);
  for (const CLI::App* group : app->get_subcommands(nullptr)) {
    if (group->get_name().empty()) addOptions(*group);
  }
  return out;
}

void complete(CLI::App& top, const std::vector<std::string>& words) {
  const std::string begun = words.empty() ? "" : words.back();
  for (const std::string& word : completionsOf(top, words.empty() ? std::vector<std::string>{""} : words)) {
    if (word.starts_with(begun)) std::printf("%s\n", word.c_str());
  }
}

}  // namespace

void addCompletionCommand(CLI::App& app, int& exitStatus) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Prints a script that completes commands in a shell");
  command->add_option("SHELL", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([shell, &exitStatus] {
    std::fputs(*shell == "bash" ? bashScript : zshScript, stdout);
    exitStatus = 0;
  });
  CLI::App* asked = app.add_subcommand("complete", "What may stand in the place of the last word")->group("");
  asked->prefix_command();
  asked->callback([&app, asked, &exitStatus] {
    auto words = asked->remaining();
    if (!words.empty() && words.front() == ".") words.erase(words.begin());
    complete(app, words);
    exitStatus = 0;
  });
}

}  // namespace nora
