// From one answer back to everything it came from, link by link. A link that is gone (a removed model, a run of an
// outside client) ends that line of the chain; the rest is told.
#include <fmt/format.h>

#include "api/api.h"
#include "api/native/overview.h"
#include "base/text.h"

namespace slipway::api {
namespace {

class Chain {
 public:
  void add(const char* kind, const std::string& title, const std::string& detail, const std::string& url) {
    items_.push_back(Json(Json::Object{})
                         .set("kind", kind)
                         .set("title", title)
                         .set("detail", detail.empty() ? Json() : Json(detail))
                         .set("url", url.empty() ? Json() : Json(url)));
  }
  Json::Array take() { return std::move(items_); }

 private:
  Json::Array items_;
};

/// The run that made the version, and through it code, data, environment, person and machine.
class Provenance {
 public:
  Provenance(AllRooms rooms, ProjectId project, RunId run, Chain& chain, Json& json)
      : rooms_(rooms), project_(std::move(project)), run_id_(std::move(run)), chain_(chain), json_(json) {}

  Result<void> tell() {
    const auto run = rooms_.tracking.runs().get(project_, run_id_);
    if (!run.ok()) return {};
    const Json source = Json::parse(run->source).value_or(Json(Json::Object{}));
    chain_.add("run", run->name, "run " + run_id_.text, "/runs/" + run_id_.text);
    json_.set("run", Json(Json::Object{})
                         .set("id", run_id_.text)
                         .set("name", run->name)
                         .set("step", source["step"])
                         .set("command", source["command"]));
    tell_code(source);
    TRY(tell_data());
    tell_environment();
    tell_person(*run);
    tell_machine();
    tell_cost(*run);
    return {};
  }

 private:
  void tell_code(const Json& source) {
    const std::string commit = source["commit"].string();
    const bool dirty = source["dirty"].boolean().value_or(false);
    json_.set("snapshot", Json(Json::Object{})
                              .set("commit", commit.empty() ? Json() : Json(commit))
                              .set("dirty", dirty)
                              .set("snapshot", source["snapshot"]));
    if (commit.empty() && source["snapshot"].is_null()) return;
    chain_.add("code", commit.empty() ? "a folder without git" : "commit " + commit.substr(0, 12),
               dirty ? "with uncommitted changes, which the snapshot keeps" : "",
               "/runs/" + run_id_.text + "?tab=code");
  }

  Result<void> tell_data() {
    for (const registry::Edge& edge : TRY(rooms_.registry.lineage().incoming({"run", run_id_.text}))) {
      if (edge.from.kind != "dataset_commit") continue;
      const auto commit = rooms_.registry.datasets().get_commit(CommitId(edge.from.id));
      if (!commit.ok()) continue;
      json_.set("dataset_commit", Json(Json::Object{}).set("dataset", commit->dataset).set("commit_id", edge.from.id));
      chain_.add("dataset_commit", commit->dataset + " at " + edge.from.id,
                 fmt::format("{} samples; {}", commit->sample_count, commit->message),
                 "/datasets/" + http::url_encode(commit->dataset) + "/" + edge.from.id);
    }
    return {};
  }

  void tell_environment() {
    const auto document = rooms_.runs.document(project_, run_id_, "environment");
    if (!document.ok() || document->is_null()) return;
    json_.set("environment", *document);
    chain_.add("environment", (*document)["kind"].string() + " " + (*document)["python_version"].string(),
               fmt::format("{} packages", (*document)["packages"].array().size()),
               "/runs/" + run_id_.text + "?tab=environment");
  }

  void tell_person(const tracking::Run& run) {
    std::string person = run.user_name;
    const auto execution = rooms_.runs.get(project_, run_id_);
    if (execution.ok()) person = execution->member_name;
    json_.set("member", person.empty() ? Json() : Json(person));
    if (!person.empty()) chain_.add("member", person, "started the run", "");
  }

  void tell_machine() {
    const auto document = rooms_.runs.document(project_, run_id_, "machine");
    if (!document.ok() || document->is_null()) return;
    json_.set("machine", *document);
    chain_.add("machine", (*document)["hostname"].string(), (*document)["cpu"].string(),
               "/runs/" + run_id_.text + "?tab=environment");
  }

  void tell_cost(const tracking::Run& run) {
    if (!run.ended_at) return;
    const double seconds = static_cast<double>((*run.ended_at - run.started_at).count()) / 1e6;
    chain_.add("cost", fmt::format("{:.1f} s of computing", seconds), "no price is set", "");
    json_.set("compute_s", seconds);
  }

  AllRooms rooms_;
  const ProjectId project_;
  const RunId run_id_;
  Chain& chain_;
  Json& json_;
};

Result<Json> why(AllRooms rooms, const http::Request& request) {
  const AnswerId answer(request.parameter("answer"));
  const auto origin = TRY(rooms.serving.origin(answer));
  if (origin.project != project_of(request))
    return Error{ErrorCode::not_found, "there is no answer " + clean_utf8(answer.text, 100)};
  const auto& revision = origin.revision;
  const std::string version_url = fmt::format("/models/{}/{}", http::url_encode(revision.model), revision.version);
  Chain chain;
  chain.add("deployment", origin.deployment_name,
            fmt::format("revision {}, since {}{}", revision.number, render(revision.created_at),
                        revision.reason.empty() ? "" : ", " + revision.reason),
            "/deployments/" + http::url_encode(origin.deployment_name));
  Json json{Json::Object{}};
  json.set("answer", Json(Json::Object{})
                         .set("id", answer.text)
                         .set("deployment", origin.deployment_name)
                         .set("model", revision.model)
                         .set("version", revision.version));
  json.set("deployment", origin.deployment_name)
      .set("revision", Json(Json::Object{}).set("id", revision.id.text).set("number", revision.number))
      .set("variant", "as registered");
  json.set("cost", nullptr)
      .set("machine", nullptr)
      .set("member", nullptr)
      .set("environment", nullptr)
      .set("dataset_commit", nullptr)
      .set("snapshot", nullptr)
      .set("run", nullptr);
  const auto version = rooms.registry.models().version(origin.project, revision.model, revision.version);
  json.set("version", Json(Json::Object{}).set("model", revision.model).set("version", revision.version));
  chain.add("model_version", fmt::format("{} version {}", revision.model, revision.version),
            version.ok() ? version->description : "it was removed", version_url);
  if (version.ok() && version->run) TRY(Provenance(rooms, origin.project, *version->run, chain, json).tell());
  return json.set("chain", chain.take());
}

}  // namespace

void add_why(http::Router& router, AllRooms rooms) {
  router.add(http::Method::get, "/api/v1/why/{answer}", [rooms](http::Request& request, http::Responder responder) {
    answer(responder, why(rooms, request), [](const Json& json) { return http::Response::json(json.render()); });
  });
}

}  // namespace slipway::api
