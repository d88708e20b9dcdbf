#include "api/native/datasets.h"

#include <fmt/format.h>

#include "api/api.h"
#include "api/native/filter_query.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using registry::Registry;

constexpr std::uint64_t kCommitBodyBytesMax = 64ull << 20;

Json text_or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }
Json token_json(const std::string& token) { return text_or_null(token); }

Json branch_json(const registry::Branch& branch) {
  return Json()
      .set("name", branch.name)
      .set("commit_id", branch.commit.text)
      .set("updated_at", time_json(branch.updated_at));
}

Json branches_json(const std::vector<registry::Branch>& branches) {
  Json::Array list;
  for (const auto& branch : branches) list.push_back(branch_json(branch));
  return list;
}

Json dataset_json(const registry::Dataset& dataset) {
  Json tags{Json::Object{}};
  for (const auto& [key, value] : dataset.tags) tags.set(key, value);
  Json json;
  json.set("id", dataset.id.text)
      .set("name", dataset.name)
      .set("description", dataset.description)
      .set("tags", std::move(tags));
  json.set("created_at", time_json(dataset.created_at))
      .set("updated_at", time_json(dataset.updated_at))
      .set("branches", branches_json(dataset.branches));
  return json.set("sample_count", dataset.sample_count)
      .set("bytes", dataset.bytes)
      .set("commit_count", dataset.commit_count);
}

std::string name_of(const Request& request) { return std::string(request.parameter("name")); }

Result<registry::Commit> commit_at(Registry& registry, const Request& request, std::string_view ref) {
  return registry.datasets().get_commit(project_of(request), name_of(request), ref);
}

/// A member that is a hash, or nullopt when it is absent or null.
Result<std::optional<Hash>> optional_hash(const Json& body, std::string_view key) {
  const std::string text = TRY(optional_string(body, key));
  if (text.empty()) return std::optional<Hash>();
  return std::optional(TRY(parse_hash(text)));
}

// --- datasets ------------------------------------------------------------------------------------------------------

Result<Json> list_datasets(Registry& registry, const Request& request) {
  const Page page = TRY(page_of(request));
  const auto found = TRY(registry.datasets().list(project_of(request), page.size, page.token));
  Json::Array list;
  for (const auto& dataset : found.items) list.push_back(dataset_json(dataset));
  return Json().set("datasets", std::move(list)).set("next_page_token", token_json(found.next_page_token));
}

Result<Json> create_dataset(Registry& registry, const Request& request) {
  const Json body = TRY(json_body(request));
  return dataset_json(TRY(registry.datasets().create(project_of(request), TRY(required_string(body, "name")),
                                                     TRY(optional_string(body, "description")))));
}

Result<Json> get_dataset(Registry& registry, const Request& request) {
  return dataset_json(TRY(registry.datasets().get(project_of(request), name_of(request))));
}

Result<Json> patch_dataset(Registry& registry, const Request& request) {
  const Json body = TRY(json_body(request));
  const ProjectId project = project_of(request);
  const std::string name = name_of(request);
  if (body.find("description") != nullptr)
    TRY(registry.datasets().describe(project, name, TRY(optional_string(body, "description"))));
  const Json tags = TRY(optional_object(body, "tags"));
  for (const auto& [key, value] : tags.object()) {
    TRY(value.is_null()
            ? registry.datasets().remove_tag(project, name, key)
            : registry.datasets().set_tag(project, name, key, value.is_string() ? value.string() : value.render()));
  }
  return get_dataset(registry, request);
}

Result<Json> delete_dataset(Registry& registry, const Request& request) {
  TRY(registry.datasets().remove(project_of(request), name_of(request)));
  return Json(Json::Object{});
}

// --- branches ------------------------------------------------------------------------------------------------------

Result<Json> list_branches(Registry& registry, const Request& request) {
  return Json()
      .set("branches", branches_json(TRY(registry.datasets().branches(project_of(request), name_of(request)))))
      .set("next_page_token", nullptr);
}

Result<Json> put_branch(Registry& registry, const Request& request) {
  const Json body = TRY(json_body(request));
  std::optional<CommitId> expected;
  if (!body["if_commit_id"].is_null()) expected = CommitId(TRY(required_string(body, "if_commit_id")));
  // A branch's name is taken for a commit here too: `{"commit_id": "main"}` branches off.
  const auto commit = TRY(commit_at(registry, request, TRY(required_string(body, "commit_id"))));
  return branch_json(
      TRY(registry.datasets().set_branch(project_of(request), name_of(request), request.parameter("branch"), commit.id,
                                         expected, caller_of(request).name, TRY(optional_string(body, "reason")))));
}

Result<Json> delete_branch(Registry& registry, const Request& request) {
  TRY(registry.datasets().remove_branch(project_of(request), name_of(request), request.parameter("branch"),
                                        caller_of(request).name));
  return Json(Json::Object{});
}

Result<Json> branch_history(Registry& registry, const Request& request) {
  const Page page = TRY(page_of(request));
  const auto found = TRY(registry.datasets().branch_history(project_of(request), name_of(request),
                                                            request.parameter("branch"), page.size, page.token));
  Json::Array list;
  for (const auto& move : found.items) {
    list.push_back(Json()
                       .set("at", time_json(move.at))
                       .set("branch", move.branch)
                       .set("from_commit_id", move.from ? Json(move.from->text) : Json())
                       .set("to_commit_id", move.to ? Json(move.to->text) : Json())
                       .set("member", text_or_null(move.member))
                       .set("reason", text_or_null(move.reason)));
  }
  return Json().set("history", std::move(list)).set("next_page_token", token_json(found.next_page_token));
}

// --- commits -------------------------------------------------------------------------------------------------------

Result<Json> list_commits(Registry& registry, const Request& request) {
  const Page page = TRY(page_of(request));
  const auto dataset = TRY(registry.datasets().get(project_of(request), name_of(request)));
  std::string ref(request.query_value("branch").value_or(""));
  for (const auto& branch : dataset.branches) {
    if (ref.empty() || (branch.name == "main" && !request.query_value("branch"))) ref = branch.name;
  }
  Json::Array list;
  std::string next;
  if (!ref.empty()) {
    const auto found =
        TRY(registry.datasets().history(project_of(request), name_of(request), ref, page.size, page.token));
    for (const auto& commit : found.items) list.push_back(commit_json(commit));
    next = found.next_page_token;
  }
  return Json().set("commits", std::move(list)).set("next_page_token", token_json(next));
}

/// `mode` add: the samples are put beside those the branch has. replace (the default): they are all there is.
/// The answer to whoever made a commit since `began`. What a run makes with its own token is an output of that run.
Result<Json> made(Registry& registry, const Request& request, Time began, const registry::Commit& commit) {
  const auto run = caller_of(request).run;
  const bool is_new = commit.created_at >= began;  // a merge may find that there is nothing to join
  if (run && is_new)
    TRY(registry.lineage().add(project_of(request), {"run", run->text}, {"dataset_commit", commit.id.text}, "output"));
  return commit_json(commit);
}

Result<Json> create_commit(Registry& registry, const Request& request) {
  const Time began = system_clock().now();
  const Json body = TRY(json_body(request));
  const ProjectId project = project_of(request);
  const std::string name = name_of(request), author = caller_of(request).name;
  const std::string branch = TRY(optional_string(body, "branch", "main")),
                    mode = TRY(optional_string(body, "mode", "replace"));
  const auto samples = TRY(optional_hash(body, "samples_blob"));
  const Json declaration = TRY(optional_object(body, "declaration")), metadata = TRY(optional_object(body, "metadata"));
  const std::string message = TRY(optional_string(body, "message"));
  if (mode == "add") {
    if (!samples)
      return Error{ErrorCode::invalid_argument,
                   "'samples_blob' is missing; mode 'add' needs the hash of a table of samples"};
    const SampleTable table =
        TRY(SampleTable::parse(TRY(registry.store().get(*samples, registry::kSampleTableBytesMax)), true));
    registry::SampleEdit edit{
        .branch = branch, .message = message, .author = author, .metadata = metadata, .declaration = declaration};
    for (size_t i = 0; i < table.size(); ++i) edit.put.push_back(TRY(table.at(i)));
    if (const auto there = registry.datasets().get(project, name); !there.ok() || there->branches.empty())
      edit.from = "";
    return made(registry, request, began, TRY(registry.samples().edit(project, name, edit)));
  }
  if (mode != "replace")
    return Error{ErrorCode::invalid_argument, "'mode' is '" + clean_utf8(mode, 100) + "'; expected add or replace"};
  const Hash tree = TRY(parse_hash(TRY(required_string(body, "tree"))));
  registry::NewCommit commit{.branch = branch,
                             .parent = {},
                             .merged = {},
                             .tree = tree,
                             .samples = samples,
                             .declaration = declaration,
                             .metadata = metadata,
                             .message = message,
                             .author = author};
  if (body.find("parent_id") != nullptr) {
    const std::string parent = TRY(optional_string(body, "parent_id"));
    if (!parent.empty()) commit.parent = TRY(commit_at(registry, request, parent)).id;
  } else if (const auto head = commit_at(registry, request, branch); head.ok()) {
    commit.parent = head->id;  // who names no parent means what is there
  }
  return made(registry, request, began, TRY(registry.datasets().commit(project, name, commit)));
}

Result<Json> get_commit(Registry& registry, const Request& request) {
  return commit_json(TRY(commit_at(registry, request, request.parameter("ref"))));
}

/// {branch, from?, put: [Sample], remove: [key], message}
Result<Json> edit_samples(Registry& registry, const Request& request) {
  const Time began = system_clock().now();
  const Json body = TRY(json_body(request));
  registry::SampleEdit edit;
  edit.branch = TRY(optional_string(body, "branch", "main"));
  edit.from = TRY(optional_string(body, "from", "main"));
  edit.message = TRY(optional_string(body, "message"));
  edit.author = caller_of(request).name;
  edit.metadata = TRY(optional_object(body, "metadata"));
  for (const Json& sample : TRY(optional_array(body, "put"))) edit.put.push_back(TRY(parse_sample(sample)));
  edit.remove = TRY(optional_texts(body, "remove"));
  if (edit.put.empty() && edit.remove.empty())
    return Error{ErrorCode::invalid_argument, "nothing to do: neither 'put' nor 'remove' names a sample"};
  return made(registry, request, began, TRY(registry.samples().edit(project_of(request), name_of(request), edit)));
}

Result<Json> merge_branches(Registry& registry, const Request& request) {
  const Time began = system_clock().now();
  const Json body = TRY(json_body(request));
  const std::string from = TRY(required_string(body, "from")), into = TRY(optional_string(body, "into", "main"));
  return made(registry, request, began,
              TRY(registry.samples().merge(project_of(request), name_of(request), from, into,
                                           TRY(optional_string(body, "message", "merge " + from + " into " + into)),
                                           caller_of(request).name)));
}

// --- samples -------------------------------------------------------------------------------------------------------

Json samples_json(const std::vector<Sample>& samples) {
  Json::Array list;
  for (const Sample& sample : samples) list.push_back(to_json(sample));
  return list;
}

Result<Json> list_samples(Registry& registry, const Request& request) {
  const Page page = TRY(page_of(request));
  const auto commit = TRY(commit_at(registry, request, request.parameter("ref")));
  const auto found =
      TRY(registry.samples().list(commit, request.query_value("filter").value_or(""), page.size, page.token));
  return Json()
      .set("samples", samples_json(found.items))
      .set("total", found.total)
      .set("next_page_token", token_json(found.next_page_token));
}

Result<Json> get_sample(Registry& registry, const Request& request) {
  const auto commit = TRY(commit_at(registry, request, request.parameter("ref")));
  return to_json(TRY(registry.samples().get(commit, request.parameter("key"))));
}

Result<Json> diff_commits(Registry& registry, const Request& request) {
  const auto from = request.query_value("from"), to = request.query_value("to");
  if (!from || !to)
    return Error{ErrorCode::invalid_argument,
                 "'from' and 'to' are missing in the query; expected a branch or commit each"};
  const Page page = TRY(page_of(request));
  const auto found =
      TRY(registry.samples().diff(TRY(commit_at(registry, request, *from)), TRY(commit_at(registry, request, *to)),
                                  static_cast<size_t>(page.size)));
  Json::Array changed;
  for (const auto& change : found.changed)
    changed.push_back(Json().set("before", to_json(change.before)).set("after", to_json(change.after)));
  Json counts =
      Json().set("added", found.added_count).set("removed", found.removed_count).set("changed", found.changed_count);
  return Json()
      .set("added", samples_json(found.added))
      .set("removed", samples_json(found.removed))
      .set("changed", std::move(changed))
      .set("counts", std::move(counts));
}

}  // namespace

Json commit_json(const registry::Commit& commit) {
  Json json;
  json.set("id", commit.id.text)
      .set("dataset_id", commit.dataset_id.text)
      .set("dataset", commit.dataset)
      .set("parent_id", commit.parent ? Json(commit.parent->text) : Json());
  json.set("merged_id", commit.merged ? Json(commit.merged->text) : Json())
      .set("tree", render(commit.tree))
      .set("samples_blob", commit.samples ? Json(render(*commit.samples)) : Json());
  json.set("message", commit.message)
      .set("author", text_or_null(commit.author))
      .set("created_at", time_json(commit.created_at))
      .set("sample_count", commit.sample_count);
  json.set("bytes", commit.bytes).set("declaration", commit.declaration.object().empty() ? Json() : commit.declaration);
  return json.set("metadata", commit.metadata);
}

void add_datasets(http::Router& router, Registry& registry) {
  using Function = Result<Json> (*)(Registry&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function, int status = 200) {
    router.add(method, pattern,
               [&registry, function, status](Request& request, Responder responder) {
                 answer(responder, function(registry, request),
                        [status](const Json& json) { return http::Response::json(json.render(), status); });
               },
               {.where = http::Where::on_pool, .body_bytes_max = kCommitBodyBytesMax});
  };
  add(Method::get, "/api/v1/datasets", list_datasets);
  add(Method::post, "/api/v1/datasets", create_dataset, 201);
  add(Method::get, "/api/v1/datasets/{name}", get_dataset);
  add(Method::patch, "/api/v1/datasets/{name}", patch_dataset);
  add(Method::del, "/api/v1/datasets/{name}", delete_dataset);
  add(Method::get, "/api/v1/datasets/{name}/branches", list_branches);
  add(Method::put, "/api/v1/datasets/{name}/branches/{branch}", put_branch);
  add(Method::del, "/api/v1/datasets/{name}/branches/{branch}", delete_branch);
  add(Method::get, "/api/v1/datasets/{name}/branches/{branch}/history", branch_history);
  add(Method::get, "/api/v1/datasets/{name}/commits", list_commits);
  add(Method::post, "/api/v1/datasets/{name}/commits", create_commit, 201);
  add(Method::get, "/api/v1/datasets/{name}/commits/{ref}", get_commit);
  add(Method::get, "/api/v1/datasets/{name}/commits/{ref}/samples/{key...}", get_sample);
  add(Method::post, "/api/v1/datasets/{name}/edit", edit_samples, 201);
  add(Method::post, "/api/v1/datasets/{name}/merge", merge_branches, 201);
  add(Method::get, "/api/v1/datasets/{name}/diff", diff_commits);
  router.add(Method::get, "/api/v1/datasets/{name}/commits/{ref}/samples",
             [&registry](Request& request, Responder responder) {
               Filter filter;
               if (auto refused = read_filter(request, filter)) return responder.send(std::move(*refused));
               answer(responder, list_samples(registry, request),
                      [](const Json& json) { return http::Response::json(json.render()); });
             });
}

}  // namespace slipway::api
