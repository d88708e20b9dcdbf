// What the tests of this room share: a registry on a fresh SQLite file and, once more, on a fresh PostgreSQL database.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/file.h"
#include "catalog/testing.h"
#include "registry/registry.h"

namespace slipway::registry {

class EventLog : public EventSink {
 public:
  void emit(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

class RegistryTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto url = catalog::fresh_url(GetParam(), folder.path());
    if (!url.ok()) GTEST_SKIP() << url.error().message;
    database = catalog::Database::open({.url = *url}, catalog::schema(), counters).value();
    store = store::Store::open({.folder = folder.path() / "blobs", .disk_free_bytes_min = 0}, clock, counters).value();
    registry = std::make_unique<Registry>(*database, *store, clock, &events);
  }

  store::BlobInfo blob(std::string_view bytes) { return store->put(bytes).value(); }
  Artifact file(std::string path, std::string_view bytes) {
    const auto info = blob(bytes);
    return {std::move(path), info.hash, info.size, "", {}};
  }

  const ProjectId project = kDefaultProject;
  TemporaryDirectory folder{"registry-test"};
  FakeClock clock;
  Counters counters;
  EventLog events;
  std::unique_ptr<catalog::Database> database;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Registry> registry;
};

}  // namespace slipway::registry
