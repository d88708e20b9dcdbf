#include "domain/reference.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "domain/grammar.h"

namespace slipway {

Result<Reference> parse_reference(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' {}; expected a reference such as dataset:scenes@main, model:segmenter@production, "
                             "model:segmenter/3 or run:<id>/<path>",
                             clean_utf8(text, 100), why)};
  };
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong("does not say what kind of thing it names");
  const std::string_view kind = text.substr(0, colon), rest = text.substr(colon + 1);
  Reference reference;
  if (kind == "run") {
    reference.kind = Reference::Kind::run;
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos || !looks_like_id(rest.substr(0, slash))) return wrong("names no run and path");
    reference.name = std::string(rest.substr(0, slash));
    reference.path = std::string(rest.substr(slash + 1));
    TRY(check_relative_path(reference.path));
    return reference;
  }
  if (kind != "dataset" && kind != "model") return wrong("names an unknown kind of thing");
  reference.kind = kind == "model" ? Reference::Kind::model : Reference::Kind::dataset;
  const size_t mark = rest.find_first_of("@/");
  reference.name = std::string(rest.substr(0, mark));
  if (!check_grammar_name(reference.name).ok()) return wrong("has no proper name");
  if (mark == std::string_view::npos) {
    if (reference.kind == Reference::Kind::model) return wrong("says neither which version nor which alias");
    reference.at = "main";
    return reference;
  }
  const std::string_view version = rest.substr(mark + 1);
  if (rest[mark] == '/') {
    const auto number = parse_i64(version);
    if (reference.kind != Reference::Kind::model || !number || *number < 1)
      return wrong("has no proper version number");
    reference.version = *number;
    return reference;
  }
  if (!check_grammar_name(version).ok()) return wrong("has no proper name after the @");
  reference.at = std::string(version);
  return reference;
}

std::string render(const Reference& reference) {
  switch (reference.kind) {
    case Reference::Kind::run: return fmt::format("run:{}/{}", reference.name, reference.path);
    case Reference::Kind::model:
      if (reference.version > 0) return fmt::format("model:{}/{}", reference.name, reference.version);
      return fmt::format("model:{}@{}", reference.name, reference.at);
    case Reference::Kind::dataset: return fmt::format("dataset:{}@{}", reference.name, reference.at);
  }
  return "";
}

}  // namespace slipway
