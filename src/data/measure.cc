#include "data/measure.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash_file.h"
#include "base/text.h"
#include "data/data.h"
#include "data/image.h"

namespace slipway::data {
namespace {

Error bad(std::string_view path, std::string_view sentence) {
  return {ErrorCode::invalid_argument, fmt::format("{}: {}", path, sentence)};
}

/// What was found in one stream's file.
struct Content {
  std::string bytes;  // of kinds that are read whole
  std::optional<Luma> luma;
  std::optional<Values> values;
};

bool is_read_whole(Decode decode) { return decode != Decode::bytes && decode != Decode::audio; }

std::string media_type_of(const StreamPlan& stream, std::string_view bytes) {
  switch (stream.decode) {
    case Decode::image:
    case Decode::labels:
    case Decode::depth16: return bytes.starts_with("\xff\xd8") ? "image/jpeg" : "image/png";
    case Decode::label:
    case Decode::number:
    case Decode::text: return "text/plain";
    case Decode::json: return "application/json";
    case Decode::audio: return stream.files.text().ends_with(".wav") ? "audio/wav" : "application/octet-stream";
    case Decode::bytes: break;
  }
  return "application/octet-stream";
}

Result<void> decode(const StreamPlan& stream, StreamFile& file, Content& content) {
  const auto named = [&](const Error& error) { return bad(file.path, error.message); };
  if (stream.decode == Decode::image) {
    auto luma = decode_luma(content.bytes);
    if (!luma.ok()) return named(luma.error());
    file.width = luma->width;
    file.height = luma->height;
    content.luma = std::move(*luma);
  } else if (stream.decode == Decode::labels || stream.decode == Decode::depth16) {
    auto values = decode_values(content.bytes);
    if (!values.ok()) return named(values.error());
    file.width = values->width;
    file.height = values->height;
    content.values = std::move(*values);
  } else if (stream.decode == Decode::json) {
    const auto json = Json::parse(content.bytes);
    if (!json.ok()) return named(json.error());
  } else if (stream.decode == Decode::text && !is_utf8(content.bytes)) {
    return bad(file.path, "the text is not valid UTF-8");
  }
  return {};
}

Result<Json> label_of(const StreamFile& file, const std::string& bytes) {
  const std::string_view text = trim(bytes);
  if (text.empty() || text.size() > kLabelBytesMax || !is_utf8(text) || text.find('\n') != std::string_view::npos) {
    return bad(file.path, fmt::format("expected one line of 1 to {} bytes of text as the label; found {} bytes",
                                      kLabelBytesMax, bytes.size()));
  }
  return Json(text);
}

Result<void> check_values(const Plan& plan, size_t stream, const StreamFile& file, const Content& content,
                          const Json& label) {
  const auto allowed = plan.checks.labels_in.find(stream);
  if (allowed == plan.checks.labels_in.end()) return {};
  const auto is_allowed = [&](const std::string& value) {
    return std::find(allowed->second.begin(), allowed->second.end(), value) != allowed->second.end();
  };
  if (plan.streams[stream].decode == Decode::label) {
    if (is_allowed(label.string())) return {};
    return bad(file.path,
               fmt::format("the label is '{}'; labels_in allows {}", label.string(), join(allowed->second, ", ")));
  }
  std::vector<bool> seen(1 << 16);
  for (size_t i = 0; i < content.values->pixels.size(); ++i) {
    const std::uint16_t value = content.values->pixels[i];
    if (seen[value]) continue;
    seen[value] = true;
    if (is_allowed(std::to_string(value))) continue;
    const size_t width = static_cast<size_t>(content.values->width);
    return bad(file.path, fmt::format("the value {} at column {}, row {}; labels_in allows {}", value, i % width,
                                      i / width, join(allowed->second, ", ")));
  }
  return {};
}

Result<void> check_sizes(const Plan& plan, const std::vector<StreamFile>& files) {
  for (const std::vector<size_t>& group : plan.checks.same_size) {
    const StreamFile* first = nullptr;
    for (const size_t stream : group) {
      const StreamFile& file = files[stream];
      if (file.path.empty()) continue;
      if (first == nullptr) first = &file;
      if (file.width == first->width && file.height == first->height) continue;
      return bad(file.path, fmt::format("{} x {} pixels, but {} has {} x {}; same_size asks for equal ones", file.width,
                                        file.height, first->path, first->width, first->height));
    }
  }
  return {};
}

/// Six digits are more than any statistic means, and keep the tables small.
double rounded(double value) { return std::round(value * 1e6) / 1e6; }

Json statistic_of(Statistic statistic, const StreamFile& file, const Content& content) {
  switch (statistic) {
    case Statistic::brightness: return rounded(brightness(*content.luma));
    case Statistic::contrast: return rounded(contrast(*content.luma));
    case Statistic::stroke_thickness: return rounded(stroke_thickness(*content.luma));
    case Statistic::mask_area: return rounded(mask_area(*content.values));
    case Statistic::width: return file.width;
    case Statistic::height: return file.height;
    case Statistic::bytes: return file.size;
  }
  return nullptr;
}

Result<Json> find_attribute(const AttributePlan& attribute, const Joined& joined, const std::vector<StreamFile>& files,
                            const std::vector<Content>& contents, const Manifests& manifests) {
  if (attribute.statistic) {
    if (files[attribute.stream].path.empty()) return Json();
    return statistic_of(*attribute.statistic, files[attribute.stream], contents[attribute.stream]);
  }
  if (!attribute.from_key.empty()) {
    const auto field = joined.fields.find(attribute.from_key);
    return field == joined.fields.end() ? Json() : TRY(attribute_value(attribute, field->second));
  }
  const auto& manifest = manifests.at(attribute.manifest);
  const auto row = manifest.find(joined.key);
  if (row == manifest.end()) return Json();
  const auto value = row->second.find(attribute.column);
  if (value == row->second.end())
    return bad(attribute.manifest, fmt::format("the row of '{}' has no column '{}'", joined.key, attribute.column));
  auto typed = attribute_value(attribute, value->second);
  if (!typed.ok())
    return bad(attribute.manifest, fmt::format("the row of '{}': {}", joined.key, typed.error().message));
  return typed;
}

}  // namespace

Result<Json> attribute_value(const AttributePlan& attribute, const Json& given) {
  using Type = AttributePlan::Type;
  if (given.is_null() || (given.is_string() && given.string().empty())) return Json();
  const std::string text = given.is_string() ? given.string() : given.render();
  switch (attribute.type) {
    case Type::text: return Json(text);
    case Type::integer:
      if (const auto number = parse_i64(text)) return Json(*number);
      break;
    case Type::real:
      if (const auto number = parse_double(text); number && std::isfinite(*number)) return Json(*number);
      break;
    case Type::boolean:
      if (text == "true" || text == "1" || text == "yes") return Json(true);
      if (text == "false" || text == "0" || text == "no") return Json(false);
      break;
  }
  static constexpr std::string_view kWords[] = {"text", "a whole number", "a number", "true or false"};
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' is '{}'; expected {}", attribute.name, clean_utf8(text, 100),
                           kWords[static_cast<int>(attribute.type)])};
}

Result<Sample> measure(const Plan& plan, const Joined& joined, const std::filesystem::path& folder,
                       const Manifests& manifests) {
  Sample sample;
  sample.key = joined.key;
  std::vector<StreamFile> files(plan.streams.size());
  std::vector<Content> contents(plan.streams.size());
  for (size_t s = 0; s < plan.streams.size(); ++s) {
    const StreamPlan& stream = plan.streams[s];
    if (joined.paths[s].empty()) continue;
    StreamFile& file = files[s];
    file.path = joined.paths[s];
    if (stream.label_from_path) {
      sample.label = joined.fields.find("label")->second;
      TRY(check_values(plan, s, file, contents[s], sample.label));
      continue;
    }
    if (is_read_whole(stream.decode)) {
      contents[s].bytes = TRY(read_file(folder / file.path, kDecodedFileBytesMax));
      file.hash = hash_of(contents[s].bytes);
      file.size = contents[s].bytes.size();
    } else {
      const FileHash found = TRY(hash_file(folder / file.path));
      file.hash = found.hash;
      file.size = found.bytes;
    }
    file.media_type = media_type_of(stream, contents[s].bytes);
    TRY(decode(stream, file, contents[s]));
    if (stream.decode == Decode::label) sample.label = TRY(label_of(file, contents[s].bytes));
    if (stream.decode == Decode::number) {
      const auto number = parse_double(trim(contents[s].bytes));
      if (!number || !std::isfinite(*number)) return bad(file.path, "expected one number");
      sample.attributes.emplace_back(stream.name, *number);
    }
    TRY(check_values(plan, s, file, contents[s], sample.label));
    sample.streams.emplace_back(stream.name, file);
  }
  TRY(check_sizes(plan, files));
  for (const AttributePlan& attribute : plan.attributes) {
    Json value = TRY(find_attribute(attribute, joined, files, contents, manifests));
    if (attribute.name == "label" && sample.label.is_null())
      sample.label = value;  // a manifest's column may be the label
    sample.attributes.emplace_back(attribute.name, std::move(value));
  }
  return sample;
}

}  // namespace slipway::data
