// Commands with holes: `python train.py --lr {lr} --data {inputs.scenes} --to {outputs.model}`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway {

/// The names in the holes of a command, in order, repeated as often as they stand there. A hole is a name in braces:
/// letters, digits, '_', '-' and '.', starting with a letter or '_'. Other braces (`${HOME}`, `{ …; }`, `{1..3}`)
/// belong to the shell and stay. `{{name}}` writes `{name}`.
std::vector<std::string> template_names(std::string_view command);

/// The command with each hole filled by its value, quoted as one word for a POSIX shell. A hole without a value is
/// invalid_argument and names the nearest value there is. Holes must not stand inside quotes of the command: the value
/// brings its own.
Result<std::string> fill_template(std::string_view command, const std::map<std::string, std::string>& values);

}  // namespace slipway
