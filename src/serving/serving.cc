#include "serving/serving.h"

#include <algorithm>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "serving/impl.h"

namespace slipway::serving {
namespace {

template <typename Enum, size_t N>
std::optional<Enum> parse_enum(std::string_view text, const Enum (&all)[N]) {
  for (const Enum value : all) {
    if (name(value) == text) return value;
  }
  return std::nullopt;
}

Error invalid(std::string message) { return Error{ErrorCode::invalid_argument, std::move(message)}; }

bool is_name(std::string_view text) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= kDeploymentNameBytesMax && is_word(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_word(c) || c == '-' || c == '.'; });
}

void apply(const DeploymentChange& change, DeploymentRow& row) {
  if (change.model) row.spec.model = *change.model;
  if (change.replicas_min) row.spec.replicas_min = *change.replicas_min;
  if (change.replicas_max) row.spec.replicas_max = *change.replicas_max;
  if (change.batch_max) row.spec.batch_max = *change.batch_max;
  if (change.batch_delay) row.spec.batch_delay = *change.batch_delay;
  if (change.capture) row.spec.capture = *change.capture;
  if (change.running) row.wanted = *change.running;
}

}  // namespace

std::string_view name(DeploymentState state) {
  switch (state) {
    case DeploymentState::starting: return "starting";
    case DeploymentState::ready: return "ready";
    case DeploymentState::updating: return "updating";
    case DeploymentState::degraded: return "degraded";
    case DeploymentState::failed: return "failed";
    case DeploymentState::stopped: return "stopped";
  }
  return "";
}

std::string_view name(RevisionState state) {
  switch (state) {
    case RevisionState::starting: return "starting";
    case RevisionState::active: return "active";
    case RevisionState::retired: return "retired";
    case RevisionState::failed: return "failed";
  }
  return "";
}

std::optional<RevisionState> parse_revision_state(std::string_view text) {
  return parse_enum(text,
                    {RevisionState::starting, RevisionState::active, RevisionState::retired, RevisionState::failed});
}

Result<void> check_spec(const DeploymentSpec& spec) {
  if (!is_name(spec.name))
    return invalid("'" + clean_utf8(spec.name, 100) +
                   "' cannot name a deployment; use letters, digits, '_', '-' and '.', at most " +
                   std::to_string(kDeploymentNameBytesMax));
  if (spec.model.kind != Reference::Kind::model)
    return invalid("a deployment needs a model such as model:digits@production; found " + render(spec.model));
  if (spec.replicas_min < 0 || spec.replicas_max < 1 || spec.replicas_max > kReplicasMax ||
      spec.replicas_min > spec.replicas_max)
    return invalid(
        "replicas are from " + std::to_string(spec.replicas_min) + " to " + std::to_string(spec.replicas_max) +
        "; min must be 0 or more, max at least 1, not below min and at most " + std::to_string(kReplicasMax));
  if (spec.batch_max < 1 || spec.batch_max > static_cast<int>(inference::kBatchRequestsMax))
    return invalid("batch.max is " + std::to_string(spec.batch_max) + "; it must be 1 to " +
                   std::to_string(inference::kBatchRequestsMax));
  if (spec.batch_delay < Duration(0) || spec.batch_delay > kBatchDelayMax)
    return invalid("batch.delay_ms must be 0 to " + std::to_string(kBatchDelayMax.count() / 1000));
  if (!spec.capture.is_object())
    return invalid("capture must be an object such as {\"sample\": 0.01, \"always\": [\"error\"]}");
  return {};
}

Serving::Impl::Impl(catalog::Database& db, ModelSource& source, const Clock& time, Counters& counts,
                    EventSink* event_sink, PredictionSink* sink, ServingOptions given)
    : database(db),
      models(source),
      clock(time),
      counters(counts),
      events(event_sink),
      predictions(sink),
      options(std::move(given)),
      answers(time) {
  const int cores =
      options.cores > 0 ? options.cores : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  supervisor = std::make_unique<Supervisor>(SupervisorParts{database, models, clock, counters, events, answers,
                                                            options.worker.empty() ? default_worker() : options.worker,
                                                            options.drain, options.queue_requests_max, cores});
}

std::shared_ptr<Endpoint> Serving::Impl::find(const ProjectId& project, std::string_view name) {
  auto all = endpoints.lock();
  const auto at = all->find(Key(project.text, name));
  return at == all->end() ? nullptr : at->second;
}

Result<std::shared_ptr<Endpoint>> Serving::Impl::require(const ProjectId& project, std::string_view name) {
  if (auto endpoint = find(project, name)) return endpoint;
  std::vector<std::string> names;
  {
    auto all = endpoints.lock();
    for (const auto& [key, endpoint] : *all) {
      if (key.first == project.text) names.push_back(key.second);
    }
  }
  const auto near = nearest(name, names);
  return Error{ErrorCode::not_found, "there is no deployment '" + clean_utf8(name, 100) + "' in project '" +
                                         project.text + "'" + (near ? "; did you mean '" + *near + "'?" : "")};
}

std::shared_ptr<Endpoint> Serving::Impl::make_endpoint(DeploymentRow row, std::optional<Revision> resume,
                                                       std::optional<Revision> failed) {
  const Labels labels = {{"deployment", row.spec.name}, {"project", row.project.text}};
  auto facts = std::shared_ptr<EndpointFacts>(new EndpointFacts{
      row.id, row.project, row.spec.name, clock, predictions, answers,
      counters.counter("inference_requests_total", "Requests that reached a deployment's queue", labels),
      counters.counter("inference_errors_total", "Requests of a deployment that failed", labels),
      counters.counter("inference_rejected_total", "Requests refused because the deployment's queue was full", labels),
      counters.latency("inference_duration_us", "From a request's arrival to its answer, without the network", labels),
      [this] { supervisor->notify(); }});
  Endpoint::State state;
  state.row = std::move(row);
  state.resume = std::move(resume);
  state.failed = std::move(failed);
  return std::make_shared<Endpoint>(std::move(facts), std::move(state));
}

Result<void> Serving::Impl::load() {
  struct Found {
    DeploymentRow row;
    std::optional<Revision> resume, failed;
  };
  const auto found = TRY(database.read_value([](catalog::Connection& c) -> Result<std::vector<Found>> {
    std::vector<Found> out;
    for (DeploymentRow& row : TRY(all_deployments(c))) {
      Found one{row, std::nullopt, std::nullopt};
      if (row.active_revision) {
        if (auto origin = TRY(find_revision(c, *row.active_revision))) one.resume = origin->revision;
      }
      const auto newest = TRY(revisions_of(c, row.id, 1));
      if (!newest.empty() && newest[0].state == RevisionState::failed) one.failed = newest[0];
      out.push_back(std::move(one));
    }
    return out;
  }));
  for (const Found& one : found) {
    if (options.on_capture) options.on_capture(one.row.project, one.row.spec.name, one.row.spec.capture);
    auto endpoint = make_endpoint(one.row, one.resume, one.failed);
    endpoints.lock()->emplace(Key(one.row.project.text, one.row.spec.name), endpoint);
    supervisor->add(endpoint);
  }
  return {};
}

Result<Deployment> Serving::Impl::view(Endpoint& endpoint) {
  Deployment out;
  std::vector<std::shared_ptr<Running>> all;
  {
    auto state = endpoint.lock();
    out.id = state->row.id;
    out.project = state->row.project;
    out.spec = state->row.spec;
    out.state = Endpoint::sum_up(*state);
    out.message = state->message;
    out.created_by = state->row.created_by;
    out.created_at = state->row.created_at;
    if (state->active) {
      out.version = state->active->generation->revision().version;
      out.replicas_ready = state->active->generation->ready();
      out.waiting = state->active->generation->load().waiting;
      all.push_back(state->active);
    }
    if (state->next) all.push_back(state->next);
    all.insert(all.end(), state->draining.begin(), state->draining.end());
    if (out.message.empty() && out.state == DeploymentState::degraded && state->active)
      out.message = state->active->last_words;
  }
  for (const auto& running : all) {
    for (ReplicaView& replica : running->generation->views()) {
      // What the loop measured last may be from before the model was loaded.
      replica.memory_bytes = memory_of(replica.pid);
      out.memory_bytes += replica.memory_bytes;
      out.replicas.push_back(std::move(replica));
    }
  }
  out.revisions =
      TRY(database.read_value([&](catalog::Connection& c) { return revisions_of(c, out.id, kRevisionsShownMax); }));
  return out;
}

Serving::Serving(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Serving::~Serving() {
  // Workers end before the thread that reads from them.
  impl_->supervisor->stop();
}

Result<std::unique_ptr<Serving>> Serving::open(catalog::Database& database, ModelSource& models, const Clock& clock,
                                               Counters& counters, EventSink* events, PredictionSink* predictions,
                                               ServingOptions options) {
  auto impl = std::make_unique<Impl>(database, models, clock, counters, events, predictions, std::move(options));
  std::unique_ptr<Serving> serving(new Serving(std::move(impl)));
  TRY(serving->impl_->load());
  return serving;
}

Result<Deployment> Serving::create(const ProjectId& project, const DeploymentSpec& spec, std::string_view member) {
  TRY(check_spec(spec));
  TRY(impl_->models.version(project, spec.model));
  if (impl_->endpoints.lock()->size() >= kDeploymentsMax)
    return Error{ErrorCode::busy,
                 "there are " + std::to_string(kDeploymentsMax) + " deployments, which is the limit; delete one first"};
  DeploymentRow row;
  row.id = new_id<DeploymentId>(impl_->clock);
  row.project = project;
  row.spec = spec;
  row.created_by = member;
  row.created_at = row.updated_at = impl_->clock.now();
  TRY(impl_->database.write(catalog::Durability::record,
                            [&](catalog::Connection& c) { return insert_deployment(c, row); }));
  if (impl_->options.on_capture) impl_->options.on_capture(project, spec.name, spec.capture);
  auto endpoint = impl_->make_endpoint(row, std::nullopt, std::nullopt);
  {
    auto state = endpoint->lock();
    state->changed_by = member;
    ++state->changes;
  }
  impl_->endpoints.lock()->insert_or_assign(Impl::Key(project.text, spec.name), endpoint);
  impl_->supervisor->add(endpoint);
  if (impl_->events) impl_->events->emit({EventKind::deployment_changed, project, spec.name});
  return impl_->view(*endpoint);
}

Result<Deployment> Serving::update(const ProjectId& project, std::string_view name, const DeploymentChange& change,
                                   std::string_view member) {
  const auto endpoint = TRY(impl_->require(project, name));
  DeploymentRow row = endpoint->lock()->row;
  apply(change, row);
  TRY(check_spec(row.spec));
  if (change.model) TRY(impl_->models.version(project, row.spec.model));
  row.updated_at = impl_->clock.now();
  TRY(impl_->database.write(catalog::Durability::record,
                            [&](catalog::Connection& c) { return update_deployment(c, row); }));
  if (change.capture && impl_->options.on_capture)
    impl_->options.on_capture(project, std::string(name), row.spec.capture);
  std::vector<std::shared_ptr<Running>> all;
  {
    auto state = endpoint->lock();
    // Two updates at once: each applies what it changes.
    apply(change, state->row);
    state->changed_by = member;
    ++state->changes;
    row = state->row;
    all = {state->active, state->next};
  }
  for (const auto& running : all) {
    if (running) running->generation->set_limits({row.spec.batch_max, row.spec.batch_delay});
  }
  impl_->supervisor->poke();
  if (impl_->events) impl_->events->emit({EventKind::deployment_changed, project, std::string(name)});
  return impl_->view(*endpoint);
}

Result<void> Serving::remove(const ProjectId& project, std::string_view name) {
  const auto endpoint = TRY(impl_->require(project, name));
  TRY(impl_->database.write(catalog::Durability::record, [&](catalog::Connection& c) {
    return mark_deleted(c, endpoint->facts().id, impl_->clock.now());
  }));
  impl_->endpoints.lock()->erase(Impl::Key(project.text, name));
  endpoint->lock()->removed = true;
  impl_->supervisor->notify();
  if (impl_->events) impl_->events->emit({EventKind::deployment_changed, project, std::string(name)});
  return {};
}

Result<Deployment> Serving::restart(const ProjectId& project, std::string_view name, std::string_view member) {
  const auto endpoint = TRY(impl_->require(project, name));
  {
    auto state = endpoint->lock();
    if (!state->row.wanted)
      return Error{ErrorCode::failed_precondition,
                   "the deployment '" + std::string(name) + "' is stopped; start it first"};
    state->restart = member;
    ++state->changes;
  }
  impl_->supervisor->notify();
  return impl_->view(*endpoint);
}

Result<Deployment> Serving::get(const ProjectId& project, std::string_view name) {
  return impl_->view(*TRY(impl_->require(project, name)));
}

Result<std::vector<Deployment>> Serving::list(const ProjectId& project) {
  std::vector<std::shared_ptr<Endpoint>> endpoints;
  {
    auto all = impl_->endpoints.lock();
    for (const auto& [key, endpoint] : *all) {
      if (key.first == project.text) endpoints.push_back(endpoint);
    }
  }
  std::vector<Deployment> out;
  for (const auto& endpoint : endpoints) out.push_back(TRY(impl_->view(*endpoint)));
  return out;
}

Result<RevisionOrigin> Serving::origin(const AnswerId& answer) { return origin(TRY(revision_of(answer))); }

Result<RevisionOrigin> Serving::origin(const RevisionId& revision) {
  auto found = TRY(impl_->database.read_value([&](catalog::Connection& c) { return find_revision(c, revision); }));
  if (!found) return Error{ErrorCode::not_found, "no deployment ever had the revision " + revision.text};
  return std::move(*found);
}

void Serving::poke() { impl_->supervisor->poke(); }

}  // namespace slipway::serving
