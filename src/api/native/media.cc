#include "api/native/media.h"

#include <fmt/format.h>

#include "api/api.h"
#include "api/native/run_files.h"
#include "base/text.h"
#include "domain/media.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;

constexpr size_t kFilesAtOnce = 5'000;

struct Rooms {
  tracking::Tracking& tracking;
  registry::Artifacts& artifacts;
};

/// What is asked for: runs, and of items the key and perhaps the kind.
struct Wanted {
  ProjectId project;
  std::vector<RunId> runs;
  std::string key;
  std::optional<MediaKind> kind;
};

/// The media of some runs, in their order.
struct Found {
  std::vector<std::vector<MediaItem>> runs;
  bool complete = true;
};

// --- the request -----------------------------------------------------------------------------------------------------

Result<std::optional<MediaKind>> kind_of(std::string_view text) {
  if (text.empty()) return std::optional<MediaKind>();
  if (const auto kind = parse_media_kind(text)) return kind;
  return Error{ErrorCode::invalid_argument,
               fmt::format("'kind' is '{}'; expected image, audio, video, table, plot, text, html or json",
                           clean_utf8(text, 50))};
}

Result<std::string> key_of(std::string_view text) {
  if (!text.empty()) return std::string(text);
  return Error{ErrorCode::invalid_argument, "'key' is missing; GET /api/v1/runs/{run}/media lists the keys of a run"};
}

Result<Wanted> one_run(const Request& request) {
  return Wanted{project_of(request), {RunId(request.parameter("run"))}, "", std::nullopt};
}

Result<Wanted> one_run_and_key(const Request& request) {
  Wanted wanted = TRY(one_run(request));
  wanted.key = TRY(key_of(request.query_value("key").value_or("")));
  wanted.kind = TRY(kind_of(request.query_value("kind").value_or("")));
  return wanted;
}

Result<Wanted> many_runs(const Request& request, const Json& body) {
  if (body["run_ids"].is_null())
    return Error{ErrorCode::invalid_argument, "'run_ids' is missing from the request; expected an array of runs' ids"};
  Wanted wanted{project_of(request), {}, "", std::nullopt};
  for (const std::string& run : TRY(optional_texts(body, "run_ids"))) wanted.runs.emplace_back(run);
  if (wanted.runs.size() <= kMediaRunsMax) return wanted;
  return Error{ErrorCode::too_large,
               fmt::format("{} runs; at most {} are looked at in one request", wanted.runs.size(), kMediaRunsMax)};
}

Result<Wanted> keys_of_many(const Request& request) { return many_runs(request, TRY(json_body(request))); }

Result<Wanted> items_of_many(const Request& request) {
  const Json body = TRY(json_body(request));
  Wanted wanted = TRY(many_runs(request, body));
  wanted.key = TRY(key_of(TRY(optional_string(body, "key"))));
  wanted.kind = TRY(kind_of(TRY(optional_string(body, "kind"))));
  return wanted;
}

// --- looking ---------------------------------------------------------------------------------------------------------

/// Every file of a run, as long as `files_left` lasts.
Result<std::vector<MediaFile>> files_of(const Rooms& rooms, const registry::Owner& owner, size_t& files_left,
                                        bool& complete) {
  std::vector<MediaFile> files;
  while (true) {
    const size_t count = std::min(kFilesAtOnce, files_left);
    auto some = TRY(rooms.artifacts.some(owner, "", files.empty() ? "" : files.back().path, count));
    for (auto& file : some) files.push_back({std::move(file.path), file.hash, file.size, file.created_at});
    files_left -= some.size();
    if (some.size() < count) return files;
    if (files_left > 0) continue;
    complete = complete && TRY(rooms.artifacts.some(owner, "", files.empty() ? "" : files.back().path, 1)).empty();
    return files;
  }
}

Result<Found> look(const Rooms& rooms, const Wanted& wanted) {
  Found found;
  size_t files_left = kMediaFilesMax;
  for (const RunId& run : wanted.runs) {
    const auto owner = TRY(run_owner(rooms.tracking, wanted.project, run));
    found.runs.push_back(media_of(TRY(files_of(rooms, owner, files_left, found.complete))));
  }
  return found;
}

// --- the answer ------------------------------------------------------------------------------------------------------

void write_step(JsonWriter& json, std::string_view name, const std::optional<std::int64_t>& step) {
  json.key(name);
  if (step)
    json.value(*step);
  else
    json.null();
}

void write_key(JsonWriter& json, const MediaKey& key) {
  json.begin_object().member("key", key.key).member("kind", name(key.kind));
  json.member("runs", key.runs).member("items", key.items).member("step_count", key.steps.size());
  json.key("steps").begin_array();
  const size_t count = std::min(key.steps.size(), kMediaStepsMax);
  // Evenly, with the first and the last.
  for (size_t i = 0; i < count; ++i)
    json.value(count == 1 ? key.steps[0] : key.steps[i * (key.steps.size() - 1) / (count - 1)]);
  json.end_array().end_object();
}

void write_file(JsonWriter& json, const MediaFile& file) {
  json.begin_object()
      .member("path", file.path)
      .member("hash", render(file.hash))
      .member("size", file.size)
      .end_object();
}

void write_maybe_file(JsonWriter& json, std::string_view name, const std::optional<MediaFile>& file) {
  json.key(name);
  if (file)
    write_file(json, *file);
  else
    json.null();
}

void write_item(JsonWriter& json, const RunId& run, const MediaItem& item) {
  json.begin_object().member("run_id", run.text).member("kind", name(item.kind));
  write_step(json, "step", item.step);
  json.member("at", render(item.at)).key("file");
  write_file(json, item.file);
  write_maybe_file(json, "preview", item.preview);
  write_maybe_file(json, "about", item.about);
  json.key("masks").begin_array();
  for (const MediaMask& mask : item.masks) {
    json.begin_object().member("name", mask.name).key("file");
    write_file(json, mask.file);
    json.end_object();
  }
  json.end_array().end_object();
}

std::string keys_json(const Wanted&, const Found& found) {
  const auto keys = media_keys(found.runs);
  JsonWriter json;
  json.begin_object().key("keys").begin_array();
  for (size_t i = 0; i < std::min(keys.size(), kMediaKeysMax); ++i) write_key(json, keys[i]);
  json.end_array().member("complete", found.complete && keys.size() <= kMediaKeysMax).end_object();
  return json.take();
}

std::string items_json(const Wanted& wanted, const Found& found) {
  size_t items = 0;
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (size_t run = 0; run < found.runs.size(); ++run) {
    for (const MediaItem& item : found.runs[run]) {
      if (item.key != wanted.key || (wanted.kind && item.kind != *wanted.kind)) continue;
      if (++items <= kMediaItemsMax) write_item(json, wanted.runs[run], item);
    }
  }
  json.end_array().member("complete", found.complete && items <= kMediaItemsMax).end_object();
  return json.take();
}

}  // namespace

void add_media(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts) {
  const Rooms rooms{tracking, artifacts};
  const auto add = [&](Method method, const char* pattern, Result<Wanted> (*read)(const Request&),
                       std::string (*write)(const Wanted&, const Found&)) {
    router.add(method, pattern, [rooms, read, write](Request& request, Responder responder) {
      const auto answered = [&]() -> Result<std::string> {
        const Wanted wanted = TRY(read(request));
        return write(wanted, TRY(look(rooms, wanted)));
      };
      answer(responder, answered(), [](const std::string& json) { return http::Response::json(json); });
    });
  };
  add(Method::get, "/api/v1/runs/{run}/media", one_run, keys_json);
  add(Method::get, "/api/v1/runs/{run}/media/items", one_run_and_key, items_json);
  add(Method::post, "/api/v1/media/keys", keys_of_many, keys_json);
  add(Method::post, "/api/v1/media/items", items_of_many, items_json);
}

}  // namespace slipway::api
