#include "domain/grammar.h"

#include <fmt/format.h>

#include "base/text.h"
#include "domain/units.h"

namespace slipway {
namespace {

const char* kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::list: return "a list";
    case YamlNode::Kind::map: return "a map";
    case YamlNode::Kind::scalar: break;
  }
  const Json value = yaml_scalar_value(node);
  if (value.is_bool()) return "a boolean";
  if (value.is_integer()) return "an integer";
  if (value.is_number()) return "a number";
  return value.is_null() ? "nothing" : "text";
}

std::string found(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar) return kind_name(node);
  return fmt::format("{} '{}'", kind_name(node), clean_utf8(node.text, 60));
}

std::string expected(const Shape& shape) {
  if (!shape.format.empty()) return shape.format;
  switch (shape.kind) {
    case Shape::Kind::record:
    case Shape::Kind::map: return "a map";
    case Shape::Kind::list: return "a list";
    case Shape::Kind::text: return "text";
    case Shape::Kind::integer:
      return shape.min > -9e15 ? fmt::format("an integer of at least {}", shape.min) : "an integer";
    case Shape::Kind::number: return shape.min > -9e15 ? fmt::format("a number of at least {}", shape.min) : "a number";
    case Shape::Kind::boolean: return "true or false";
    case Shape::Kind::duration: return "a duration such as 500ms, 20m or 6h";
    case Shape::Kind::bytes: return "a size such as 512MiB or 16GiB";
    case Shape::Kind::fraction: return "a share such as 1% or 0.01";
    case Shape::Kind::choice: return "one of " + join(shape.choices, ", ");
    case Shape::Kind::any: return "a value";
    case Shape::Kind::either: {
      std::vector<std::string> words;
      for (const ShapePtr& alternative : shape.alternatives) words.push_back(expected(*alternative));
      return join(words, " or ");
    }
  }
  return "a value";
}

bool takes(const Shape& shape, YamlNode::Kind kind) {
  switch (shape.kind) {
    case Shape::Kind::record:
    case Shape::Kind::map: return kind == YamlNode::Kind::map;
    case Shape::Kind::list: return kind == YamlNode::Kind::list;
    case Shape::Kind::any: return true;
    case Shape::Kind::either:
      return std::any_of(shape.alternatives.begin(), shape.alternatives.end(),
                         [&](const ShapePtr& alternative) { return takes(*alternative, kind); });
    default: return kind == YamlNode::Kind::scalar;
  }
}

class Checker {
 public:
  explicit Checker(std::string_view file_name) : file_name_(file_name) {}

  Result<Json> check(const YamlNode& node, const Shape& shape, const std::string& path) {
    lines_[path] = node.line;
    if (!takes(shape, node.kind)) return wrong_type(node, shape, path);
    switch (shape.kind) {
      case Shape::Kind::record: return check_record(node, shape, path);
      case Shape::Kind::map: return check_map(node, shape, path);
      case Shape::Kind::list: return check_list(node, shape, path);
      case Shape::Kind::any: return yaml_value(node);
      case Shape::Kind::either:
        for (const ShapePtr& alternative : shape.alternatives) {
          if (takes(*alternative, node.kind)) return check(node, *alternative, path);
        }
        return wrong_type(node, shape, path);
      default: return check_scalar(node, shape, path);
    }
  }

  std::map<std::string, int> take_lines() { return std::move(lines_); }

 private:
  Error at(int line, const std::string& path, std::string_view sentence) const {
    // Line 0: the value came from the API, and a file has nothing to do with it.
    const std::string place = line > 0       ? fmt::format("{}:{}: ", file_name_, line)
                              : path.empty() ? fmt::format("{}: ", file_name_)
                                             : "";
    return Error{ErrorCode::invalid_argument, fmt::format("{}{}{}{}", place, path, path.empty() ? "" : ": ", sentence)};
  }

  Error wrong_type(const YamlNode& node, const Shape& shape, const std::string& path) const {
    return at(node.line, path, fmt::format("found {}; expected {}", found(node), expected(shape)));
  }

  static std::string inside(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }

  Result<Json> check_record(const YamlNode& node, const Shape& shape, const std::string& path) {
    Json out{Json::Object{}};
    for (const auto& member : node.members) {
      const auto field =
          std::find_if(shape.fields.begin(), shape.fields.end(), [&](const Field& f) { return f.key == member.key; });
      if (field == shape.fields.end()) return unknown_key(member, shape, path);
      if (member.value.kind == YamlNode::Kind::null && takes_empty(*field->shape))
        continue;  // `datasets:` with nothing below
      out.set(member.key, TRY(check(member.value, *field->shape, inside(path, member.key))));
      lines_[inside(path, member.key)] = member.line;
    }
    for (const Field& field : shape.fields) {
      if (field.required && !out.find(field.key)) {
        return at(node.line, path, fmt::format("the key '{}' is missing: {}", field.key, field.help));
      }
    }
    return out;
  }

  static bool takes_empty(const Shape& shape) {
    return shape.kind == Shape::Kind::map || shape.kind == Shape::Kind::list || shape.kind == Shape::Kind::record;
  }

  Error unknown_key(const YamlNode::Member& member, const Shape& shape, const std::string& path) const {
    std::vector<std::string> known;
    for (const Field& field : shape.fields) known.push_back(field.key);
    const std::string key = clean_utf8(member.key, 60);
    const auto likely = nearest(key, known);
    return at(member.line, inside(path, key),
              likely ? fmt::format("unknown key '{}'; did you mean '{}'?", key, *likely)
                     : fmt::format("unknown key '{}'; known here: {}", key, join(known, ", ")));
  }

  Result<Json> check_map(const YamlNode& node, const Shape& shape, const std::string& path) {
    Json::Object out;
    for (const auto& member : node.members) {
      const std::string below = inside(path, member.key);
      if (const auto named = check_grammar_name(member.key); !named.ok())
        return at(member.line, path, named.error().message);
      out.emplace_back(member.key, TRY(check(member.value, *shape.item, below)));
      lines_[below] = member.line;
    }
    return Json(std::move(out));
  }

  Result<Json> check_list(const YamlNode& node, const Shape& shape, const std::string& path) {
    Json out{Json::Array{}};
    for (size_t i = 0; i < node.items.size(); ++i) {
      out.push(TRY(check(node.items[i], *shape.item, fmt::format("{}[{}]", path, i))));
    }
    return out;
  }

  Result<Json> check_scalar(const YamlNode& node, const Shape& shape, const std::string& path) {
    const Json value = yaml_scalar_value(node);
    const auto told = [&](const Error& error) { return at(node.line, path, error.message); };
    switch (shape.kind) {
      case Shape::Kind::text: return Json(node.text);
      case Shape::Kind::boolean:
        if (value.is_bool()) return value;
        break;
      case Shape::Kind::integer:
        if (value.is_integer() && in_range(value, shape)) return value;
        break;
      case Shape::Kind::number:
        if (value.is_number() && in_range(value, shape)) return value;
        break;
      case Shape::Kind::duration: {
        const auto duration = parse_duration(node.text);
        if (!duration.ok()) return told(duration.error());
        return Json(static_cast<std::int64_t>(duration->count()));
      }
      case Shape::Kind::bytes: {
        const auto bytes = parse_bytes(node.text);
        if (!bytes.ok()) return told(bytes.error());
        return Json(*bytes);
      }
      case Shape::Kind::fraction: {
        const auto fraction = parse_fraction(node.text);
        if (!fraction.ok()) return told(fraction.error());
        return Json(*fraction);
      }
      case Shape::Kind::choice:
        if (std::find(shape.choices.begin(), shape.choices.end(), node.text) != shape.choices.end())
          return Json(node.text);
        if (const auto likely = nearest(node.text, shape.choices)) {
          return at(node.line, path,
                    fmt::format("found '{}'; did you mean '{}'? Expected {}", clean_utf8(node.text, 60), *likely,
                                expected(shape)));
        }
        break;
      default: break;
    }
    return wrong_type(node, shape, path);
  }

  static bool in_range(const Json& value, const Shape& shape) {
    return *value.number() >= shape.min && *value.number() <= shape.max;
  }

  const std::string file_name_;
  std::map<std::string, int> lines_;
};

Json scalar_schema(const Shape& shape) {
  Json schema{Json::Object{}};
  switch (shape.kind) {
    case Shape::Kind::integer: schema.set("type", "integer"); break;
    case Shape::Kind::number: schema.set("type", "number"); break;
    case Shape::Kind::boolean: schema.set("type", "boolean"); break;
    case Shape::Kind::duration: schema.set("type", "string").set("pattern", "^ *([0-9.]+ *(d|h|m|s|ms|us) *)+$"); break;
    case Shape::Kind::text:
      // A bare 3.11 in a place for text is taken as it is written.
      schema.set("type", Json(Json::Array{"string", "number", "boolean"}));
      break;
    case Shape::Kind::bytes:
    case Shape::Kind::fraction: schema.set("type", Json(Json::Array{"string", "number"})); break;
    case Shape::Kind::choice: {
      Json choices{Json::Array{}};
      for (const std::string& choice : shape.choices) choices.push(choice);
      schema.set("enum", choices);
      break;
    }
    default: break;
  }
  if (shape.min > -9e15) schema.set("minimum", shape.min);
  if (shape.max < 9e15) schema.set("maximum", shape.max);
  return schema;
}

}  // namespace

int Checked::line(const std::string& path) const {
  const auto at = lines.find(path);
  return at == lines.end() ? 0 : at->second;
}

Result<void> check_grammar_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const auto fine = [&](char c) { return letter(c) || c == '-' || c == '.'; };
  if (!text.empty() && text.size() <= 128 && letter(text.front()) && std::all_of(text.begin(), text.end(), fine))
    return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "'{}' cannot be a name; expected letters, digits, '_', '-' and '.', at most 128, a letter, digit or '_' first",
          clean_utf8(text, 60))};
}

Result<Checked> check(const YamlNode& node, const Shape& shape, std::string_view file_name) {
  Checker checker(file_name);
  Json value = TRY(checker.check(node, shape, ""));
  return Checked{std::move(value), checker.take_lines()};
}

Json json_schema(const Shape& shape) {
  Json schema{Json::Object{}};
  switch (shape.kind) {
    case Shape::Kind::record: {
      Json properties{Json::Object{}}, required{Json::Array{}};
      for (const Field& field : shape.fields) {
        Json property = json_schema(*field.shape);
        if (!field.help.empty()) property.set("description", field.help);
        properties.set(field.key, std::move(property));
        if (field.required) required.push(field.key);
      }
      schema.set("type", "object").set("properties", properties).set("additionalProperties", false);
      if (!required.array().empty()) schema.set("required", required);
      break;
    }
    case Shape::Kind::map: schema.set("type", "object").set("additionalProperties", json_schema(*shape.item)); break;
    case Shape::Kind::list: schema.set("type", "array").set("items", json_schema(*shape.item)); break;
    case Shape::Kind::any: break;
    case Shape::Kind::either: {
      Json alternatives{Json::Array{}};
      for (const ShapePtr& alternative : shape.alternatives) alternatives.push(json_schema(*alternative));
      schema.set("anyOf", alternatives);
      break;
    }
    default: schema = scalar_schema(shape);
  }
  return schema;
}

}  // namespace slipway
