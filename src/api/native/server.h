// What the server says of itself: /healthz, /metrics, /api/v1/server.
#pragma once

#include <filesystem>

#include "api/disk_watch.h"
#include "base/counters.h"
#include "catalog/catalog.h"
#include "http/http.h"
#include "teams/teams.h"

namespace slipway::api {

struct ServerFacts {
  std::filesystem::path data;
  catalog::Database& database;
  Counters& counters;
  teams::Teams& teams;
  DiskWatch& disk;
};

/// Everything in `facts` outlives the router's use.
void add_server(http::Router& router, ServerFacts facts);

}  // namespace slipway::api
