// From the words of a command line to one command and its arguments.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cli.h"

namespace slipway::cli {

struct Invocation {
  const Command* command = nullptr;
  Arguments arguments;
  // Given anywhere on the line; empty when not.
  std::string server, project, output;
};

/// Text to print and the exit code to end with: help, the version, or what is wrong with the line.
struct EndNow {
  std::string text;
  int exit_code = kExitOk;
};

std::variant<Invocation, EndNow> parse(const Commands& commands, std::vector<std::string> words);

/// A completion script for bash, zsh or fish, made from the table.
std::string render_completion(const Commands& commands, std::string_view shell);

}  // namespace slipway::cli
