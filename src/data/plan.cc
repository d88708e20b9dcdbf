#include "data/plan.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::data {
namespace {

using Code = ErrorCode;

template <typename T, size_t N>
using Names = std::array<std::pair<std::string_view, T>, N>;

constexpr Names<Decode, 9> kDecodes = {{{"image", Decode::image},
                                        {"labels", Decode::labels},
                                        {"depth16", Decode::depth16},
                                        {"label", Decode::label},
                                        {"text", Decode::text},
                                        {"json", Decode::json},
                                        {"audio", Decode::audio},
                                        {"number", Decode::number},
                                        {"bytes", Decode::bytes}}};
constexpr Names<Statistic, 7> kStatistics = {{{"brightness", Statistic::brightness},
                                              {"contrast", Statistic::contrast},
                                              {"stroke_thickness", Statistic::stroke_thickness},
                                              {"mask_area", Statistic::mask_area},
                                              {"width", Statistic::width},
                                              {"height", Statistic::height},
                                              {"bytes", Statistic::bytes}}};
constexpr Names<AttributePlan::Type, 4> kTypes = {{{"text", AttributePlan::Type::text},
                                                   {"integer", AttributePlan::Type::integer},
                                                   {"float", AttributePlan::Type::real},
                                                   {"boolean", AttributePlan::Type::boolean}}};

/// The value of a name, or a sentence with the nearest one.
template <typename T, size_t N>
Result<T> one_of(const Names<T, N>& names, std::string_view name, std::string_view what) {
  std::vector<std::string> known;
  for (const auto& [candidate, value] : names) {
    if (candidate == name) return value;
    known.emplace_back(candidate);
  }
  const auto near = nearest(name, known);
  return Error{Code::invalid_argument,
               fmt::format("'{}' is no {}; {}", clean_utf8(name, 100), what,
                           near ? "did you mean " + *near + "?" : "expected one of " + join(known, ", "))};
}

Result<size_t> stream_index(const std::vector<StreamPlan>& streams, std::string_view name, std::string_view where) {
  std::vector<std::string> known;
  for (size_t i = 0; i < streams.size(); ++i) {
    if (streams[i].name == name) return i;
    known.push_back(streams[i].name);
  }
  return Error{Code::invalid_argument,
               fmt::format("{} speaks of the stream '{}'; there {} {}", where, clean_utf8(name, 100),
                           known.size() == 1 ? "is only" : "are", join(known, ", "))};
}

Result<Pattern> key_pattern(const DatasetDeclaration& declaration, const std::vector<StreamPlan>& streams) {
  if (!declaration.key.empty()) return Pattern::parse(declaration.key);
  // Without a key: what distinguishes the files of the first stream.
  std::vector<std::string> holes;
  for (const std::string& field : streams.front().files.fields()) holes.push_back("{" + field + "}");
  if (holes.empty())
    return Error{Code::invalid_argument,
                 fmt::format("the pattern '{}' of the stream {} has no {{field}}, so all files would be one sample",
                             streams.front().files.text(), streams.front().name)};
  return Pattern::parse(join(holes, "/"));
}

Result<AttributePlan> attribute_plan(const std::string& name, const Attribute& attribute, const Plan& plan) {
  const auto type = TRY(one_of(kTypes, attribute.type, "type of an attribute"));
  AttributePlan out{name, type, attribute.from_key, attribute.manifest, attribute.column, {}, 0};
  if (!attribute.manifest.empty() && attribute.column.empty()) out.column = name;
  if (!attribute.from_key.empty()) {
    const bool known = std::any_of(plan.streams.begin(), plan.streams.end(), [&](const StreamPlan& stream) {
      return stream.files.has_field(attribute.from_key);
    });
    if (!known)
      return Error{
          Code::invalid_argument,
          fmt::format("the attribute '{}' is taken from {{{}}}, which stands in no pattern", name, attribute.from_key)};
  }
  if (attribute.compute.empty()) return out;
  const size_t open = attribute.compute.find('(');
  if (open == std::string::npos || !attribute.compute.ends_with(')')) {
    return Error{
        Code::invalid_argument,
        fmt::format(
            "the attribute '{}' is computed by '{}'; expected a statistic of a stream, such as brightness(image)", name,
            attribute.compute)};
  }
  out.statistic = TRY(one_of(kStatistics, trim(std::string_view(attribute.compute).substr(0, open)), "statistic"));
  out.stream = TRY(stream_index(
      plan.streams, trim(std::string_view(attribute.compute).substr(open + 1, attribute.compute.size() - open - 2)),
      "the attribute " + name));
  const Decode decode = plan.streams[out.stream].decode;
  const bool of_values = decode == Decode::labels || decode == Decode::depth16;
  const bool fits = *out.statistic == Statistic::bytes       ? !plan.streams[out.stream].label_from_path
                    : *out.statistic == Statistic::mask_area ? of_values
                    : *out.statistic == Statistic::width || *out.statistic == Statistic::height
                        ? of_values || decode == Decode::image
                        : decode == Decode::image;
  if (!fits)
    return Error{Code::invalid_argument,
                 fmt::format("the attribute '{}' cannot be computed: {} does not apply to what the stream {} holds",
                             name, attribute.compute, plan.streams[out.stream].name)};
  return out;
}

Result<void> add_check(const DatasetCheck& check, Plan& plan) {
  if (check.name == "all_streams_present") return {};  // what join_files() does for every stream that is not optional
  if (check.name == "same_size") {
    std::vector<size_t> group;
    for (const Json& name : check.arguments.array())
      group.push_back(TRY(stream_index(plan.streams, name.string(), "the check same_size")));
    if (group.size() < 2)
      return Error{Code::invalid_argument,
                   "the check same_size compares at least two streams, such as {same_size: [rgb, mask]}"};
    plan.checks.same_size.push_back(std::move(group));
    return {};
  }
  if (check.name == "labels_in") {
    for (const auto& [name, values] : check.arguments.object()) {
      const size_t stream = TRY(stream_index(plan.streams, name, "the check labels_in"));
      const Decode decode = plan.streams[stream].decode;
      if (decode != Decode::labels && decode != Decode::label)
        return Error{Code::invalid_argument,
                     fmt::format("the check labels_in cannot apply to the stream {}, which holds no labels", name)};
      for (const Json& value : values.array())
        plan.checks.labels_in[stream].push_back(value.is_string() ? value.string() : value.render());
    }
    if (check.arguments.object().empty())
      return Error{Code::invalid_argument,
                   "the check labels_in needs streams and their values, such as {labels_in: {mask: [0, 1, 2]}}"};
    return {};
  }
  const auto near = nearest(check.name, {"all_streams_present", "same_size", "labels_in"});
  return Error{Code::invalid_argument, fmt::format("'{}' is no check; {}", check.name,
                                                   near ? "did you mean " + *near + "?"
                                                        : "there are all_streams_present, same_size and labels_in")};
}

}  // namespace

Result<Plan> Plan::make(const DatasetDeclaration& declaration) {
  if (declaration.streams.empty()) return Error{Code::invalid_argument, "a dataset needs at least one stream"};
  Plan plan;
  for (const auto& [name, stream] : declaration.streams) {
    auto files = TRY(Pattern::parse(stream.files));
    const Decode decode = stream.decode.empty() ? Decode::bytes : TRY(one_of(kDecodes, stream.decode, "way to decode"));
    StreamPlan out{name, std::move(files), decode, stream.optional, false};
    out.label_from_path = out.decode == Decode::label && out.files.has_field("label");
    plan.streams.push_back(std::move(out));
  }
  plan.key = TRY(key_pattern(declaration, plan.streams));
  for (const StreamPlan& stream : plan.streams) {
    for (const std::string& field : plan.key.fields()) {
      if (!stream.files.has_field(field)) {
        return Error{Code::invalid_argument,
                     fmt::format("the pattern '{}' of the stream {} has no {{{}}}, which the key '{}' needs",
                                 stream.files.text(), stream.name, field, plan.key.text())};
      }
    }
  }
  for (const auto& [name, attribute] : declaration.attributes)
    plan.attributes.push_back(TRY(attribute_plan(name, attribute, plan)));
  for (const DatasetCheck& check : declaration.checks) TRY(add_check(check, plan));
  return plan;
}

Join join_files(const Plan& plan, const std::vector<std::string>& paths) {
  Join out;
  std::unordered_map<std::string, size_t> by_key;
  for (const std::string& path : paths) {
    bool used = false;
    for (size_t s = 0; s < plan.streams.size(); ++s) {
      const auto fields = plan.streams[s].files.match(path);
      if (!fields) continue;
      used = true;
      const std::string key = plan.key.fill(*fields).value();  // make() saw that the fields are there
      const auto [place, is_new] = by_key.try_emplace(key, out.samples.size());
      if (is_new) out.samples.push_back({key, {}, std::vector<std::string>(plan.streams.size())});
      Joined& sample = out.samples[place->second];
      std::string& taken = sample.paths[s];
      if (!taken.empty())
        out.problems.push_back(
            fmt::format("{}: the sample '{}' has {} as its {} already", path, key, taken, plan.streams[s].name));
      taken = path;
      for (const auto& [field, value] : *fields) {
        const auto known = sample.fields.try_emplace(field, value).first;
        if (known->second != value)
          out.problems.push_back(fmt::format("{}: {{{}}} of the sample '{}' is '{}' here and '{}' in another stream",
                                             path, field, key, value, known->second));
      }
    }
    if (!used) out.unused.push_back(path);
  }
  std::sort(out.samples.begin(), out.samples.end(), [](const Joined& a, const Joined& b) { return a.key < b.key; });
  for (const Joined& sample : out.samples) {
    for (size_t s = 0; s < plan.streams.size(); ++s) {
      if (!sample.paths[s].empty() || plan.streams[s].optional) continue;
      const auto expected = plan.streams[s].files.fill(sample.fields);
      out.problems.push_back(fmt::format("the sample '{}' has no file for its stream {}; expected {}", sample.key,
                                         plan.streams[s].name,
                                         expected.ok() ? *expected : plan.streams[s].files.text()));
    }
  }
  return out;
}

}  // namespace slipway::data
