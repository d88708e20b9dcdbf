// A grammar as data: what a YAML file may contain, written once as a table of shapes. From the same table come the
// check of a file (with sentences that name line, key path and nearest known key) and the JSON Schema for editors.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/yaml.h"

namespace slipway {

struct Shape;
using ShapePtr = std::shared_ptr<const Shape>;

struct Field {
  std::string key;
  ShapePtr shape;
  std::string help;
  bool required = false;
};

struct Shape {
  enum class Kind {
    record,   // the keys of `fields` and no others
    map,      // any name -> item
    list,     // of item
    text,     // any scalar, taken as it is written
    integer,  // min..max
    number,   // min..max
    boolean,
    duration,  // "20m"; checked value: microseconds
    bytes,     // "16GiB" or a number; checked value: bytes
    fraction,  // "1%" or 0.01; checked value: number
    choice,    // one of `choices`
    any,       // whatever it is
    either,    // the first of `alternatives` that takes a node of that kind (scalar, list or map)
  };

  Kind kind = Kind::any;
  std::vector<Field> fields;
  ShapePtr item;
  std::vector<std::string> choices;
  std::vector<ShapePtr> alternatives;
  double min = -9e15, max = 9e15;
  std::string format;  // a word for people: "a reference such as dataset:scenes@main"
};

/// A node that fits its shape: values of the types above (absent keys are absent), and where each key path stood.
struct Checked {
  Json value;
  std::map<std::string, int> lines;  // "steps.train.command" -> 12; list items as "triggers[0]"

  int line(const std::string& path) const;
};

/// Names in maps: a letter, digit or '_' first, then also '-' and '.', at most 128 characters.
Result<void> check_grammar_name(std::string_view name);

/// invalid_argument with "FILE:LINE: PATH: sentence" for the first thing that does not fit.
Result<Checked> check(const YamlNode& node, const Shape& shape, std::string_view file_name);

/// The same table as a JSON Schema (draft 2020-12).
Json json_schema(const Shape& shape);

}  // namespace slipway
