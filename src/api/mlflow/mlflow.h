// MLflow's REST protocol over our rooms: what an unmodified mlflow client needs of its tracking server.
#pragma once

#include <string>
#include <vector>

#include "api/signed_url.h"
#include "base/clock.h"
#include "http/http.h"
#include "registry/registry.h"
#include "registry/uploads.h"
#include "retention/collector.h"
#include "store/store.h"
#include "teams/teams.h"
#include "teams/webhook_sender.h"
#include "teams/webhooks.h"
#include "tracking/tracking.h"

namespace slipway::api::mlflow {

/// Everything these endpoints talk to; all of it outlives the router's use.
struct Rooms {
  tracking::Tracking& tracking;
  registry::Models& models;
  registry::Artifacts& artifacts;
  store::Store& store;
  registry::Uploads& uploads;
  const SignedUrls& signed_urls;
  teams::Teams& teams;
  teams::Webhooks& webhooks;
  teams::WebhookSender& webhook_sender;
  const Clock& clock;
  retention::Collector& collector;
};

/// Adds every endpoint under /api/2.0, /api/3.0, /ajax-api/2.0 and /ajax-api/3.0, and /health, /version.
void add_mlflow(http::Router& router, const Rooms& rooms);

/// One line of the table that documentation is made from.
struct EndpointFact {
  std::string method, path;  // "mlflow/runs/create", without prefix
  std::vector<std::string> required;
  bool offered = true;  // false: refused with 501, which makes clients go another way
};
std::vector<EndpointFact> endpoint_facts();

}  // namespace slipway::api::mlflow
