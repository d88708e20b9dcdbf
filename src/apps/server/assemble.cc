#include <pwd.h>
#include <unistd.h>

#include "after_restore.h"
#include "api/gate.h"
#include "api/inference/inference.h"
#include "api/mlflow/mlflow.h"
#include "api/native/attempts.h"
#include "api/native/audit.h"
#include "api/native/audited.h"
#include "api/native/backups.h"
#include "api/native/blobs.h"
#include "api/native/creates.h"
#include "api/native/dataset_import.h"
#include "api/native/datasets.h"
#include "api/native/deployments.h"
#include "api/native/evaluation_datasets.h"
#include "api/native/evaluations.h"
#include "api/native/events.h"
#include "api/native/experiments.h"
#include "api/native/gc.h"
#include "api/native/imports.h"
#include "api/native/media.h"
#include "api/native/members.h"
#include "api/native/metrics.h"
#include "api/native/models.h"
#include "api/native/monitor.h"
#include "api/native/overview.h"
#include "api/native/pipelines.h"
#include "api/native/project_files.h"
#include "api/native/reports.h"
#include "api/native/retention.h"
#include "api/native/run_archive.h"
#include "api/native/run_files.h"
#include "api/native/run_log.h"
#include "api/native/run_tables.h"
#include "api/native/runs.h"
#include "api/native/runs_execution.h"
#include "api/native/runs_export.h"
#include "api/native/server.h"
#include "api/native/snapshots.h"
#include "api/native/traces.h"
#include "api/native/views.h"
#include "api/native/webhooks.h"
#include "api/openapi.h"
#include "api/otlp/otlp.h"
#include "api/ui.h"
#include "base/log.h"
#include "parts.h"

namespace slipway::server {
namespace {

constexpr size_t kBlockingThreads = 16;
constexpr size_t kBlockingWaitingMax = 4096;
constexpr size_t kFindingsLookedAt = 1000;  // the newest of all kinds, for triggers

/// The name of the operating-system user who runs this: the first admin.
std::string owner_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry ? entry->pw_name : "uid-" + std::to_string(::getuid());
}

Result<void> open_stores(Parts& parts) {
  const Settings& settings = parts.settings;
  parts.folder = std::make_unique<DataFolder>(TRY(DataFolder::open(settings.data)));
  parts.disk = std::make_unique<api::DiskWatch>(parts.folder->path(), settings.disk_free_bytes_min, *parts.counters);
  catalog::DatabaseOptions database;
  database.url = database_url(settings, *parts.folder);
  database.sync_streams = settings.sync_streams;
  parts.database = TRY(catalog::Database::open(database, catalog::schema(), *parts.counters));
  store::StoreOptions store;
  store.folder =
      settings.artifacts_destination.empty() ? parts.folder->path() / "store" : settings.artifacts_destination;
  store.disk_free_bytes_min = settings.disk_free_bytes_min;
  parts.store = TRY(store::Store::open(store, system_clock(), *parts.counters));
  parts.teams = TRY(teams::Teams::open(*parts.database, system_clock(), owner_name()));
  const auto key_file =
      settings.secret_key_file.empty() ? parts.folder->path() / "secret.key" : settings.secret_key_file;
  parts.key = std::make_unique<SealKey>(TRY(SealKey::load_or_make(key_file)));
  parts.webhooks = std::make_unique<teams::Webhooks>(*parts.database, system_clock(), *parts.key,
                                                     teams::WebhooksOptions{settings.webhook_private_addresses});
  parts.webhook_sender =
      std::make_unique<teams::WebhookSender>(*parts.database, *parts.webhooks, system_clock(), *parts.counters);
  return {};
}

/// Has the monitor capture by a deployment's rules.
void set_capture(monitor::Monitor& monitor, const ProjectId& project, const std::string& deployment,
                 const Json& capture) {
  const auto rules = monitor::parse_capture(capture);
  if (rules.ok()) return monitor.set_capture(project, deployment, *rules);
  // The API looked at them before; a row of another version may still say what this one does not know.
  log_warning("server", "the capture rules of a deployment are not understood; the defaults hold",
              {{"deployment", deployment}, {"error", rules.error().message}});
  monitor.set_capture(project, deployment, {});
}

Result<void> open_monitor(Parts& parts) {
  monitor::MonitorOptions options;
  options.folder = parts.folder->path() / "requests";
  options.sync_first = parts.settings.sync_streams;
  parts.monitor = TRY(
      monitor::Monitor::open(*parts.database, *parts.store, system_clock(), *parts.events, *parts.counters, options));
  parts.registry->references().add_source([monitor = parts.monitor.get()](const registry::ReferenceVisitor& visit) {
    return monitor->visit_bodies([&](const Hash& body) { visit(body, false); });
  });
  return {};
}

/// What goes by rules; each deletion is told to the audit trail.
void open_retention(Parts& parts) {
  const retention::Audit audit = [teams = parts.teams.get()](catalog::Connection& c, const AuditLine& line) {
    return teams->audit(c, line);
  };
  catalog::Database& database = *parts.database;
  parts.collector = std::make_unique<retention::Collector>(database, parts.registry->references(), system_clock(),
                                                           parts.events.get(), audit);
  parts.collector->add_need(evaluation::need_of_run);
  parts.usage = std::make_unique<retention::Usage>(database, parts.registry->references(), system_clock());
  parts.keeper = std::make_unique<retention::Keeper>(database, *parts.tracking, *parts.collector, *parts.usage,
                                                     system_clock(), parts.events.get(), audit);
}

Result<void> open_rooms(Parts& parts) {
  const Clock& clock = system_clock();
  catalog::Database& database = *parts.database;
  parts.events = std::make_unique<api::EventsHub>(*parts.counters);
  parts.model_changes = std::make_unique<ModelChanges>(*parts.events);
  parts.registry = std::make_unique<registry::Registry>(database, *parts.store, clock, parts.model_changes.get(),
                                                        parts.webhooks.get());
  parts.upload_parts = TRY(store::Parts::open(parts.folder->path() / "uploads"));
  parts.uploads = std::make_unique<registry::Uploads>(database, *parts.store, *parts.upload_parts,
                                                      parts.registry->artifacts(), clock);
  parts.signed_urls = std::make_unique<api::SignedUrls>(parts.key->derive("signed urls"), clock);
  parts.tracking = std::make_unique<tracking::Tracking>(database, clock, *parts.counters, parts.events.get());
  parts.registry->references().add_source([tracking = parts.tracking.get()](const registry::ReferenceVisitor& visit) {
    return tracking->trace_files().visit([&](const Hash& file) { visit(file, false); });
  });
  if (!parts.settings.default_artifact_root.empty())
    parts.tracking->experiments().set_artifact_root(parts.settings.default_artifact_root);
  parts.runs =
      std::make_unique<runs::Runs>(database, *parts.store, *parts.tracking, *parts.registry, clock, parts.events.get());
  parts.registry->references().add_run_source(
      [runs = parts.runs.get()](const registry::ReferenceVisitor& visit, const registry::Gone& gone) {
        return runs->visit_references(visit, gone);
      });
  open_retention(parts);
  parts.executor = TRY(runs::make_local_executor({.folder = parts.folder->path() / "node"}));
  TRY(open_monitor(parts));
  parts.models = TRY(serving::RegistryModels::open(*parts.registry, parts.folder->path() / "models"));
  serving::ServingOptions options;
  options.on_capture = [monitor = parts.monitor.get()](const ProjectId& project, const std::string& deployment,
                                                       const Json& capture) {
    set_capture(*monitor, project, deployment, capture);
  };
  parts.serving = TRY(serving::Serving::open(database, *parts.models, clock, *parts.counters, parts.events.get(),
                                             parts.monitor.get(), options));
  parts.model_changes->follow(parts.serving.get());
  return {};
}

/// What starts pipelines by itself; the monitor's findings are among it.
void open_triggers(Parts& parts) {
  const Clock& clock = system_clock();
  const FindingLookup findings = [monitor = parts.monitor.get()](
                                     const ProjectId& project, const std::string& kind,
                                     const std::string& deployment) -> Result<std::vector<FindingNotice>> {
    std::vector<FindingNotice> notices;
    for (const monitor::Finding& finding :
         TRY(monitor->findings(project, deployment, std::nullopt, kFindingsLookedAt))) {
      if (finding.kind == kind && notices.size() < kFindingNoticesMax)
        notices.push_back({finding.id, finding.deployment, finding.kind, finding.message, finding.created_at});
    }
    return notices;
  };
  parts.watcher = std::make_unique<pipelines::Watcher>(*parts.database, clock, *parts.registry, findings);
  parts.definitions =
      std::make_unique<pipelines::Definitions>(*parts.database, clock, *parts.events, *parts.pipelines, *parts.watcher);
  parts.triggers = std::make_unique<pipelines::Triggers>(*parts.database, clock, *parts.events, *parts.counters,
                                                         *parts.pipelines, *parts.definitions, *parts.watcher);
}

/// Evaluations and pipelines: what sits on top of runs, registry and serving.
void open_loop_of_improvement(Parts& parts) {
  const Clock& clock = system_clock();
  // What a version did on its evaluation is what its traffic is held against.
  const auto on_finished = [monitor = parts.monitor.get()](const evaluation::Evaluation& evaluation,
                                                           const std::vector<TensorStatistics>& figures) {
    const auto kept = monitor->set_reference(evaluation.project, evaluation.model, evaluation.version,
                                             "evaluation " + evaluation.id.text, figures);
    if (!kept.ok())
      log_warning("server", "an evaluation's figures could not become a drift reference",
                  {{"error", kept.error().message}});
  };
  parts.evaluations = std::make_unique<evaluation::Evaluations>(*parts.database, *parts.store, *parts.registry,
                                                                *parts.runs, clock, *parts.events, on_finished);
  parts.registry->references().add_source(
      [evaluations = parts.evaluations.get()](const registry::ReferenceVisitor& visit) {
        return evaluations->visit_results([&](const Hash& results) { visit(results, false); });
      });
  const MemberLookup members = [teams = parts.teams.get()](const std::string& member_name) {
    return teams->find_member(member_name);
  };
  parts.step_node = std::make_unique<pipelines::StepNode>(*parts.runs, *parts.registry, members);
  parts.evaluate_node = std::make_unique<evaluation::EvaluateNode>(*parts.evaluations, *parts.registry, members);
  parts.deploy_node = std::make_unique<serving::DeployNode>(*parts.serving, *parts.registry);
  std::map<std::string, NodeKind*> kinds = {
      {"step", parts.step_node.get()}, {"evaluate", parts.evaluate_node.get()}, {"deploy", parts.deploy_node.get()}};
  parts.pipelines = std::make_unique<pipelines::Pipelines>(*parts.database, *parts.store, clock, *parts.events,
                                                           *parts.counters, std::move(kinds));
  parts.registry->references().add_source([pipelines = parts.pipelines.get()](const registry::ReferenceVisitor& visit) {
    return pipelines->visit_snapshots(visit);
  });
  open_triggers(parts);
  parts.log_followers = std::make_unique<api::LogFollowers>(*parts.runs);
}

/// What the runs room knows of a run, beside its record.
api::RunExtras run_extras(Parts& parts) {
  api::RunExtras extras;
  extras.enrich = [runs = parts.runs.get()](const tracking::Run& run, Json& json) {
    api::enrich_run(*runs, run, json);
  };
  extras.document = [runs = parts.runs.get()](const ProjectId& project, const RunId& run, std::string_view kind) {
    return api::run_document(*runs, project, run, kind);
  };
  return extras;
}

Result<void> start_runs(Parts& parts) {
  runs::LoopOptions options;
  options.server_url = std::string(parts.settings.tls_certificate.empty() ? "http" : "https") +
                       "://127.0.0.1:" + std::to_string(parts.http->port());
  TRY(end_attempts_of_original(*parts.folder, *parts.runs));
  parts.runs_loop = std::make_unique<runs::Loop>(*parts.runs, *parts.executor, *parts.teams, system_clock(),
                                                 *parts.counters, options);
  parts.runs_loop->start();
  return {};
}

/// Closed by default: nobody outside this machine may reach a server whose admins have no credential.
Result<void> check_exposure(const std::string& address, teams::Teams& teams) {
  if (is_loopback(address) || TRY(teams.an_admin_has_a_credential())) return {};
  return Error{
      ErrorCode::failed_precondition,
      "refusing to listen on " + address +
          ": no admin has a credential yet. Start on 127.0.0.1, run `slipway tokens create first`, and start again"};
}

/// Who may come in, the same on every port.
http::Router::Gate make_gate(const Parts& parts) {
  api::GateOptions gate;
  gate.owner_uid = ::getuid();
  gate.hosts = {parts.settings.allowed_hosts.begin(), parts.settings.allowed_hosts.end()};
  gate.origins = {parts.settings.allowed_origins.begin(), parts.settings.allowed_origins.end()};
  gate.static_prefix = parts.settings.static_prefix;
  return api::make_gate(*parts.teams, gate);
}

void add_routes(Parts& parts) {
  parts.router.add_gate(make_gate(parts));
  parts.router.add_gate(api::make_low_disk_gate(*parts.disk));
  api::add_openapi(parts.router);
  api::add_server(parts.router, {parts.folder->path(), *parts.database, *parts.counters, *parts.teams, *parts.disk});
  api::add_members(parts.router, *parts.teams);
  api::add_audit(parts.router, *parts.teams);
  api::add_events(parts.router, *parts.events);
  api::add_experiments(parts.router, *parts.tracking);
  api::add_imports(parts.router, *parts.tracking);
  api::add_views(parts.router, *parts.database, system_clock());
  const auto reports = std::make_shared<tracking::Reports>(*parts.database, system_clock(), parts.events.get());
  api::add_reports(parts.router, reports);
  const api::RunExtras extras = run_extras(parts);
  api::add_runs(parts.router, *parts.tracking, extras);
  api::add_runs_export(parts.router, *parts.tracking, extras,
                       {parts.folder->path() / "exports", parts.settings.disk_free_bytes_min});
  api::add_runs_execution(parts.router, *parts.runs, *parts.log_followers, *parts.tracking, *parts.registry,
                          *parts.store, [extras](const tracking::Run& run) { return api::run_json(run, extras); });
  api::add_run_log(parts.router, *parts.runs);
  api::add_attempts(parts.router, *parts.runs, *parts.tracking);
  api::add_snapshots(parts.router, *parts.runs);
  api::add_metrics(parts.router, *parts.tracking);
  api::add_blobs(parts.router, *parts.store);
  api::add_retention(parts.router, *parts.keeper, *parts.usage);
  api::add_gc(parts.router, *parts.collector, parts.registry->references());
  parts.backups = std::make_unique<api::Backups>(*parts.database, *parts.store, parts.folder->path() / "backups",
                                                 parts.settings.disk_free_bytes_min, system_clock(),
                                                 [monitor = parts.monitor.get()] { monitor->settle(); });
  api::add_backups(parts.router, *parts.backups, *parts.database, *parts.store);
  api::add_datasets(parts.router, *parts.registry);
  api::add_dataset_import(
      parts.router, *parts.runs, *parts.registry,
      [&tracking = *parts.tracking, extras](const ProjectId& project, const RunId& run) -> Result<Json> {
        return api::run_json(TRY(tracking.runs().get(project, run)), extras);
      });
  api::add_project_files(parts.router);
  api::add_models(parts.router, *parts.registry, api::evaluations_of_models(*parts.evaluations));
  api::add_run_files(parts.router, *parts.tracking, parts.registry->artifacts(), *parts.store);
  api::add_run_archive(parts.router, *parts.tracking, parts.registry->artifacts(), *parts.store);
  api::add_run_tables(parts.router, *parts.tracking, parts.registry->artifacts(), *parts.store);
  api::add_media(parts.router, *parts.tracking, parts.registry->artifacts());
  api::mlflow::add_mlflow(parts.router, {*parts.tracking, parts.registry->models(), parts.registry->artifacts(),
                                         *parts.store, *parts.uploads, *parts.signed_urls, *parts.teams,
                                         *parts.webhooks, *parts.webhook_sender, system_clock(), *parts.collector});
  api::add_traces(parts.router, *parts.tracking);
  api::add_evaluation_datasets(parts.router, *parts.tracking);
  api::add_otlp(parts.router, *parts.tracking);
  api::add_webhooks(parts.router, *parts.webhooks);
  api::add_deployments(parts.router, *parts.serving, *parts.monitor);
  api::add_inference(parts.router, *parts.serving, *parts.pool);
  api::add_evaluations(parts.router, *parts.evaluations);
  api::add_pipelines(parts.router, *parts.pipelines, *parts.definitions);
  api::add_monitor(parts.router, *parts.monitor, *parts.registry);
  const api::AllRooms rooms{*parts.tracking, *parts.registry, *parts.runs, *parts.serving, *parts.monitor};
  api::add_overview(parts.router, rooms, reports);
  api::add_why(parts.router, rooms);
  api::add_ui(parts.router, parts.settings.static_prefix);
  parts.idempotency = std::make_unique<api::Idempotency>(*parts.database, system_clock(), *parts.counters);
  api::audit_actions(parts.router, *parts.teams);
  api::add_idempotency(parts.router, *parts.idempotency);
}

Result<void> start_http(Parts& parts) {
  http::ServerOptions options;
  options.address = parts.settings.address;
  options.port = parts.settings.port;
  options.loops = parts.settings.event_loops;
  if (!parts.settings.tls_certificate.empty())
    options.tls = http::TlsOptions{parts.settings.tls_certificate, parts.settings.tls_key};
  parts.http = TRY(http::Server::start(options, parts.router, *parts.pool, *parts.counters));
  return {};
}

Result<void> start_grpc(Parts& parts) {
  if (!parts.settings.grpc) return {};
  const api::GrpcOptions options{parts.settings.grpc->address, parts.settings.grpc->port,
                                 parts.settings.tls_certificate, parts.settings.tls_key};
  parts.grpc = TRY(api::GrpcServer::start(options, make_gate(parts), *parts.serving, *parts.pool, *parts.counters));
  return {};
}

}  // namespace

std::string database_url(const Settings& settings, const DataFolder& folder) {
  return settings.database.empty() ? "sqlite:" + (folder.path() / "slipway.db").string() : settings.database;
}

Result<void> restore_database(const Settings& settings) {
  const DataFolder folder = TRY(DataFolder::open(settings.data, DataFolder::Use::restore));
  return catalog::restore_database(settings.restore_database, database_url(settings, folder), folder.path(),
                                   catalog::schema());
}

Result<Parts> assemble(const Settings& settings) {
  Parts parts;
  parts.settings = settings;
  parts.counters = std::make_unique<Counters>();
  TRY(open_stores(parts));
  TRY(check_exposure(settings.address, *parts.teams));
  if (settings.grpc) TRY(check_exposure(settings.grpc->address, *parts.teams));
  TRY(open_rooms(parts));
  open_loop_of_improvement(parts);
  parts.pool = std::make_unique<ThreadPool>("blocking", kBlockingThreads, kBlockingWaitingMax, *parts.counters);
  add_routes(parts);
  TRY(start_http(parts));
  TRY(start_grpc(parts));
  TRY(start_runs(parts));
  return parts;
}

}  // namespace slipway::server
