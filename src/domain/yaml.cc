#include "domain/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "base/text.h"

namespace slipway {
namespace {

/// Builds the tree from the parser's events. The parser knows no failure from a handler but an exception.
class Builder : public YAML::EventHandler {
 public:
  struct Refused {
    Error error;
  };

  explicit Builder(std::string_view file_name) : file_name_(file_name) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add({YamlNode::Kind::null, "", false, mark.line + 1, {}, {}}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto at = anchors_.find(anchor);
    if (at == anchors_.end()) refuse(mark.line + 1, "the alias refers to a value that is still being read");
    count(weight(at->second), mark.line + 1);
    YamlNode copy = at->second;
    add_counted(std::move(copy), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // yaml-cpp gives "?" to bare scalars and "!" to quoted ones.
    const bool quoted = tag != "?" && !tag.empty();
    add({YamlNode::Kind::scalar, value, quoted, mark.line + 1, {}, {}}, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open({YamlNode::Kind::list, "", false, mark.line + 1, {}, {}}, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open({YamlNode::Kind::map, "", false, mark.line + 1, {}, {}}, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlNode::Member> pending;  // a key that waits for its value
    std::vector<YamlNode> merges;
    std::map<std::string, int> key_lines;
  };

  [[noreturn]] void refuse(int line, std::string_view why, ErrorCode code = ErrorCode::invalid_argument) {
    throw Refused{Error{code, fmt::format("{}:{}: {}", file_name_, line, why)}};
  }

  void count(size_t nodes, int line) {
    nodes_ += nodes;
    if (nodes_ > kYamlNodesMax) {
      refuse(line,
             fmt::format("more than {} values; the limit keeps a small file from unfolding into a huge one",
                         kYamlNodesMax),
             ErrorCode::too_large);
    }
  }

  static size_t weight(const YamlNode& node) {
    size_t sum = 1;
    for (const YamlNode& item : node.items) sum += weight(item);
    for (const auto& member : node.members) sum += weight(member.value);
    return sum;
  }

  void open(YamlNode node, YAML::anchor_t anchor) {
    if (open_.size() >= static_cast<size_t>(kYamlDepthMax)) {
      refuse(node.line, fmt::format("nested deeper than {} levels", kYamlDepthMax), ErrorCode::too_large);
    }
    if (!open_.empty() && open_.back().node.kind == YamlNode::Kind::map && !open_.back().pending) {
      refuse(node.line, "a key must be text, not a list or a map");
    }
    count(1, node.line);
    open_.push_back({std::move(node), anchor, std::nullopt, {}, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    for (const YamlNode& merge : done.merges) {
      for (const auto& member : merge.members) {
        if (done.key_lines.emplace(member.key, member.line).second) done.node.members.push_back(member);
      }
    }
    add_counted(std::move(done.node), done.anchor);
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    count(1, node.line);
    add_counted(std::move(node), anchor);
  }

  void add_counted(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.pending) {
      start_member(parent, node);
    } else {
      finish_member(parent, std::move(node));
    }
  }

  void start_member(Open& parent, const YamlNode& key) {
    if (key.kind != YamlNode::Kind::scalar) refuse(key.line, "a key must be text");
    const auto [at, is_new] = parent.key_lines.emplace(key.text, key.line);
    if (!is_new) {
      refuse(key.line,
             fmt::format("the key '{}' appears twice (first in line {})", clean_utf8(key.text, 100), at->second));
    }
    parent.pending = YamlNode::Member{key.text, key.line, {}};
  }

  void finish_member(Open& parent, YamlNode value) {
    YamlNode::Member member = std::move(*parent.pending);
    parent.pending.reset();
    if (member.key == "<<" && value.kind == YamlNode::Kind::map) {
      parent.merges.push_back(std::move(value));
      return;
    }
    member.value = std::move(value);
    parent.node.members.push_back(std::move(member));
  }

  const std::string file_name_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t nodes_ = 0;
};

bool is_plain_text(const std::string& text) {
  if (text.empty() || text.size() > 80) return false;
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/' || c == '-' || c == '@';
  };
  if (!std::all_of(text.begin(), text.end(), fine) || text.front() == '-' || text.front() == '@' || text.front() == '.')
    return false;
  YamlNode node{YamlNode::Kind::scalar, text, false, 0, {}, {}};
  return yaml_scalar_value(node).is_string();
}

std::string scalar_text(const Json& value) {
  if (value.is_string() && is_plain_text(value.string())) return value.string();
  // A double without fraction must not come back as an integer, and an infinity has its own spelling in YAML.
  if (value.is_number() && !value.is_integer()) {
    const double number = *value.number();
    if (number != number) return ".nan";
    if (number > 1.7976931348623157e308) return ".inf";
    if (number < -1.7976931348623157e308) return "-.inf";
  }
  return value.render();  // JSON's quoted strings are YAML's double-quoted ones
}

void append_yaml(std::string& out, const Json& value, int indent) {
  const std::string margin(static_cast<size_t>(indent) * 2, ' ');
  const auto append_child = [&](const Json& child) {
    const bool nested = (child.is_object() && !child.object().empty()) || (child.is_array() && !child.array().empty());
    if (nested) {
      out += "\n";
      append_yaml(out, child, indent + 1);
    } else {
      out += " " + scalar_text(child) + "\n";
    }
  };
  for (const auto& [key, child] : value.object()) {
    out += margin + scalar_text(Json(key)) + ":";
    append_child(child);
  }
  for (const Json& child : value.array()) {
    out += margin + "-";
    append_child(child);
  }
}

}  // namespace

Result<YamlNode> parse_yaml(std::string_view text, std::string_view file_name) {
  if (!is_utf8(text)) {
    return Error{ErrorCode::invalid_argument, fmt::format("{}: not valid UTF-8 text", file_name)};
  }
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    Builder first(file_name);
    if (!parser.HandleNextDocument(first)) return YamlNode{};
    Builder second(file_name);
    if (parser.HandleNextDocument(second)) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("{}: holds more than one document; expected one, without '---'", file_name)};
    }
    return first.take();
  } catch (const Builder::Refused& refused) {
    return refused.error;
  } catch (const YAML::Exception& problem) {
    return Error{ErrorCode::invalid_argument, fmt::format("{}:{}: not valid YAML: {} (column {})", file_name,
                                                          problem.mark.line + 1, problem.msg, problem.mark.column + 1)};
  }
}

Json yaml_scalar_value(const YamlNode& scalar) {
  const std::string& text = scalar.text;
  if (scalar.kind != YamlNode::Kind::scalar) return nullptr;
  if (scalar.quoted) return text;
  if (text == "null" || text == "~" || text.empty() || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const std::string_view number = text.front() == '+' ? std::string_view(text).substr(1) : std::string_view(text);
  if (const auto integer = parse_i64(number)) return *integer;
  if (text == ".nan" || text == ".NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == ".inf" || text == "+.inf") return std::numeric_limits<double>::infinity();
  if (text == "-.inf") return -std::numeric_limits<double>::infinity();
  if (text.find_first_not_of("0123456789+-.eE") == std::string::npos) {
    if (const auto real = parse_double(number)) return *real;
  }
  return text;
}

Json yaml_value(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::list) {
    Json list{Json::Array{}};
    for (const YamlNode& item : node.items) list.push(yaml_value(item));
    return list;
  }
  if (node.kind == YamlNode::Kind::map) {
    Json::Object members;
    for (const auto& member : node.members) members.emplace_back(member.key, yaml_value(member.value));
    return members;
  }
  return yaml_scalar_value(node);
}

std::string render_yaml(const Json& value) {
  const bool nested = (value.is_object() && !value.object().empty()) || (value.is_array() && !value.array().empty());
  if (!nested) return scalar_text(value) + "\n";
  std::string out;
  append_yaml(out, value, 0);
  return out;
}

}  // namespace slipway
