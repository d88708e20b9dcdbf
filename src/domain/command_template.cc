#include "domain/command_template.h"

#include <fmt/format.h>

#include <functional>

#include "base/text.h"

namespace slipway {
namespace {

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_part(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

/// Length of the `{name}` at the start of `text`, or 0.
size_t hole_length(std::string_view text) {
  if (text.size() < 3 || text[0] != '{' || !is_name_start(text[1])) return 0;
  size_t end = 2;
  while (end < text.size() && is_name_part(text[end])) ++end;
  return end < text.size() && text[end] == '}' ? end + 1 : 0;
}

/// Walks the command once; `hole` gives the text for a name, everything else is copied.
Result<std::string> walk(std::string_view command, const std::function<Result<std::string>(const std::string&)>& hole) {
  std::string out;
  for (size_t i = 0; i < command.size();) {
    const std::string_view rest = command.substr(i);
    const bool shell_variable = i > 0 && command[i - 1] == '$';
    if (rest.starts_with("{{")) {
      const size_t inner = hole_length(rest.substr(1));
      if (inner > 0 && rest.substr(1 + inner).starts_with("}")) {
        out += rest.substr(1, inner);
        i += inner + 2;
        continue;
      }
    }
    const size_t length = shell_variable ? 0 : hole_length(rest);
    if (length == 0) {
      out += command[i++];
      continue;
    }
    out += TRY(hole(std::string(rest.substr(1, length - 2))));
    i += length;
  }
  return out;
}

}  // namespace

std::vector<std::string> template_names(std::string_view command) {
  std::vector<std::string> names;
  const auto ignored = walk(command, [&](const std::string& name) -> Result<std::string> {
    names.push_back(name);
    return std::string();
  });
  return names;
}

Result<std::string> fill_template(std::string_view command, const std::map<std::string, std::string>& values) {
  return walk(command, [&](const std::string& name) -> Result<std::string> {
    if (const auto at = values.find(name); at != values.end()) return shell_quote(at->second);
    std::vector<std::string> known;
    for (const auto& [key, value] : values) known.push_back(key);
    const auto likely = nearest(name, known);
    return Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "the command names {{{0}}}, which is no parameter, input or output{1} (for the text {{{0}}} write {{{{{0}}}}})",
            name,
            likely          ? "; did you mean {" + *likely + "}?"
            : known.empty() ? ""
                            : "; there are " + join(known, ", "))};
  });
}

}  // namespace slipway
