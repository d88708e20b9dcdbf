// What the tests of this room share: a registry on a fresh SQLite file and, once more, on a fresh PostgreSQL database.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "registry/registry.h"

namespace slipway::registry {

/// The URL of a new database of a PostgreSQL that ends with the test program, or why there is none.
inline Result<std::string> fresh_postgres_url() {
  const auto support = [](std::vector<std::string> arguments) -> Result<std::string> {
    // The sources lie where this file was compiled from.
    const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    arguments.insert(arguments.begin(), (root / "tests" / "support" / "postgres").string());
    const Output output = TRY(run_command({.arguments = arguments}, std::chrono::seconds(150)));
    if (!output.status.ok()) return Error{ErrorCode::unavailable, std::string(trim(output.err))};
    return std::string(trim(output.out));
  };
  static const Result<std::string> server = support({"start", "--while-pid", std::to_string(::getpid())});
  if (!server.ok()) return server.error();
  static int number = 0;
  return support({"database", *server, "registry" + std::to_string(++number)});
}

class EventLog : public EventSink {
 public:
  void emit(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

class RegistryTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::string url = "sqlite:" + (folder.path() / "test.db").string();
    if (GetParam() == "postgres") {
      const auto fresh = fresh_postgres_url();
      if (!fresh.ok()) GTEST_SKIP() << fresh.error().message;
      url = *fresh;
    }
    database = catalog::Database::open({.url = url}, catalog::schema(), counters).value();
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

#define SLIPWAY_ON_BOTH_DATABASES(Suite) \
  INSTANTIATE_TEST_SUITE_P(Databases, Suite, testing::Values("sqlite", "postgres"), [](const auto& tested) { return tested.param; })

}  // namespace slipway::registry
