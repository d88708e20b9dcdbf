#include "imports/wandb_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/text.h"

namespace slipway::imports {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOwn = "_";  // names of W&B's own begin so

/// Hands on the record's leaves: values that are no objects, and W&B's own objects (pictures, plots), by joined names.
void each_leaf(const std::string& name, const Json& value,
               const std::function<void(const std::string&, const Json&)>& visit) {
  if (!value.is_object() || value.find("_type") != nullptr || value.object().empty()) return visit(name, value);
  for (const auto& [key, inner] : value.object()) each_leaf(name + "." + key, inner, visit);
}

/// A picture or a plot may come value by value, with a `_type` among them: the names of those that do, with a dot.
std::vector<std::string> objects_in(const WandbItems& items) {
  std::vector<std::string> names;
  for (const auto& [key, text] : items) {
    if (key.ends_with("._type")) names.push_back(key.substr(0, key.size() - std::string_view("_type").size()));
  }
  return names;
}

void each_leaf_of(const WandbItems& items, const std::function<void(const std::string&, const Json&)>& visit) {
  const std::vector<std::string> objects = objects_in(items);
  std::map<std::string, Json> found;
  for (const auto& [key, text] : items) {
    const auto value = Json::parse(text);
    if (!value.ok()) continue;
    const auto object = std::find_if(objects.begin(), objects.end(),
                                     [&, &name = key](const std::string& one) { return name.starts_with(one); });
    if (object == objects.end()) {
      each_leaf(key, *value, visit);
    } else {
      found[object->substr(0, object->size() - 1)].set(key.substr(object->size()), *value);
    }
  }
  for (const auto& [name, value] : found) visit(name, value);
}

/// The value of a metric, when it is one.
std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.number();
  if (const auto truth = value.boolean()) return *truth ? 1 : 0;
  const std::string& text = value.string();
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return parse_double(text);
  return std::nullopt;
}

/// Step and time of a history record, which stand among its values.
struct Moment {
  std::int64_t step = 0, at_ms = 0;
};

Moment moment_of(const WandbRecord& record, std::int64_t step_otherwise) {
  Moment moment{record.step.value_or(step_otherwise), 0};
  for (const auto& [key, text] : record.history) {
    const auto number = parse_double(text);
    if (!number || !std::isfinite(*number) || std::abs(*number) > 9e15) continue;
    if (key == "_step") moment.step = static_cast<std::int64_t>(*number);
    if (key == "_timestamp" && *number > 0 && *number < 1e12)
      moment.at_ms = static_cast<std::int64_t>(std::llround(*number * 1000));
  }
  return moment;
}

/// Reads the file block by block. What `visit` returns ends it; damage is a sentence in `damage`.
Result<void> each_record(const fs::path& file, const std::function<Result<void>(const WandbRecord&)>& visit,
                         std::string& damage) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{ErrorCode::not_found, "cannot read " + file.string()};
  WandbBlocks blocks;
  std::string block(kWandbBlockBytes, '\0');
  std::uint64_t at = 0;
  Result<void> visited;
  while (in) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    const std::string_view bytes(block.data(), static_cast<size_t>(in.gcount()));
    if (bytes.empty()) return {};
    const auto read = blocks.read(bytes, [&](std::string_view raw) -> Result<void> {
      const WandbRecord record = TRY(read_wandb_record(raw));
      visited = visit(record);
      return visited;
    });
    if (!visited.ok()) return visited;
    if (!read.ok()) {
      damage = fmt::format("the rest of {} behind byte {}: {}", file.string(), at, read.error().message);
      return {};
    }
    at += bytes.size();
  }
  return {};
}

class StoryReader {
 public:
  explicit StoryReader(WandbStory& story) : story_(story) {}

  void take(const WandbRecord& record) {
    if (record.run) take_run(*record.run);
    each_leaf_of(record.config, [&](const std::string& key, const Json& value) { story_.config[key] = value; });
    for (const std::string& key : record.config_removed) story_.config.erase(key);
    each_leaf_of(record.summary, [&](const std::string& key, const Json& value) { story_.summary[key] = value; });
    if (!record.history.empty()) take_history(record);
    if (!record.stats.empty()) see(record.stats_ms);
    if (record.exit_code) story_.exit_code = record.exit_code;
    if (!record.artifact.empty()) story_.artifacts.insert(record.artifact);
    if (record.is_other) ++story_.others;
  }

 private:
  /// A later record of the run has only what changed.
  void take_run(const WandbRun& run) {
    WandbRun& known = story_.run;
    const auto set = [](std::string& to, const std::string& from) {
      if (!from.empty()) to = from;
    };
    set(known.id, run.id), set(known.entity, run.entity), set(known.project, run.project), set(known.group, run.group);
    set(known.job_type, run.job_type), set(known.name, run.name), set(known.notes, run.notes);
    set(known.sweep, run.sweep), set(known.host, run.host);
    set(known.git_remote, run.git_remote), set(known.git_commit, run.git_commit);
    if (!run.tags.empty()) known.tags = run.tags;
    if (run.started_ms > 0) known.started_ms = run.started_ms;
  }

  void take_history(const WandbRecord& record) {
    const Moment moment = moment_of(record, next_step_);
    next_step_ = moment.step + 1;
    story_.step_last = std::max(story_.step_last, moment.step);
    see(moment.at_ms);
    each_leaf_of(record.history, [&](const std::string& key, const Json& value) {
      if (key.starts_with(kOwn)) return;
      if (const auto number = number_of(value)) {
        story_.latest[key] = *number;
        ++story_.points;
      } else if (value.is_object() && !value["path"].string().empty()) {
        ++story_.media;
      } else if (value.is_object()) {
        ++story_.plots;
      } else if (value.is_array()) {
        ++story_.lists;
      } else if (!value.is_null()) {
        ++story_.texts;
      }
    });
  }

  void see(std::int64_t at_ms) {
    if (at_ms <= 0) return;
    story_.first_ms = story_.first_ms == 0 ? at_ms : std::min(story_.first_ms, at_ms);
    story_.last_ms = std::max(story_.last_ms, at_ms);
  }

  WandbStory& story_;
  std::int64_t next_step_ = 0;
};

class PointReader {
 public:
  explicit PointReader(const WandbPoints& visit) : visit_(visit) {}

  Result<void> take(const WandbRecord& record) {
    if (!record.history.empty()) TRY(take_history(record));
    if (!record.stats.empty()) TRY(take_stats(record));
    if (!record.output.empty() && visit_.output) TRY(visit_.output(record.output));
    return {};
  }

 private:
  Result<void> take_history(const WandbRecord& record) {
    const Moment moment = moment_of(record, next_step_);
    next_step_ = moment.step + 1;
    return send(record.history, "", moment);
  }

  /// The load has no steps: its samples are counted.
  Result<void> take_stats(const WandbRecord& record) {
    return send(record.stats, "system/", {samples_++, record.stats_ms});
  }

  Result<void> send(const WandbItems& items, const char* before, const Moment& moment) {
    Result<void> sent;
    each_leaf_of(items, [&](const std::string& key, const Json& value) {
      const auto number = number_of(value);
      if (!number || !sent.ok() || key.starts_with(kOwn)) return;
      sent = visit_.point({before + key, *number, moment.at_ms, moment.step});
    });
    return sent;
  }

  const WandbPoints& visit_;
  std::int64_t next_step_ = 0, samples_ = 0;
};

}  // namespace

Result<WandbStory> read_wandb_story(const fs::path& file) {
  WandbStory story;
  story.file = file;
  story.folder = file.parent_path();
  std::error_code problem;
  story.size = fs::file_size(file, problem);
  StoryReader reader(story);
  TRY(each_record(
      file,
      [&](const WandbRecord& record) -> Result<void> {
        reader.take(record);
        return {};
      },
      story.damage));
  if (story.run.id.empty())
    return Error{ErrorCode::invalid_argument,
                 story.damage.empty() ? file.string() + " has no run in it (yet)" : story.damage};
  return story;
}

Result<void> read_wandb_points(const fs::path& file, const WandbPoints& visit) {
  PointReader reader(visit);
  std::string damage;  // told by read_wandb_story()
  return each_record(
      file, [&](const WandbRecord& record) { return reader.take(record); }, damage);
}

}  // namespace slipway::imports
