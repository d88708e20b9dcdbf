// All long-lived parts of the server in one plain struct. The order of the fields is the order of construction; they go
// in reverse, so that whoever calls goes before who is called. No logic here: assemble() builds them, main() starts and
// stops them.
#pragma once

#include <memory>

#include "api/backups.h"
#include "api/disk_watch.h"
#include "api/events_hub.h"
#include "api/idempotency.h"
#include "api/inference/grpc.h"
#include "api/native/runs_execution.h"
#include "api/signed_url.h"
#include "base/counters.h"
#include "base/seal.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "data_folder.h"
#include "evaluation/evaluate_node.h"
#include "evaluation/evaluation.h"
#include "http/http.h"
#include "model_changes.h"
#include "monitor/monitor.h"
#include "pipelines/definitions.h"
#include "pipelines/pipelines.h"
#include "pipelines/step_node.h"
#include "pipelines/triggers.h"
#include "pipelines/watcher.h"
#include "registry/registry.h"
#include "registry/uploads.h"
#include "retention/retention.h"
#include "runs/loop.h"
#include "runs/runs.h"
#include "serving/deploy_node.h"
#include "serving/registry_models.h"
#include "serving/serving.h"
#include "settings.h"
#include "store/parts.h"
#include "store/store.h"
#include "teams/teams.h"
#include "teams/webhook_sender.h"
#include "teams/webhooks.h"
#include "tracking/tracking.h"

namespace slipway::server {

struct Parts {
  Settings settings;
  std::unique_ptr<Counters> counters;
  std::unique_ptr<DataFolder> folder;
  std::unique_ptr<api::DiskWatch> disk;
  std::unique_ptr<catalog::Database> database;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<teams::Teams> teams;
  std::unique_ptr<SealKey> key;
  std::unique_ptr<teams::Webhooks> webhooks;
  std::unique_ptr<teams::WebhookSender> webhook_sender;
  std::unique_ptr<api::EventsHub> events;
  std::unique_ptr<ModelChanges> model_changes;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<store::Parts> upload_parts;
  std::unique_ptr<registry::Uploads> uploads;
  std::unique_ptr<api::SignedUrls> signed_urls;
  std::unique_ptr<tracking::Tracking> tracking;
  std::unique_ptr<runs::Runs> runs;
  std::unique_ptr<retention::Collector> collector;
  std::unique_ptr<retention::Usage> usage;
  std::unique_ptr<retention::Keeper> keeper;
  std::unique_ptr<runs::Executor> executor;
  std::unique_ptr<monitor::Monitor> monitor;
  std::unique_ptr<serving::RegistryModels> models;
  std::unique_ptr<serving::Serving> serving;
  std::unique_ptr<evaluation::Evaluations> evaluations;
  std::unique_ptr<pipelines::StepNode> step_node;
  std::unique_ptr<evaluation::EvaluateNode> evaluate_node;
  std::unique_ptr<serving::DeployNode> deploy_node;
  std::unique_ptr<pipelines::Pipelines> pipelines;
  std::unique_ptr<pipelines::Watcher> watcher;
  std::unique_ptr<pipelines::Definitions> definitions;
  std::unique_ptr<pipelines::Triggers> triggers;
  std::unique_ptr<api::LogFollowers> log_followers;
  std::unique_ptr<api::Backups> backups;
  std::unique_ptr<api::Idempotency> idempotency;
  http::Router router;
  std::unique_ptr<ThreadPool> pool;  // `blocking-N`: handlers that wait for the database or the disk
  std::unique_ptr<http::Server> http;
  std::unique_ptr<api::GrpcServer> grpc;  // null: off
  std::unique_ptr<runs::Loop> runs_loop;  // knows the URL that runners call, so it comes last
};

/// Opens everything and starts to answer. On an error nothing keeps running.
Result<Parts> assemble(const Settings& settings);

/// Where the database is: what was set, or the file in the data folder.
std::string database_url(const Settings& settings, const DataFolder& folder);
/// Puts `settings.restore_database` there; no server is started.
Result<void> restore_database(const Settings& settings);

}  // namespace slipway::server
