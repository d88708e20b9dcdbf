// The protocol as its clients see it: HTTP in, HTTP out, with a real worker behind it.
#include "api/inference/inference.h"

#include <gtest/gtest.h>

#include "api/inference/fixture.h"
#include "api/inference/wire.h"
#include "http/testing.h"

namespace slipway::api {
namespace {

using http::testing::Answer;
using http::testing::RawClient;

const char kGood[] = R"({"id":"7","inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]})";

class InferenceTest : public ::testing::Test {
 protected:
  InferenceTest() : model_(folder_.path()) {
    catalog::DatabaseOptions options;
    options.url = "sqlite:" + (folder_.path() / "slipway.db").string();
    database_ = catalog::Database::open(options, catalog::schema(), counters_).value();
    serving_ = serving::Serving::open(*database_, model_, system_clock(), counters_, nullptr, nullptr).value();
    // What api/gate.h does before every handler.
    server_.router.add_gate([](http::Request& request) -> std::optional<http::Response> {
      request.headers.set("X-Slipway-Internal-Project", kDefaultProject.text);
      return std::nullopt;
    });
    add_inference(server_.router, *serving_, server_.pool);
    port_ = server_.start();
    EXPECT_NE(port_, 0) << server_.problem;
  }

  void deploy() {
    serving::DeploymentSpec spec;
    spec.name = "scale";
    spec.model = parse_reference("model:scale/1").value();
    ASSERT_TRUE(serving_->create(kDefaultProject, spec, "ada").ok());
    wait_until([this] { return get("/v2/models/scale/ready").status == 200; });
  }

  Answer get(std::string_view target) { return RawClient(port_).ask(http::testing::get(target)); }
  Answer post(std::string_view target, std::string_view body, std::string_view headers = "") {
    return RawClient(port_).ask(http::testing::post(target, body, headers));
  }
  Answer infer(std::string_view body, std::string_view headers = "") {
    return post("/v2/models/scale/infer", body, headers);
  }
  static Json json(const Answer& answer) { return Json::parse(answer.body).value_or(Json()); }
  static std::string error(const Answer& answer) { return json(answer)["error"].string(); }

  TemporaryDirectory folder_;
  Counters counters_;
  OneModel model_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<serving::Serving> serving_;
  http::testing::TestServer server_;
  int port_ = 0;
};

TEST_F(InferenceTest, the_server_says_what_it_is_and_that_it_lives) {
  const Answer answer = get("/v2");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json(answer)["name"].string(), "slipway");
  EXPECT_NE(answer.body.find("\"binary_tensor_data\""), std::string::npos);
  EXPECT_EQ(get("/v2/health/live").status, 200);
  EXPECT_EQ(get("/v2/health/ready").status, 200);
}

TEST_F(InferenceTest, everything_unknown_is_an_error_in_the_protocols_own_form) {
  for (const char* path : {"/v2/models/sacle", "/v2/models/sacle/config", "/v2/models/sacle/stats", "/v2/nothing"}) {
    const Answer answer = get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_FALSE(error(answer).empty()) << path << " " << answer.body;
  }
  EXPECT_EQ(post("/v2/models/sacle/infer", kGood).status, 404);
  EXPECT_EQ(error(post("/v2/models/sacle/infer", kGood)), "Request for unknown model: 'sacle' is not found");
  EXPECT_EQ(post("/v2/nothing", "{}").status, 404);
  // Clients take any 4xx of this one for "not ready".
  EXPECT_EQ(get("/v2/models/sacle/ready").status, 400);
}

TEST_F(InferenceTest, a_model_describes_itself) {
  deploy();
  const Json metadata = json(get("/v2/models/scale"));
  EXPECT_EQ(metadata["name"].string(), "scale");
  EXPECT_EQ(metadata["versions"].render(), R"(["1"])");
  EXPECT_EQ(metadata["inputs"].render(), R"([{"name":"x","datatype":"FP32","shape":[-1,2]}])");
  EXPECT_EQ(metadata["outputs"].render(), R"([{"name":"y","datatype":"FP32","shape":[-1,2]}])");
  EXPECT_EQ(json(get("/v2/models/scale/versions/1")).render(), metadata.render());
  EXPECT_EQ(get("/v2/models/scale/versions/2").status, 404);
  EXPECT_EQ(get("/v2/models/scale/versions/one").status, 404);

  const Json config = json(get("/v2/models/scale/config"));
  EXPECT_GT(config["max_batch_size"].integer().value_or(0), 0);
  EXPECT_EQ(config["input"].array().at(0)["dims"].render(), "[2]") << "the batch's dimension is understood";
  EXPECT_EQ(config["input"].array().at(0)["data_type"].string(), "TYPE_FP32");
}

TEST_F(InferenceTest, numbers_come_back_as_json_with_the_requests_id_and_the_answers_own) {
  deploy();
  const Answer answer = infer(kGood);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json found = json(answer);
  EXPECT_EQ(found["id"].string(), "7");
  EXPECT_EQ(found["model_name"].string(), "scale");
  EXPECT_EQ(found["model_version"].string(), "1");
  EXPECT_EQ(found["outputs"].array().at(0)["data"].render(), "[10,20]");
  EXPECT_FALSE(answer.headers.get("X-Slipway-Answer-Id").empty());
  EXPECT_FALSE(answer.headers.has("Inference-Header-Content-Length"));
}

TEST_F(InferenceTest, raw_tensors_travel_both_ways_behind_the_json) {
  deploy();
  const std::string head =
      R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}],"outputs":[{"name":"y","parameters":{"binary_data":true}}]})";
  const float values[] = {1.5f, -2};
  const std::string body = head + std::string(reinterpret_cast<const char*>(values), sizeof values);
  const Answer answer = infer(body, "Inference-Header-Content-Length: " + std::to_string(head.size()) + "\r\n");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/octet-stream");
  const size_t json_bytes = parse_u64(answer.headers.get("Inference-Header-Content-Length")).value_or(0);
  ASSERT_EQ(answer.body.size(), json_bytes + 8);
  float back[2];
  std::memcpy(back, answer.body.data() + json_bytes, sizeof back);
  EXPECT_EQ(back[0], 15);
  EXPECT_EQ(back[1], -20);
}

TEST_F(InferenceTest, a_large_request_and_its_answer_are_whole) {
  deploy();
  std::string data;
  const int rows = 60'000;
  for (int i = 0; i < 2 * rows; ++i) data += (i == 0 ? "" : ",") + std::to_string(i);
  const Answer answer = infer(R"({"inputs":[{"name":"x","datatype":"FP32","shape":[)" + std::to_string(rows) +
                              R"(,2],"data":[)" + data + "]}]}");
  ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 300);
  const Json found = json(answer);
  const Json::Array& numbers = found["outputs"].array().at(0)["data"].array();
  ASSERT_EQ(numbers.size(), static_cast<size_t>(2 * rows));
  EXPECT_EQ(numbers.back().number(), 10.0 * (2 * rows - 1));
}

TEST_F(InferenceTest, what_does_not_fit_the_model_is_told_in_a_sentence_and_the_model_answers_on) {
  deploy();
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"inputs":[{"name":"z","datatype":"FP32","shape":[1,2],"data":[1,2]}]})", "'z'"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[1,2],"data":[1,2]}]})", "FP32"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]})", "[-1,2]"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}],"outputs":[{"name":"q"}]})", "'q'"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[NaN,2]}]})", "JSON"},
      {"{\"inputs\":", "JSON"},
      {"", "JSON"},
  };
  for (const auto& [body, part] : wrong) {
    const Answer answer = infer(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(error(answer).find(part), std::string::npos) << body << " -> " << answer.body;
  }
  EXPECT_EQ(infer(kGood, "Inference-Header-Content-Length: many\r\n").status, 400);
  EXPECT_EQ(infer("PNG", "Content-Type: image/png\r\n").status, 400);
  EXPECT_EQ(infer("", "Content-Type: image/png\r\n").status, 400);
  EXPECT_EQ(infer(kGood).status, 200);
}

TEST_F(InferenceTest, statistics_count_what_was_answered) {
  deploy();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(infer(kGood).status, 200);
  for (const char* path : {"/v2/models/scale/stats", "/v2/models/scale/versions/1/stats", "/v2/models/stats"}) {
    const Json found = json(get(path));
    const Json& stats = found["model_stats"].array().at(0);
    EXPECT_EQ(stats["name"].string(), "scale") << path;
    EXPECT_EQ(stats["inference_count"].integer(), 3) << path;
    EXPECT_EQ(stats["inference_stats"]["success"]["count"].integer(), 3) << path;
    EXPECT_GT(stats["inference_stats"]["compute_infer"]["ns"].integer().value_or(0), 0) << path;
  }
}

TEST_F(InferenceTest, the_repository_lists_starts_and_stops_deployments) {
  deploy();
  EXPECT_EQ(post("/v2/repository/index", "{}").body, R"([{"name":"scale","version":"1","state":"READY","reason":""}])");
  EXPECT_EQ(post("/v2/repository/models/scale/unload", "{}").status, 200);
  wait_until([this] { return get("/v2/models/scale/ready").status != 200; });
  EXPECT_EQ(json(post("/v2/repository/index", "")).array().at(0)["state"].string(), "UNAVAILABLE");
  EXPECT_EQ(post("/v2/repository/index", R"({"ready":true})").body, "[]");
  EXPECT_EQ(infer(kGood).status, 503);
  EXPECT_EQ(post("/v2/repository/models/scale/load", "{}").status, 200);
  wait_until([this] { return get("/v2/models/scale/ready").status == 200; });
  EXPECT_EQ(infer(kGood).status, 200);

  EXPECT_EQ(post("/v2/repository/models/sacle/load", "{}").status, 404);
  EXPECT_EQ(post("/v2/repository/index", "no JSON").status, 400);
  const Answer refused = post("/v2/repository/models/scale/load", R"({"parameters":{"config":"{}"}})");
  EXPECT_EQ(refused.status, 501);
  EXPECT_NE(error(refused).find("'config' cannot be loaded from a request"), std::string::npos);
}

TEST(InferenceErrors, carry_the_protocols_form_and_say_when_to_try_again) {
  const http::Response busy = oip::error_response({ErrorCode::busy, "the queue is \"full\""});
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.body, R"({"error":"the queue is \"full\""})");
  EXPECT_EQ(busy.headers.get("Retry-After"), "1");
  EXPECT_EQ(oip::error_response({ErrorCode::failed_precondition, "x"}).status, 400);
  EXPECT_EQ(oip::error_response({ErrorCode::already_exists, "x"}).status, 400);
  EXPECT_EQ(oip::error_response({ErrorCode::not_found, "x"}).status, 404);
  EXPECT_EQ(oip::error_response({ErrorCode::too_large, "x"}).status, 413);
  EXPECT_FALSE(oip::error_response({ErrorCode::not_found, "x"}).headers.has("Retry-After"));
}

}  // namespace
}  // namespace slipway::api
