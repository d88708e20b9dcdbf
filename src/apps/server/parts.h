// All long-lived parts of the server in one plain struct. The order of the fields is the order of construction; they go
// in reverse. No logic here: assemble() builds them, main() starts and stops them.
#pragma once

#include <memory>

#include "base/counters.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "data_folder.h"
#include "http/http.h"
#include "settings.h"
#include "store/store.h"
#include "teams/teams.h"

namespace slipway::server {

struct Parts {
  Settings settings;
  std::unique_ptr<Counters> counters;
  std::unique_ptr<DataFolder> folder;
  std::unique_ptr<catalog::Database> database;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<teams::Teams> teams;
  http::Router router;
  std::unique_ptr<ThreadPool> pool;  // `blocking-N`: handlers that wait for the database or the disk
  std::unique_ptr<http::Server> http;
};

/// Opens everything and starts to answer. On an error nothing keeps running.
Result<Parts> assemble(const Settings& settings);

}  // namespace slipway::server
