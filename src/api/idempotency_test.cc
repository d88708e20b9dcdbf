#include "api/idempotency.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "base/file.h"
#include "http/wrap.h"

namespace slipway::api {
namespace {

using catalog::Connection;
using catalog::Durability;

/// A database with the real schema and a table of things; `server()` is what a restart makes new.
class IdempotencyTest : public testing::Test {
 protected:
  void SetUp() override {
    auto migrations = catalog::schema();
    migrations.push_back({9000, "9000_things", "CREATE TABLE things (id {serial}, name TEXT NOT NULL);\n"});
    catalog::DatabaseOptions options;
    options.url = "sqlite:" + (folder_.path() / "test.db").string();
    auto opened = catalog::Database::open(options, migrations, counters_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    database_ = std::move(*opened);
  }

  Idempotency server() { return Idempotency(*database_, clock_, counters_); }

  Result<void> insert(const std::string& name) {
    return database_->write(Durability::record, [name](Connection& c) -> Result<void> {
      TRY(c.run("INSERT INTO things (name) VALUES (?)", {name}));
      return {};
    });
  }

  /// Makes a thing of the body; says the status when it cannot.
  http::Handler creates() {
    return [this](http::Request& request, const http::Responder& responder) {
      if (request.body.empty()) return responder.send(http::Response::json("{\"error\":\"empty\"}", 400));
      const auto made = insert(request.body);
      if (!made.ok()) return responder.send(http::Response::json("{\"error\":\"refused\"}", 503));
      responder.send(
          http::Response::json("{\"name\":\"" + request.body + "\",\"count\":" + std::to_string(count()) + "}", 201));
    };
  }

  std::int64_t count() {
    return database_
        ->read_value([](Connection& c) {
          return c.first("SELECT count(*) FROM things", {}, [](const catalog::Row& row) { return row.integer(0); });
        })
        .value()
        .value();
  }

  static http::Request request(std::string body, std::string key = "k1", const std::string& member = "m1") {
    http::Request request;
    request.method = http::Method::post;
    request.target = request.path = "/api/v1/things";
    request.body = std::move(body);
    request.headers.set("Idempotency-Key", std::move(key));
    request.headers.set("X-Slipway-Internal-Caller", member +
                                                         "\x1f"
                                                         "name\x1f"
                                                         "0\x1f");
    return request;
  }
  static http::Response ask(const http::Handler& handler, http::Request request) {
    return http::answer_of(handler, request);
  }
  /// The process ends somewhere inside the handler, as far as anybody else can tell.
  static void die_in(const http::Handler& handler, http::Request request) {
    EXPECT_THROW(http::answer_of(handler, request), std::runtime_error);
  }

  TemporaryDirectory folder_;
  Counters counters_;
  FakeClock clock_;
  std::unique_ptr<catalog::Database> database_;
};

TEST_F(IdempotencyTest, a_create_that_is_sent_again_is_answered_again_and_happens_once) {
  Idempotency keys = server();
  const auto create = keys.around(creates(), {});
  const auto first = ask(create, request("a"));
  EXPECT_EQ(first.status, 201);
  EXPECT_FALSE(first.headers.has("Idempotency-Replayed"));
  Idempotency restarted = server();
  for (const auto& handler : {create, restarted.around(creates(), {})}) {
    const auto again = ask(handler, request("a"));
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.headers.get("Idempotency-Replayed"), "true");
  }
  EXPECT_EQ(count(), 1);
}

TEST_F(IdempotencyTest, without_a_key_or_with_another_one_or_of_another_member_it_is_another_create) {
  Idempotency keys = server();
  const auto create = keys.around(creates(), {});
  http::Request bare;
  bare.body = "a";
  EXPECT_EQ(ask(create, bare).status, 201);
  EXPECT_EQ(ask(create, bare).status, 201);
  EXPECT_EQ(ask(create, request("a", "k1")).status, 201);
  EXPECT_EQ(ask(create, request("a", "k2")).status, 201);
  EXPECT_EQ(ask(create, request("a", "k1", "m2")).status, 201);
  EXPECT_EQ(count(), 5);
}

TEST_F(IdempotencyTest, a_key_that_is_no_key_is_refused) {
  Idempotency keys = server();
  const auto create = keys.around(creates(), {});
  for (const std::string& key : {std::string(), std::string(257, 'k'), std::string("a\tb"), std::string("\xc3\xa4")})
    EXPECT_EQ(ask(create, request("a", key)).status, 400) << key;
  EXPECT_EQ(count(), 0);
}

TEST_F(IdempotencyTest, another_request_with_the_same_key_is_refused) {
  Idempotency keys = server();
  const auto create = keys.around(creates(), {});
  EXPECT_EQ(ask(create, request("a")).status, 201);
  EXPECT_EQ(ask(create, request("b")).status, 422);
  auto elsewhere = request("a");
  elsewhere.target = "/api/v1/things?project=other";
  EXPECT_EQ(ask(create, elsewhere).status, 422);
  EXPECT_EQ(count(), 1);
}

TEST_F(IdempotencyTest, a_refused_create_leaves_its_key_free) {
  Idempotency keys = server();
  const auto create = keys.around(creates(), {});
  EXPECT_EQ(ask(create, request("")).status, 400);
  EXPECT_EQ(ask(create, request("a")).status, 201);
}

TEST_F(IdempotencyTest, while_the_first_is_under_way_the_second_is_asked_to_wait) {
  Idempotency keys = server();
  http::Response meanwhile;
  http::Handler create;
  create = keys.around(
      [&](http::Request& first, const http::Responder& responder) {
        std::thread([&] { meanwhile = ask(create, request("a")); }).join();
        creates()(first, responder);
      },
      {});
  EXPECT_EQ(ask(create, request("a")).status, 201);
  EXPECT_EQ(meanwhile.status, 409);
  EXPECT_EQ(meanwhile.headers.get("Retry-After"), "1");
  EXPECT_EQ(count(), 1);
}

TEST_F(IdempotencyTest, who_died_before_writing_is_taken_over) {
  Idempotency dead = server();
  die_in(dead.around([](http::Request&, const http::Responder&) { throw std::runtime_error("died"); }, {}),
         request("a"));
  Idempotency keys = server();
  EXPECT_EQ(ask(keys.around(creates(), {}), request("a")).status, 201);
  EXPECT_EQ(ask(keys.around(creates(), {}), request("a")).headers.get("Idempotency-Replayed"), "true");
  EXPECT_EQ(count(), 1);
}

TEST_F(IdempotencyTest, who_died_between_the_record_and_the_answer_is_not_repeated) {
  Idempotency dead = server();
  const auto writes_and_dies = [this](http::Request& request, const http::Responder&) {
    ASSERT_TRUE(insert(request.body).ok());
    throw std::runtime_error("died");
  };
  die_in(dead.around(writes_and_dies, {}), request("a"));
  die_in(dead.around(writes_and_dies, {}), request("b", "k2"));
  ASSERT_EQ(count(), 2);
  Idempotency keys = server();
  const auto retried = ask(keys.around(creates(), {}), request("a"));
  EXPECT_EQ(retried.status, 409);
  EXPECT_NE(retried.body.find("look for the record"), std::string::npos) << retried.body;
  EXPECT_EQ(count(), 2);
  // What finds its record by itself is carried out again.
  const auto finds = [](http::Request&, const http::Responder& responder) {
    responder.send(http::Response::json("{\"found\":true}", 201));
  };
  EXPECT_EQ(ask(keys.around(finds, {.finds_itself = true}), request("b", "k2")).body, "{\"found\":true}");
  EXPECT_EQ(ask(keys.around(finds, {.finds_itself = true}), request("b", "k2")).headers.get("Idempotency-Replayed"),
            "true");
}

TEST_F(IdempotencyTest, who_was_taken_over_while_alive_writes_nothing) {
  Idempotency slow = server(), other = server();
  http::Response taken_over;
  const auto create = slow.around(
      [&](http::Request& first, const http::Responder& responder) {
        std::thread([&] { taken_over = ask(other.around(creates(), {}), request("a")); }).join();
        creates()(first, responder);
      },
      {});
  EXPECT_EQ(ask(create, request("a")).status, 503);
  EXPECT_EQ(taken_over.status, 201);
  EXPECT_EQ(count(), 1);
}

TEST_F(IdempotencyTest, a_secret_is_kept_nowhere) {
  Idempotency keys = server();
  const auto create = keys.around(creates(), {.keeps_body = false});
  EXPECT_EQ(ask(create, request("secret")).status, 201);
  const auto again = ask(create, request("secret"));
  EXPECT_EQ(again.status, 409);
  EXPECT_NE(again.body.find("told only once"), std::string::npos) << again.body;
  const auto kept = database_->read_value([](Connection& c) {
    return c.first("SELECT count(*) FROM idempotency_keys WHERE body IS NOT NULL", {},
                   [](const catalog::Row& row) { return row.integer(0); });
  });
  EXPECT_EQ(kept.value().value(), 0);
}

TEST_F(IdempotencyTest, keys_are_forgotten_after_a_day) {
  Idempotency keys = server();
  const auto create = keys.around(creates(), {});
  EXPECT_EQ(ask(create, request("a")).status, 201);
  clock_.advance(kIdempotencyKeysKeptFor - std::chrono::seconds(1));
  EXPECT_EQ(ask(create, request("a")).headers.get("Idempotency-Replayed"), "true");
  clock_.advance(std::chrono::seconds(2));
  EXPECT_FALSE(ask(create, request("a")).headers.has("Idempotency-Replayed"));
  EXPECT_EQ(count(), 2);
}

}  // namespace
}  // namespace slipway::api
