// YAML as a tree that knows its lines, and back. The only place that sees yaml-cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace slipway {

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  struct Member;

  Kind kind = Kind::null;
  std::string text;     // of a scalar
  bool quoted = false;  // '3.11' and "3.11" are text; a bare 3.11 may be a number
  int line = 0;         // counted from 1
  std::vector<YamlNode> items;
  std::vector<Member> members;
};

struct YamlNode::Member {
  std::string key;
  int line = 0;
  YamlNode value;
};

/// Aliases are copied, so a small file could unfold into a huge tree; this many nodes are taken.
inline constexpr size_t kYamlNodesMax = 200'000;
inline constexpr int kYamlDepthMax = 64;

/// Reads one document. Not YAML, a repeated key, a key that is no text, nodes past the limits: invalid_argument (or
/// too_large) with `file_name` and the line. An empty text is a null node. Merge keys (`<<`) are obeyed.
Result<YamlNode> parse_yaml(std::string_view text, std::string_view file_name);

/// What a bare scalar means by the core schema of YAML 1.2: null, true, false, integers, floats, else text.
Json yaml_scalar_value(const YamlNode& scalar);
/// The whole node as JSON, scalars by yaml_scalar_value.
Json yaml_value(const YamlNode& node);

/// Block style, with quotes only where a bare scalar would mean something else. parse_yaml reads the same value back.
std::string render_yaml(const Json& value);

}  // namespace slipway
