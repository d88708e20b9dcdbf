// What a declaration asks for, checked and ready to be applied; and the join of files into samples. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/pattern.h"
#include "domain/project_file.h"

namespace slipway::data {

enum class Decode { image, labels, depth16, label, text, json, audio, number, bytes };

struct StreamPlan {
  std::string name;
  Pattern files;
  Decode decode = Decode::bytes;
  bool optional = false;
  /// The label is the field {label} of the path, and the file belongs to another stream.
  bool label_from_path = false;
};

enum class Statistic { brightness, contrast, stroke_thickness, mask_area, width, height, bytes };

struct AttributePlan {
  std::string name;
  enum class Type { text, integer, real, boolean } type = Type::text;
  std::string from_key;
  std::string manifest, column;
  std::optional<Statistic> statistic;
  size_t stream = 0;  // of the statistic
};

struct Checks {
  std::vector<std::vector<size_t>> same_size;            // each a list of streams
  std::map<size_t, std::vector<std::string>> labels_in;  // stream -> allowed values, as text
};

struct Plan {
  Pattern key;
  std::vector<StreamPlan> streams;
  std::vector<AttributePlan> attributes;
  Checks checks;

  static Result<Plan> make(const DatasetDeclaration& declaration);
};

/// A sample before its files were looked into. `paths` has one entry per stream, empty where it has none.
struct Joined {
  std::string key;
  Fields fields;
  std::vector<std::string> paths;
};

struct Join {
  std::vector<Joined> samples;        // sorted by key
  std::vector<std::string> unused;    // files that match no stream
  std::vector<std::string> problems;  // sentences: two files for one place, a stream without a file
};

Join join_files(const Plan& plan, const std::vector<std::string>& paths);

}  // namespace slipway::data
