// Which version should answer: follows the reference, begins revisions, switches to them when they are warm.
#include <algorithm>

#include "base/log.h"
#include "serving/supervisor.h"

namespace slipway::serving {
namespace {

bool is_version(const std::optional<Revision>& revision, const std::string& model, std::int64_t version) {
  return revision && revision->model == model && revision->version == version;
}

/// Whether trying again could not end differently.
bool is_final(ErrorCode code) {
  return code == ErrorCode::invalid_argument || code == ErrorCode::unsupported || code == ErrorCode::not_found ||
         code == ErrorCode::failed_precondition || code == ErrorCode::too_large;
}

}  // namespace

/// What follow() knows of a deployment when it looks.
struct Supervisor::Look {
  bool due = false;
  Reference reference;
  std::optional<Revision> resume, active, next, failed;
  std::optional<std::string> restart;
  std::string changed_by;
  std::uint64_t changes = 0;
};

Supervisor::Look Supervisor::look(Endpoint& endpoint, bool poked) {
  const Time now = parts_.clock.steady();
  Look out;
  auto state = endpoint.lock();
  out.resume = std::exchange(state->resume, std::nullopt);
  if (out.resume) return out;
  const bool nothing = !state->active && !state->next;
  out.due = poked || state->changes_followed < state->changes || now - state->looked_at >= kAliasInterval ||
            (nothing && state->looked_at == Time{});
  if (!out.due) return out;
  state->looked_at = now;
  out.reference = state->row.spec.model;
  if (state->active) out.active = state->active->generation->revision();
  if (state->next) out.next = state->next->generation->revision();
  out.failed = state->failed;
  out.restart = std::exchange(state->restart, std::nullopt);
  out.changed_by = std::exchange(state->changed_by, "");
  out.changes = state->changes;
  return out;
}

void Supervisor::follow(Endpoint& endpoint, bool poked) {
  const Look seen = look(endpoint, poked);
  // First what answered before the restart; what has changed since comes after it.
  if (seen.resume) return begin(endpoint, *seen.resume);
  if (!seen.due) return;
  follow_reference(endpoint, seen);
  endpoint.lock()->changes_followed = seen.changes;
}

void Supervisor::follow_reference(Endpoint& endpoint, const Look& seen) {
  const auto version = parts_.models.version(endpoint.facts().project, seen.reference);
  if (!version.ok()) {
    endpoint.lock()->message = version.error().message;
    return;
  }
  const std::string& model = seen.reference.name;
  if (!seen.restart) {
    if (is_version(seen.next, model, *version)) return;
    if (is_version(seen.active, model, *version)) {
      // The reference came back to what answers: forget the way it took.
      auto state = endpoint.lock();
      retire(*state, std::exchange(state->next, nullptr));
      state->failed.reset();
      state->message.clear();
      return;
    }
    if (is_version(seen.failed, model, *version)) return;
  }
  {
    auto state = endpoint.lock();
    retire(*state, std::exchange(state->next, nullptr));
    state->failed.reset();
  }
  begin_new(endpoint, seen, *version);
}

void Supervisor::begin_new(Endpoint& endpoint, const Look& seen, std::int64_t version) {
  Revision revision;
  revision.id = new_id<RevisionId>(parts_.clock);
  revision.model = seen.reference.name;
  revision.version = version;
  revision.created_at = parts_.clock.now();
  revision.member = seen.restart.value_or(seen.changed_by);
  revision.reason = seen.restart                 ? "restarted"
                    : !seen.changed_by.empty()   ? (seen.active || seen.failed ? "changed" : "created")
                    : !seen.reference.at.empty() ? "alias " + seen.reference.at
                                                 : "started";
  const bool written = write("a deployment's revision", [&](catalog::Connection& c) -> Result<void> {
    revision = TRY(insert_revision(c, endpoint.facts().id, revision));
    return {};
  });
  if (!written) return;  // looked at again in a moment
  begin(endpoint, revision);
}

void Supervisor::begin(Endpoint& endpoint, const Revision& revision) {
  auto model = parts_.models.fetch(endpoint.facts().project, revision.model, revision.version);
  if (!model.ok()) {
    if (is_final(model.error().code)) return refuse(endpoint, revision, model.error().message);
    auto state = endpoint.lock();
    state->message = model.error().message;
    state->resume = revision;
    return;
  }
  log_info("serving", "a revision warms up",
           {{"deployment", endpoint.facts().name},
            {"revision", revision.id.text},
            {"model", revision.model},
            {"version", std::to_string(revision.version)}});
  auto running = std::make_shared<Running>();
  auto state = endpoint.lock();
  auto& statistics = state->statistics[revision.version];
  if (!statistics) statistics = std::make_shared<VersionStatistics>(revision.version);
  const BatchLimits limits{state->row.spec.batch_max, state->row.spec.batch_delay};
  running->generation = std::make_shared<Generation>(endpoint.shared_facts(), revision, model->labels, statistics,
                                                     limits, parts_.queue_max);
  running->model = std::move(*model);
  retire(*state, std::exchange(state->next, running));
  state->message.clear();
}

void Supervisor::refuse(Endpoint& endpoint, const Revision& revision, const std::string& why) {
  log_warning("serving", "a revision failed",
              {{"deployment", endpoint.facts().name}, {"revision", revision.id.text}, {"error", why}});
  write("a failed revision",
        [&](catalog::Connection& c) { return set_revision_state(c, revision.id, RevisionState::failed, why); });
  auto state = endpoint.lock();
  state->failed = revision;
  state->message = "version " + std::to_string(revision.version) + " of model '" + revision.model +
                   "' could not be deployed: " + why;
}

void Supervisor::give_up(Endpoint& endpoint, const std::shared_ptr<Running>& running) {
  {
    auto state = endpoint.lock();
    if (state->next == running) retire(*state, std::exchange(state->next, nullptr));
    if (state->active == running) retire(*state, std::exchange(state->active, nullptr));
  }
  refuse(endpoint, running->generation->revision(), running->fatal);
}

void Supervisor::promote(Endpoint& endpoint) {
  std::shared_ptr<Running> next;
  int wanted;
  {
    auto state = endpoint.lock();
    if (!state->next) return;
    next = state->next;
    wanted = std::max(1, state->row.spec.replicas_min);
  }
  if (next->generation->ready() < wanted) return;
  const RevisionId& id = next->generation->revision().id;
  if (!write("the active revision",
             [&](catalog::Connection& c) { return activate_revision(c, endpoint.facts().id, id, parts_.clock.now()); }))
    return;
  // New requests go to the new one from here; the old one refuses them, and they try again.
  auto state = endpoint.lock();
  if (state->next != next) return;
  retire(*state, std::exchange(state->active, std::exchange(state->next, nullptr)));
  state->message.clear();
  state->failed.reset();
  log_info("serving", "a revision answers",
           {{"deployment", endpoint.facts().name},
            {"revision", id.text},
            {"version", std::to_string(next->generation->revision().version)}});
}

}  // namespace slipway::serving
