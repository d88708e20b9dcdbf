#include "domain/attempt.h"

#include <fmt/format.h>

#include "base/text.h"
#include "domain/grammar.h"

namespace slipway {
namespace {

Error wrong(std::string_view what) { return Error{ErrorCode::invalid_argument, std::string(what)}; }

std::uint64_t unsigned_of(const Json& json) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, json.integer().value_or(0)));
}

}  // namespace

std::string render(const Ticket& ticket) {
  return Json(Json::Object{{"version", 1},
                           {"server", ticket.server},
                           {"run", ticket.run.text},
                           {"attempt", ticket.attempt.text},
                           {"token", ticket.token},
                           {"folder", ticket.folder.string()},
                           {"cache_bytes_max", ticket.cache_bytes_max}})
      .render();
}

Result<Ticket> parse_ticket(std::string_view text) {
  const Json json = TRY(Json::parse(text));
  if (json["version"].integer() != 1) return wrong("not a runner's ticket: expected a JSON object with version 1");
  Ticket ticket;
  ticket.server = json["server"].string();
  ticket.run = RunId(json["run"].string());
  ticket.attempt = AttemptId(json["attempt"].string());
  ticket.token = json["token"].string();
  ticket.folder = json["folder"].string();
  if (json["cache_bytes_max"].integer()) ticket.cache_bytes_max = unsigned_of(json["cache_bytes_max"]);
  if (ticket.server.empty() || !looks_like_id(ticket.run.text) || !looks_like_id(ticket.attempt.text) ||
      !ticket.folder.is_absolute()) {
    return wrong("a runner's ticket needs server, run, attempt and an absolute folder");
  }
  return ticket;
}

Json to_json(const Named<ResolvedInput>& inputs) {
  Json json{Json::Object{}};
  for (const auto& [name, input] : inputs) {
    json.set(name, Json(Json::Object{{"kind", input.kind},
                                     {input.is_tree ? "tree" : "blob", render(input.hash)},
                                     {"label", input.label},
                                     {"cause_kind", input.cause_kind},
                                     {"cause_id", input.cause_id}}));
  }
  return json;
}

Result<Named<ResolvedInput>> parse_resolved_inputs(const Json& json) {
  Named<ResolvedInput> inputs;
  for (const auto& [name, value] : json.object()) {
    TRY(check_grammar_name(name));  // it becomes the name of a folder
    ResolvedInput input;
    input.kind = value["kind"].string();
    input.is_tree = !value["tree"].is_null();
    input.hash = TRY(parse_hash(value[input.is_tree ? "tree" : "blob"].string()));
    input.label = value["label"].string();
    input.cause_kind = value["cause_kind"].string();
    input.cause_id = value["cause_id"].string();
    inputs.emplace_back(name, std::move(input));
  }
  return inputs;
}

Json to_json(const AttemptPlan& plan) {
  Json variables{Json::Object{}};
  for (const auto& [name, value] : plan.variables) variables.set(name, value);
  return Json(Json::Object{{"run_id", plan.run.text},
                           {"spec", to_json(plan.spec)},
                           {"snapshot_tree", plan.spec.snapshot.empty() ? Json() : Json(plan.spec.snapshot)},
                           {"inputs", to_json(plan.inputs)},
                           {"environment_variables", variables}});
}

Result<AttemptPlan> parse_attempt_plan(const Json& json) {
  AttemptPlan plan;
  plan.run = RunId(json["run_id"].string());
  plan.spec = TRY(parse_run_spec(json["spec"]));
  plan.inputs = TRY(parse_resolved_inputs(json["inputs"]));
  for (const auto& [name, value] : json["environment_variables"].object())
    plan.variables.emplace_back(name, value.string());
  return plan;
}

Json to_json(const Heartbeat& beat) {
  return Json(Json::Object{
      {"phase", beat.phase}, {"pid", beat.pid}, {"cpu_s", beat.cpu_s}, {"memory_bytes", beat.memory_bytes}});
}

Result<Heartbeat> parse_heartbeat(const Json& json) {
  Heartbeat beat;
  beat.phase = json["phase"].string();
  if (beat.phase != "preparing" && beat.phase != "running" && beat.phase != "uploading") {
    return wrong(
        fmt::format("phase: found '{}'; expected preparing, running or uploading", clean_utf8(beat.phase, 40)));
  }
  beat.pid = json["pid"].integer().value_or(0);
  beat.cpu_s = json["cpu_s"].number().value_or(0);
  beat.memory_bytes = unsigned_of(json["memory_bytes"]);
  return beat;
}

Json to_json(const HeartbeatAnswer& answer) {
  const Json grace = answer.grace ? Json(static_cast<double>(answer.grace->count()) / 1e6) : Json();
  return Json(Json::Object{{"stop", answer.stop}, {"grace_s", grace}});
}

HeartbeatAnswer parse_heartbeat_answer(const Json& json) {
  HeartbeatAnswer answer;
  answer.stop = json["stop"].boolean().value_or(false);
  if (const auto grace = json["grace_s"].number(); grace && *grace >= 0 && *grace < 1e9) {
    answer.grace = Duration(static_cast<std::int64_t>(*grace * 1e6));
  }
  return answer;
}

Json to_json(const AttemptResult& result) {
  return Json(Json::Object{{"end", name(result.end)},
                           {"exit_code", result.exit_code},
                           {"signal", result.signal},
                           {"message", result.message}});
}

Result<AttemptResult> parse_attempt_result(const Json& json) {
  const auto end = parse_attempt_end(json["end"].string());
  if (!end)
    return wrong(fmt::format("end: found '{}'; expected how the attempt ended, such as exited",
                             clean_utf8(json["end"].string(), 40)));
  AttemptResult result;
  result.end = *end;
  result.exit_code = static_cast<int>(json["exit_code"].integer().value_or(0));
  result.signal = static_cast<int>(json["signal"].integer().value_or(0));
  result.message = clean_utf8(json["message"].string(), kAttemptMessageBytesMax);
  return result;
}

Json to_json(const OutputReport& output) {
  return Json(Json::Object{{"name", output.name},
                           {"path", output.path},
                           {output.is_tree ? "tree" : "blob", render(output.hash)},
                           {"bytes", output.bytes}});
}

Result<OutputReport> parse_output_report(const Json& json) {
  OutputReport output;
  output.name = json["name"].string();
  TRY(check_grammar_name(output.name));
  output.path = json["path"].string();
  TRY(check_relative_path(output.path));
  output.is_tree = !json["tree"].is_null();
  output.hash = TRY(parse_hash(json[output.is_tree ? "tree" : "blob"].string()));
  output.bytes = unsigned_of(json["bytes"]);
  return output;
}

}  // namespace slipway
