#include "parse.h"

#include <CLI/CLI.hpp>

#include <memory>

#include "base/text.h"
#include "version.h"

namespace slipway::cli {
namespace {

/// CLI11 writes into these; they live as long as the parser.
struct Bound {
  const Command* command;
  CLI::App* app;
  std::vector<std::pair<std::string, std::shared_ptr<std::vector<std::string>>>> values;
  std::vector<std::pair<std::string, std::shared_ptr<bool>>> flags;
};

std::string flag_names(const Option& option) {
  return (option.letter ? std::string("-") + option.letter + "," : "") + "--" + option.name;
}

Bound bind(CLI::App& app, const Command& command) {
  Bound bound{&command, &app, {}, {}};
  for (const Option& option : command.options) {
    if (option.value_name.empty()) {
      bound.flags.emplace_back(option.name, std::make_shared<bool>(false));
      app.add_flag(flag_names(option), *bound.flags.back().second, option.help);
      continue;
    }
    bound.values.emplace_back(option.name, std::make_shared<std::vector<std::string>>());
    const std::string help = option.help + (option.otherwise.empty() ? "" : " [" + option.otherwise + "]");
    auto* added = app.add_option(flag_names(option), *bound.values.back().second, help);
    added->type_name(option.value_name)->type_size(1)->required(option.required);
    added->multi_option_policy(option.repeatable ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    if (option.repeatable) added->expected(1, 100000);
    added->allow_extra_args(false);  // the words behind its value are positionals
  }
  for (const Positional& positional : command.positionals) {
    bound.values.emplace_back(positional.name, std::make_shared<std::vector<std::string>>());
    auto* added = app.add_option(positional.name, *bound.values.back().second, positional.help);
    added->type_name("")->required(positional.required);
    if (positional.repeatable) {
      added->expected(positional.required ? 1 : 0, 100000);
    } else {
      added->expected(1)->allow_extra_args(false);  // else a second word would be a second value
    }
  }
  std::string footer = command.details;
  if (!command.example.empty()) footer += (footer.empty() ? "Example:\n  " : "\n\nExample:\n  ") + command.example;
  app.footer(footer);
  return bound;
}

/// The words that are neither options nor their values, as far as that can be said without the parser.
std::vector<std::string> plain_words(const std::vector<std::string>& words) {
  std::vector<std::string> plain;
  for (const std::string& word : words) {
    if (!word.starts_with('-')) plain.push_back(word);
  }
  return plain;
}

/// The command that the line begins with, or nullptr.
const Command* command_of(const Commands& commands, const std::vector<std::string>& plain) {
  for (const size_t count : {size_t{2}, size_t{1}}) {
    if (plain.size() < count) continue;
    const std::string path = count == 2 ? plain[0] + " " + plain[1] : plain[0];
    const auto at =
        std::find_if(commands.begin(), commands.end(), [&](const Command& command) { return command.path == path; });
    if (at != commands.end()) return &*at;
  }
  return nullptr;
}

bool takes(const Command* command, std::string_view option) {
  for (const char* common : {"--server", "--project", "--output", "-o", "--help", "-h", "--version"}) {
    if (option == common) return true;
  }
  if (!command) return false;
  return std::any_of(command->options.begin(), command->options.end(), [&](const Option& known) {
    return option == "--" + known.name || (known.letter != 0 && option == std::string("-") + known.letter);
  });
}

/// A sentence about the first option that the command does not take; empty when all are known.
std::string unknown_option(const Command* command, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") break;
    const bool is_number = word.size() > 1 && word[1] >= '0' && word[1] <= '9';
    if (word.size() < 2 || word[0] != '-' || is_number) continue;
    const std::string option = word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
    if (takes(command, option)) continue;
    std::vector<std::string> known = {"--server", "--project", "--output", "--help"};
    if (command) {
      for (const Option& each : command->options) known.push_back("--" + each.name);
    }
    const auto near = nearest(option, known);
    return "`slipway" + (command ? " " + command->path : "") + "` has no option '" + option + "'; " +
           (near ? "did you mean '" + *near + "'?" : "it takes " + join(known, ", "));
  }
  return "";
}

/// What may stand behind a noun; empty when it is none.
std::vector<std::string> verbs_of(const Commands& commands, const std::string& noun) {
  std::vector<std::string> verbs;
  for (const Command& command : commands) {
    if (command.path.starts_with(noun + " ")) verbs.push_back(command.path.substr(noun.size() + 1));
  }
  return verbs;
}

/// A sentence about words that begin no command; empty when there are none.
std::string unknown_command(const Commands& commands, const std::vector<std::string>& plain) {
  if (plain.empty()) return "";
  const auto verbs = verbs_of(commands, plain[0]);
  if (plain.size() == 1 && !verbs.empty()) return "say what about " + plain[0] + ": " + join(verbs, ", ");
  if (!verbs.empty()) {
    const auto near = nearest(plain[1], verbs);
    return "`slipway " + plain[0] + "` has no '" + plain[1] + "'; " +
           (near ? "did you mean '" + *near + "'?" : "it has " + join(verbs, ", "));
  }
  std::vector<std::string> known;
  for (const Command& command : commands) known.push_back(split(command.path, ' ')[0]);
  const auto near = nearest(plain[0], known);
  return "there is no command '" + plain[0] + "'" + (near ? "; did you mean '" + *near + "'?" : "");
}

/// `said` is the parser's own sentence, for what we have no better one for.
std::string what_is_wrong(const Commands& commands, const std::vector<std::string>& words, const std::string& said) {
  const auto plain = plain_words(words);
  const Command* command = command_of(commands, plain);
  std::string sentence = unknown_option(command, words);
  if (sentence.empty() && !command) sentence = unknown_command(commands, plain);
  if (sentence.empty()) sentence = said;
  std::string where = command ? command->path + " " : "";
  if (!command && !plain.empty() && !verbs_of(commands, plain[0]).empty()) where = plain[0] + " ";
  return "slipway: " + sentence + "\nSee `slipway " + where + "--help`.\n";
}

constexpr const char* kFooter =
    "Settings come from flags, then SLIPWAY_URL, SLIPWAY_TOKEN, SLIPWAY_PROJECT, then ~/.config/slipway/config.yaml.\n"
    "Exit codes: 0 done; 1 the work itself failed; 2 wrong command line or input; 3 there is no such thing; 4 not allowed;\n"
    "5 no server answers, or it is busy. `run`, `rerun` and `logs -f` end with the command's own; 130 after Ctrl-C.";

}  // namespace

std::variant<Invocation, EndNow> parse(const Commands& commands, std::vector<std::string> words) {
  CLI::App root("Slipway carries a team's work from data to models in production and back.", "slipway");
  root.require_subcommand(0, 1);
  root.fallthrough();
  root.set_version_flag("--version", std::string("slipway ") + kVersion);
  root.footer(kFooter);
  Invocation invocation;
  root.add_option("--server", invocation.server, "The server's URL")->type_name("URL");
  root.add_option("--project", invocation.project, "The project")->type_name("NAME");
  root.add_option("-o,--output", invocation.output, "How to print")
      ->type_name("text|json")
      ->check(CLI::IsMember({"text", "json"}));

  std::vector<Bound> bounds;
  std::map<std::string, CLI::App*> nouns;
  for (const Command& command : commands) {
    const auto parts = split(command.path, ' ');
    CLI::App* parent = &root;
    if (parts.size() == 2) {
      auto& noun = nouns[parts[0]];
      if (!noun) noun = root.add_subcommand(parts[0], "About " + parts[0])->require_subcommand(1)->fallthrough();
      parent = noun;
    }
    CLI::App* app = parent->add_subcommand(parts.back(), command.summary)->fallthrough();
    if (command.path == "run") app->positionals_at_end(false);
    bounds.push_back(bind(*app, command));
    if (parts.size() == 1) nouns[parts[0]] = app;
  }

  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    root.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* deepest = &root;
    while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands()[0];
    return EndNow{deepest->help(), kExitOk};
  } catch (const CLI::CallForVersion&) {
    return EndNow{std::string("slipway ") + kVersion + "\n", kExitOk};
  } catch (const CLI::ParseError& problem) {
    return EndNow{what_is_wrong(commands, words, problem.what()), kExitUsage};
  }
  for (const Bound& bound : bounds) {
    if (!bound.app->parsed()) continue;
    invocation.command = bound.command;
    for (const auto& [option_name, values] : bound.values) {
      if (!values->empty()) invocation.arguments.values[option_name] = *values;
    }
    for (const auto& [flag, set] : bound.flags) {
      if (*set) invocation.arguments.values[flag] = {"true"};
    }
    for (const Option& option : bound.command->options) {
      if (!option.otherwise.empty()) invocation.arguments.defaults[option.name] = option.otherwise;
    }
  }
  if (!invocation.command) return EndNow{root.help(), kExitOk};
  return invocation;
}

std::string render_completion(const Commands& commands, std::string_view shell) {
  // first word -> its second words; "noun verb" -> its flags
  std::map<std::string, std::vector<std::string>> seconds, flags;
  for (const Command& command : commands) {
    const auto parts = split(command.path, ' ');
    auto& second = seconds[parts[0]];
    if (parts.size() == 2) second.push_back(parts[1]);
    auto& known = flags[command.path];
    for (const Option& option : command.options) known.push_back("--" + option.name);
    for (const char* common : {"--server", "--project", "--output", "--help"}) known.emplace_back(common);
  }
  std::vector<std::string> firsts;
  for (const auto& [first, ignored] : seconds) firsts.push_back(first);
  std::string out;
  if (shell == "fish") {
    out = "complete -c slipway -f\ncomplete -c slipway -n __fish_use_subcommand -a '" + join(firsts, " ") + "'\n";
    for (const auto& [first, words] : seconds) {
      if (!words.empty())
        out += "complete -c slipway -n '__fish_seen_subcommand_from " + first + "' -a '" + join(words, " ") + "'\n";
    }
    return out;
  }
  if (shell == "zsh") out = "#compdef slipway\nautoload -U +X bashcompinit && bashcompinit\n";
  out +=
      "_slipway() {\n  local word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} second=${COMP_WORDS[2]}\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W '" +
      join(firsts, " ") +
      "' -- \"$word\")); return; fi\n"
      "  if [ \"$COMP_CWORD\" -eq 2 ] && [ \"${word#-}\" = \"$word\" ]; then\n    case $first in\n";
  for (const auto& [first, words] : seconds) {
    if (!words.empty())
      out += "      " + first + ") COMPREPLY=($(compgen -W '" + join(words, " ") + "' -- \"$word\")); return;;\n";
  }
  out += "    esac\n  fi\n  case \"$first $second\" in\n";
  for (const auto& [path, words] : flags) {
    const bool is_verb = path.find(' ') == std::string::npos;
    out += "    '" + path + (is_verb ? "' | '" + path + " '*" : "'") + ") COMPREPLY=($(compgen -f -W '" +
           join(words, " ") + "' -- \"$word\"));;\n";
  }
  out += "    *) COMPREPLY=($(compgen -f -- \"$word\"));;\n  esac\n}\ncomplete -F _slipway slipway\n";
  return out;
}

}  // namespace slipway::cli
