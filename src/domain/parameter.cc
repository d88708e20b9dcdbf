// Values of parameters: typed, limited, and read from text.
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "domain/project_file.h"

namespace slipway {
namespace {

std::string expectation(const Parameter& parameter) {
  std::string text = fmt::format("a value of type {}", name(parameter.type));
  if (parameter.min) text += fmt::format(", at least {}", *parameter.min);
  if (parameter.max) text += fmt::format(", at most {}", *parameter.max);
  std::vector<std::string> choices;
  for (const Json& choice : parameter.choices)
    choices.push_back(choice.is_string() ? choice.string() : choice.render());
  if (!choices.empty()) text += ", one of " + join(choices, ", ");
  return text;
}

std::optional<Json> as_type(ParameterType type, const Json& given) {
  const std::string text = given.is_string() ? given.string() : given.render();
  switch (type) {
    case ParameterType::real:
      if (given.is_number()) return Json(*given.number());
      if (const auto value = parse_double(text); value && given.is_string()) return Json(*value);
      return std::nullopt;
    case ParameterType::integer:
      if (const auto value = given.integer()) return Json(*value);
      if (const auto value = parse_i64(text)) return Json(*value);
      return std::nullopt;
    case ParameterType::boolean:
      if (given.is_bool()) return given;
      if (text == "true") return Json(true);
      if (text == "false") return Json(false);
      return std::nullopt;
    case ParameterType::text:
      if (given.is_null() || given.is_array() || given.is_object()) return std::nullopt;
      return Json(text);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(ParameterType type) {
  switch (type) {
    case ParameterType::real: return "float";
    case ParameterType::integer: return "integer";
    case ParameterType::boolean: return "boolean";
    case ParameterType::text: return "string";
  }
  return "string";
}

Result<Json> parameter_value(std::string_view name, const Parameter& parameter, const Json& given) {
  const auto value = as_type(parameter.type, given);
  bool fits = value.has_value();
  if (fits && value->is_number()) {
    const double number = *value->number();
    fits = !(parameter.min && !(number >= *parameter.min)) && !(parameter.max && !(number <= *parameter.max));
  }
  if (fits && !parameter.choices.empty()) {
    fits = std::find(parameter.choices.begin(), parameter.choices.end(), *value) != parameter.choices.end();
  }
  if (fits) return *value;
  return Error{ErrorCode::invalid_argument,
               fmt::format("parameter '{}': found {}; expected {}", name,
                           clean_utf8(given.is_string() ? "'" + given.string() + "'" : given.render(), 100),
                           expectation(parameter))};
}

}  // namespace slipway
