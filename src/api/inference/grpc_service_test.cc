// The service as its calls see it: messages in, messages out, through the real gate and with a real worker.
#include "api/inference/grpc_service.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "api/gate.h"
#include "api/inference/fixture.h"
#include "api/inference/grpc_messages.h"

namespace slipway::api::oip {
namespace {

using namespace std::chrono_literals;
using ::inference::ModelInferRequest;
using ::inference::ModelInferResponse;

constexpr unsigned kOwner = 1000, kStranger = 1001;
constexpr char kPath[] = "/inference.GRPCInferenceService/";

/// A call whose client has sent its messages already.
class FakeCall : public GrpcCall {
 public:
  FakeCall(GrpcHead head, std::deque<std::string> messages) : head_(std::move(head)), messages_(std::move(messages)) {}

  const GrpcHead& head() const override { return head_; }
  void read(std::function<void(std::optional<std::string>)> done) override {
    std::optional<std::string> message;
    {
      const std::lock_guard lock(mutex_);
      if (!messages_.empty()) {
        message = std::move(messages_.front());
        messages_.pop_front();
      }
    }
    done(std::move(message));
  }
  void write(std::string message, std::function<void(bool)> done) override {
    {
      const std::lock_guard lock(mutex_);
      written.push_back(std::move(message));
    }
    done(true);
  }
  void answer(std::string message) override {
    write(std::move(message), [](bool) {});
    finish(GrpcCode::ok, "");
  }
  void finish(GrpcCode ended, std::string words) override {
    const std::lock_guard lock(mutex_);
    if (code) return;
    code = ended;
    sentence = std::move(words);
    finished_.notify_all();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(finished_.wait_for(lock, 30s, [this] { return code.has_value(); })) << head_.method << " never ends";
  }

  std::deque<std::string> written;
  std::optional<GrpcCode> code;
  std::string sentence;

 private:
  const GrpcHead head_;
  std::deque<std::string> messages_;
  std::mutex mutex_;
  std::condition_variable finished_;
};

/// Keeps what the monitor would be told.
class Sink : public PredictionSink {
 public:
  void served(PredictionServed&& prediction) override { all.lock()->push_back(std::move(prediction)); }
  Guarded<std::vector<PredictionServed>> all{std::vector<PredictionServed>()};
};

std::string floats(std::vector<float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// A request of one row for `scale`, its tensor raw.
ModelInferRequest good() {
  ModelInferRequest request;
  request.set_model_name("scale");
  request.set_id("7");
  auto& input = *request.add_inputs();
  input.set_name("x");
  input.set_datatype("FP32");
  input.add_shape(1);
  input.add_shape(2);
  request.add_raw_input_contents(floats({1, 2}));
  return request;
}

/// The same, its tensor as contents.
ModelInferRequest good_typed() {
  ModelInferRequest request = good();
  request.clear_raw_input_contents();
  for (const float value : {1.f, 2.f}) request.mutable_inputs(0)->mutable_contents()->add_fp32_contents(value);
  return request;
}

class GrpcServiceTest : public testing::Test {
 protected:
  GrpcServiceTest() : model_(folder_.path()) {
    database_ = catalog::Database::open({.url = "sqlite:" + (folder_.path() / "slipway.db").string()},
                                        catalog::schema(), counters_)
                    .value();
    teams_ = teams::Teams::open(*database_, system_clock(), "ada").value();
    serving_ = serving::Serving::open(*database_, model_, system_clock(), counters_, nullptr, &sink_).value();
    service_ = std::make_unique<GrpcService>(
        make_gate(*teams_, {.owner_uid = kOwner}), [this](const GrpcHead&) { return peer_; }, *serving_, pool_,
        counters_);
  }

  void deploy() {
    serving::DeploymentSpec spec;
    spec.name = "scale";
    spec.model = parse_reference("model:scale/1").value();
    spec.batch_max = 8;
    ASSERT_TRUE(serving_->create(kDefaultProject, spec, "ada").ok());
    wait_until([this] { return serving_->target(kDefaultProject, "scale").ok(); });
  }

  std::shared_ptr<FakeCall> call(const std::string& method, std::deque<std::string> messages) {
    GrpcHead head = head_;
    head.method = kPath + method;
    auto call = std::make_shared<FakeCall>(head, std::move(messages));
    service_->take(call);
    call->wait();
    return call;
  }
  std::shared_ptr<FakeCall> infer(const ModelInferRequest& request) {
    return call("ModelInfer", {request.SerializeAsString()});
  }
  template <typename Answer>
  Answer ask(const std::string& method, const google::protobuf::Message& message) {
    const auto asked = call(method, {message.SerializeAsString()});
    EXPECT_EQ(asked->code, GrpcCode::ok) << method << ": " << asked->sentence;
    Answer answer;
    EXPECT_TRUE(asked->written.size() == 1 && answer.ParseFromString(asked->written[0])) << method;
    return answer;
  }
  ModelInferResponse answer_of(const ModelInferRequest& request) {
    return ask<ModelInferResponse>("ModelInfer", request);
  }
  void expect_refused(const ModelInferRequest& request, GrpcCode code, const std::string& part) {
    const auto refused = infer(request);
    EXPECT_EQ(refused->code, code) << part << " <- " << refused->sentence;
    EXPECT_NE(refused->sentence.find(part), std::string::npos) << part << " <- " << refused->sentence;
  }
  GrpcCode code(const std::string& method) { return *call(method, {""})->code; }

  TemporaryDirectory folder_;
  Counters counters_;
  OneModel model_;
  Sink sink_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<teams::Teams> teams_;
  std::unique_ptr<serving::Serving> serving_;
  ThreadPool pool_{"blocking", 2, 64, counters_};
  std::unique_ptr<GrpcService> service_;
  // The user who runs the server, on its own machine.
  http::Peer peer_{.address = "127.0.0.1", .loopback = true, .uid = kOwner};
  GrpcHead head_{.authority = "localhost:8001"};
};

TEST_F(GrpcServiceTest, the_server_and_its_models_describe_themselves) {
  deploy();
  EXPECT_TRUE(ask<::inference::ServerLiveResponse>("ServerLive", ::inference::ServerLiveRequest()).live());
  EXPECT_TRUE(ask<::inference::ServerReadyResponse>("ServerReady", ::inference::ServerReadyRequest()).ready());
  const auto server = ask<::inference::ServerMetadataResponse>("ServerMetadata", ::inference::ServerMetadataRequest());
  EXPECT_EQ(server.name(), "slipway");
  EXPECT_GT(server.extensions_size(), 3);

  ::inference::ModelMetadataRequest named;
  named.set_name("scale");
  const auto model = ask<::inference::ModelMetadataResponse>("ModelMetadata", named);
  EXPECT_EQ(model.versions(0), "1");
  EXPECT_EQ(model.inputs(0).name(), "x");
  EXPECT_EQ(model.inputs(0).shape(0), -1);
  EXPECT_EQ(model.outputs(0).datatype(), "FP32");

  ::inference::ModelConfigRequest configured;
  configured.set_name("scale");
  configured.set_version("1");
  const auto config = ask<::inference::ModelConfigResponse>("ModelConfig", configured).config();
  EXPECT_EQ(config.input(0).data_type(), ::inference::TYPE_FP32);
  EXPECT_EQ(config.input(0).dims_size(), 1) << "the batch's dimension is understood";
  EXPECT_GT(config.max_batch_size(), 1);
  EXPECT_EQ(config.dynamic_batching().preferred_batch_size(0), 8);
  EXPECT_EQ(config.version_policy().specific().versions(0), 1);
}

TEST_F(GrpcServiceTest, a_model_is_ready_or_not_and_a_missing_one_is_not) {
  ::inference::ModelReadyRequest asked;
  asked.set_name("scale");
  EXPECT_FALSE(ask<::inference::ModelReadyResponse>("ModelReady", asked).ready());
  deploy();
  EXPECT_TRUE(ask<::inference::ModelReadyResponse>("ModelReady", asked).ready());
  asked.set_version("2");
  EXPECT_FALSE(ask<::inference::ModelReadyResponse>("ModelReady", asked).ready());
  asked.set_version("two");
  EXPECT_EQ(call("ModelReady", {asked.SerializeAsString()})->code, GrpcCode::invalid_argument);
}

TEST_F(GrpcServiceTest, raw_and_typed_tensors_give_the_same_answer_with_the_requests_id_and_the_answers_own) {
  deploy();
  for (const ModelInferRequest& request : {good(), good_typed()}) {
    const ModelInferResponse answer = answer_of(request);
    EXPECT_EQ(answer.model_name(), "scale");
    EXPECT_EQ(answer.model_version(), "1");
    EXPECT_EQ(answer.id(), "7");
    EXPECT_EQ(answer.outputs(0).name(), "y");
    EXPECT_EQ(answer.outputs(0).shape(1), 2);
    EXPECT_EQ(answer.raw_output_contents(0), floats({10, 20}));
    EXPECT_FALSE(answer.parameters().at("slipway_answer_id").string_param().empty());
  }
}

TEST_F(GrpcServiceTest, an_answer_that_is_too_large_for_the_answering_thread_comes_whole) {
  deploy();
  ModelInferRequest request = good();
  const std::vector<float> values(2'000'000, 0.5f);
  request.mutable_inputs(0)->set_shape(0, 1'000'000);
  request.set_raw_input_contents(0, floats(values));
  EXPECT_EQ(answer_of(request).raw_output_contents(0), floats(std::vector<float>(2'000'000, 5.f)));
}

TEST_F(GrpcServiceTest, outputs_are_classified_where_that_is_wanted) {
  deploy();
  ModelInferRequest request = good();
  auto& output = *request.add_outputs();
  output.set_name("y");
  (*output.mutable_parameters())["classification"].set_int64_param(1);
  const ModelInferResponse answer = answer_of(request);
  EXPECT_EQ(answer.outputs(0).datatype(), "BYTES");
  EXPECT_EQ(answer.raw_output_contents(0), std::string("\4\0\0\0", 4) + "20:1");
}

TEST_F(GrpcServiceTest, wrong_requests_get_a_code_and_a_sentence_and_the_server_lives_on) {
  deploy();
  const auto with = [](const std::function<void(ModelInferRequest&)>& change) {
    ModelInferRequest request = good();
    change(request);
    return request;
  };
  const auto wrong = [&](const std::function<void(ModelInferRequest&)>& change, const std::string& part,
                         GrpcCode code = GrpcCode::invalid_argument) { expect_refused(with(change), code, part); };
  wrong([](auto& r) { r.set_model_name("sacle"); }, "Request for unknown model: 'sacle' is not found",
        GrpcCode::not_found);
  wrong([](auto& r) { r.set_model_version("7"); }, "version 7 is not found", GrpcCode::not_found);
  wrong([](auto& r) { r.set_model_version("one"); }, "found 'one'");
  wrong([](auto& r) { r.mutable_inputs(0)->set_name("xx"); }, "did you mean 'x'?");
  wrong([](auto& r) { r.mutable_inputs(0)->set_name(""); }, "needs a 'name'");
  wrong([](auto& r) { r.mutable_inputs(0)->set_datatype("INT64"); }, "has datatype INT64; the model expects FP32");
  wrong([](auto& r) { r.mutable_inputs(0)->set_datatype("FLOAT"); }, "the unknown datatype 'FLOAT'");
  wrong([](auto& r) { r.mutable_inputs(0)->set_shape(1, 3); }, "has shape [1,3]; the model expects [-1,2]");
  wrong([](auto& r) { r.mutable_inputs(0)->set_shape(0, 2); }, "carries 8 bytes");
  wrong([](auto& r) { r.mutable_inputs(0)->set_shape(0, -1); }, "holds something that is no size");
  wrong([](auto& r) { r.clear_raw_input_contents(); }, "carries 0 bytes");
  wrong([](auto& r) { r.add_raw_input_contents("more"); }, "1 inputs and 2 raw_input_contents");
  wrong([](auto& r) { r.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); }, "send all tensors one way");
  wrong([](auto& r) { r.clear_inputs(), r.clear_raw_input_contents(); }, "has no 'inputs'");
  wrong([](auto& r) { r.add_outputs()->set_name("q"); }, "the model has no output 'q'");
  wrong([](auto& r) { (*r.mutable_parameters())["sequence_id"].set_int64_param(5); }, "keeps no state",
        GrpcCode::unimplemented);
  wrong([](auto& r) { (*r.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("a"); },
        "1 raw_input_contents");
  wrong(
      [](auto& r) {
        (*r.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("a");
        r.clear_raw_input_contents();
      },
      "uses shared memory", GrpcCode::unimplemented);

  EXPECT_EQ(call("ModelInfer", {"no message at all"})->code, GrpcCode::invalid_argument);
  EXPECT_EQ(call("ModelInfer", {})->code, GrpcCode::invalid_argument) << "the client went away before it had asked";
  EXPECT_EQ(answer_of(good()).raw_output_contents(0), floats({10, 20}));
}

TEST_F(GrpcServiceTest, a_stream_answers_in_order_and_goes_on_after_a_wrong_request) {
  deploy();
  ModelInferRequest second = good(), third = good();
  second.mutable_inputs(0)->set_name("xx");
  third.set_id("9");
  const auto stream = call("ModelStreamInfer", {good().SerializeAsString(), second.SerializeAsString(), "nonsense",
                                                third.SerializeAsString()});
  EXPECT_EQ(stream->code, GrpcCode::ok);
  ASSERT_EQ(stream->written.size(), 4u);
  std::vector<::inference::ModelStreamInferResponse> answers(4);
  for (size_t i = 0; i < answers.size(); ++i) EXPECT_TRUE(answers[i].ParseFromString(stream->written[i]));
  EXPECT_EQ(answers[0].infer_response().id(), "7");
  EXPECT_NE(answers[1].error_message().find("did you mean 'x'?"), std::string::npos);
  EXPECT_NE(answers[2].error_message().find("are no inference.ModelInferRequest"), std::string::npos);
  EXPECT_EQ(answers[3].infer_response().id(), "9");
  EXPECT_EQ(answers[3].error_message(), "");
}

TEST_F(GrpcServiceTest, statistics_and_the_index_are_those_of_http) {
  deploy();
  answer_of(good());
  ::inference::ModelStatisticsRequest asked;
  asked.set_name("scale");
  const auto statistics = ask<::inference::ModelStatisticsResponse>("ModelStatistics", asked);
  EXPECT_EQ(statistics.model_stats(0).inference_count(), 1u);
  EXPECT_EQ(statistics.model_stats(0).inference_stats().success().count(), 1u);
  EXPECT_GT(statistics.model_stats(0).inference_stats().compute_infer().ns(), 0u);
  asked.set_name("sacle");
  EXPECT_EQ(call("ModelStatistics", {asked.SerializeAsString()})->code, GrpcCode::not_found);
  const auto index =
      ask<::inference::RepositoryIndexResponse>("RepositoryIndex", ::inference::RepositoryIndexRequest());
  EXPECT_EQ(index.models(0).name(), "scale");
  EXPECT_EQ(index.models(0).state(), "READY");
}

TEST_F(GrpcServiceTest, what_is_not_offered_says_what_to_do_instead) {
  for (const auto& [method, part] : std::map<std::string, std::string>{{"RepositoryModelLoad", "over HTTP"},
                                                                       {"SystemSharedMemoryStatus", "send tensors"},
                                                                       {"LogSettings", "not changed from here"},
                                                                       {"Nothing", "inference.GRPCInferenceService"}}) {
    const auto refused = call(method, {""});
    EXPECT_EQ(refused->code, GrpcCode::unimplemented) << method;
    EXPECT_NE(refused->sentence.find(part), std::string::npos) << refused->sentence;
  }
}

TEST_F(GrpcServiceTest, the_gate_decides_as_over_http) {
  const std::string token = teams_->create_token(teams_->find_member("ada").value(), "t", std::nullopt)->secret;
  EXPECT_EQ(code("ServerLive"), GrpcCode::ok);
  peer_.uid = kStranger;
  EXPECT_EQ(code("ServerLive"), GrpcCode::unauthenticated);
  peer_.uid = std::nullopt;
  EXPECT_EQ(code("ServerLive"), GrpcCode::unauthenticated) << "nobody knows who it is";
  peer_ = {.address = "10.0.0.7"};
  EXPECT_EQ(code("ServerLive"), GrpcCode::unauthenticated);
  head_.authorization = "Bearer wrong";
  EXPECT_EQ(code("ServerLive"), GrpcCode::unauthenticated);
  EXPECT_NE(call("ServerLive", {""})->sentence.find("unknown, revoked or expired"), std::string::npos);
  head_.authorization = "Bearer " + token;
  EXPECT_EQ(code("ServerLive"), GrpcCode::ok);
  EXPECT_EQ(code("Nothing"), GrpcCode::unimplemented);

  peer_ = {.address = "127.0.0.1", .loopback = true, .uid = kOwner};
  head_.authority = "evil.example:8001";
  EXPECT_EQ(code("ServerLive"), GrpcCode::permission_denied);
}

TEST_F(GrpcServiceTest, a_call_is_about_the_project_that_its_metadata_names) {
  deploy();
  ASSERT_TRUE(teams_->create_project("lab", "").ok());
  head_.project = "lab";
  expect_refused(good(), GrpcCode::not_found, "Request for unknown model: 'scale' is not found");
  head_.project = "nowhere";
  expect_refused(good(), GrpcCode::not_found, "there is no project 'nowhere'");
  head_.project = "default";
  EXPECT_EQ(infer(good())->code, GrpcCode::ok);
}

TEST_F(GrpcServiceTest, a_captured_request_can_be_asked_again_as_one_that_came_over_http) {
  deploy();
  ModelInferRequest request = good_typed();
  (*request.mutable_parameters())["who"].set_string_param("a \"quoted\" name");
  (*request.mutable_parameters())["binary_data_output"].set_bool_param(false);
  request.add_outputs()->set_name("y");
  const ModelInferResponse answer = answer_of(request);
  auto kept = sink_.all.lock();
  ASSERT_EQ(kept->size(), 1u);
  const PredictionServed& served = kept->front();
  EXPECT_EQ(served.answer.text, answer.parameters().at("slipway_answer_id").string_param());
  EXPECT_EQ(served.media_type, "application/octet-stream");
  const auto again = ::slipway::inference::decode_request(served.request, served.request_json_bytes,
                                                          serving_->target(kDefaultProject, "scale")->signature());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->id, "7");
  EXPECT_EQ(again->inputs.at(0).bytes, floats({1, 2}));
  EXPECT_TRUE(again->outputs.at(0).binary);
}

TEST_F(GrpcServiceTest, too_many_calls_at_once_are_told_so_and_counted) {
  GrpcHead head = head_;
  head.method = std::string(kPath) + "ModelInfer";
  /// Its client never sends its message; whoever waits for it is kept, as the transport keeps it.
  struct Silent : FakeCall {
    using FakeCall::FakeCall;
    void read(std::function<void(std::optional<std::string>)> done) override { waiting = std::move(done); }
    std::function<void(std::optional<std::string>)> waiting;
  };
  std::vector<std::shared_ptr<Silent>> open;
  for (int i = 0; i < kGrpcCallsMax; ++i) {
    open.push_back(std::make_shared<Silent>(head, std::deque<std::string>()));
    service_->take(open.back());
    ASSERT_FALSE(open.back()->code) << open.back()->sentence;
  }
  EXPECT_EQ(code("ServerLive"), GrpcCode::unavailable);
  EXPECT_EQ(counters_.counter("grpc_calls_refused_total", "").value(), 1u);
  for (const auto& call : open) std::exchange(call->waiting, nullptr)(std::nullopt);
  EXPECT_EQ(code("ServerLive"), GrpcCode::ok);
}

TEST(GrpcCodes, are_one_for_each_of_ours) {
  EXPECT_EQ(grpc_code(ErrorCode::busy), GrpcCode::unavailable);
  EXPECT_EQ(grpc_code(ErrorCode::too_large), GrpcCode::resource_exhausted);
  EXPECT_EQ(grpc_code(ErrorCode::timed_out), GrpcCode::deadline_exceeded);
  EXPECT_EQ(grpc_code(ErrorCode::already_exists), GrpcCode::already_exists);
  EXPECT_EQ(grpc_code(ErrorCode::internal), GrpcCode::internal);
}

}  // namespace
}  // namespace slipway::api::oip
