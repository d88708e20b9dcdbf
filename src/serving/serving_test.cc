#include "serving/serving.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <thread>

#include "base/file.h"
#include "inference/onnx_writer.h"

namespace slipway::serving {
namespace {

using namespace std::chrono_literals;
namespace onnx = inference::onnx;

/// Versions of one model as files, and one alias.
class FakeModels : public ModelSource {
 public:
  explicit FakeModels(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(std::int64_t version, const std::string& onnx, Json preprocess = {}, std::vector<std::string> labels = {}) {
    const auto file = folder_ / (std::to_string(version) + ".onnx");
    EXPECT_TRUE(write_file_atomic(file, onnx).ok());
    versions_.lock()->emplace(version, ServedModel{file, preprocess, labels});
  }
  void point(std::int64_t version) { alias_ = version; }

  Result<std::int64_t> version(const ProjectId&, const Reference& reference) override {
    const std::int64_t version = reference.version ? reference.version : alias_.load();
    if (reference.name != "scale" || !versions_.lock()->contains(version))
      return Error{ErrorCode::not_found, "there is no " + render(reference)};
    return version;
  }
  Result<ServedModel> fetch(const ProjectId&, const std::string&, std::int64_t version) override {
    return versions_.lock()->at(version);
  }

 private:
  const std::filesystem::path folder_;
  std::atomic<std::int64_t> alias_{1};
  Guarded<std::map<std::int64_t, ServedModel>> versions_;
};

struct FakePredictions : PredictionSink {
  Guarded<std::vector<PredictionServed>> all;
  void served(PredictionServed&& prediction) override { all.lock()->push_back(std::move(prediction)); }
};

std::string float_bytes(std::vector<float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}
float first_float(const inference::Tensor& tensor) {
  float value;
  std::memcpy(&value, tensor.bytes.data(), sizeof value);
  return value;
}

class ServingTest : public ::testing::Test {
 protected:
  ServingTest() : models_(folder_.path()) {
    models_.add(1, onnx::scaling_model(2, 10));
    models_.add(2, onnx::scaling_model(2, 20));
    catalog::DatabaseOptions options;
    options.url = "sqlite:" + (folder_.path() / "slipway.db").string();
    database_ = catalog::Database::open(options, catalog::schema(), counters_).value();
    open();
  }

  void open() {
    serving_.reset();
    ServingOptions options;
    options.queue_requests_max = 8;
    serving_ = Serving::open(*database_, models_, system_clock(), counters_, nullptr, &predictions_, options).value();
  }

  Result<Deployment> deploy(DeploymentSpec spec) { return serving_->create(kDefaultProject, spec, "ada"); }
  DeploymentSpec spec(const char* model = "model:scale@production") {
    DeploymentSpec made;
    made.name = "scale";
    made.model = parse_reference(model).value();
    return made;
  }

  template <typename Ready>
  Deployment wait_for(Ready ready, const char* name = "scale") {
    for (int i = 0; i < 600; ++i) {
      auto deployment = serving_->get(kDefaultProject, name);
      if (deployment.ok() && ready(*deployment)) return *deployment;
      std::this_thread::sleep_for(50ms);
    }
    ADD_FAILURE() << "waited 30 s in vain; state " << serving::name(serving_->get(kDefaultProject, name)->state) << " "
                  << serving_->get(kDefaultProject, name)->message;
    return {};
  }
  Deployment wait_ready(int replicas = 1) {
    return wait_for(
        [&](const Deployment& d) { return d.state == DeploymentState::ready && d.replicas_ready >= replicas; });
  }

  static inference::InferRequest request(float value, std::int64_t rows = 1) {
    inference::InferRequest made;
    made.inputs.push_back(
        inference::Tensor::owning("x", inference::DataType::fp32, {rows, 2},
                                  float_bytes(std::vector<float>(static_cast<size_t>(2 * rows), value))));
    return made;
  }
  std::future<Result<inference::InferResponse>> ask_later(inference::InferRequest asked) {
    auto promise = std::make_shared<std::promise<Result<inference::InferResponse>>>();
    auto target = serving_->target(kDefaultProject, "scale");
    if (!target.ok()) {
      promise->set_value(target.error());
    } else {
      serving_->infer(*target, std::move(asked), {},
                      [promise](const inference::InferRequest&, Result<inference::InferResponse> response) {
                        promise->set_value(std::move(response));
                      });
    }
    return promise->get_future();
  }
  Result<inference::InferResponse> ask(inference::InferRequest asked) { return ask_later(std::move(asked)).get(); }

  TemporaryDirectory folder_;
  Counters counters_;
  FakeModels models_;
  FakePredictions predictions_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<Serving> serving_;
};

TEST_F(ServingTest, a_deployment_answers_once_it_is_ready_and_the_answer_names_its_revision) {
  ASSERT_TRUE(deploy(spec()).ok());
  const Deployment ready = wait_ready();
  EXPECT_EQ(ready.version, 1);
  ASSERT_EQ(ready.revisions.size(), 1u);
  EXPECT_EQ(ready.revisions[0].state, RevisionState::active);
  EXPECT_EQ(ready.revisions[0].member, "ada");
  const auto response = ask(request(3));
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(first_float(response->outputs[0]), 30);
  EXPECT_EQ(response->model_version, "1");
  const auto origin = serving_->origin(response->answer);
  ASSERT_TRUE(origin.ok()) << origin.error().message;
  EXPECT_EQ(origin->revision.id, ready.revisions[0].id);
  EXPECT_EQ(origin->deployment_name, "scale");
  for (int i = 0; i < 100 && predictions_.all.lock()->empty(); ++i) std::this_thread::sleep_for(10ms);
  ASSERT_EQ(predictions_.all.lock()->size(), 1u);
  EXPECT_EQ(predictions_.all.lock()->at(0).answer, response->answer);
  EXPECT_EQ(predictions_.all.lock()->at(0).statistics.input_mean, 3);
}

TEST_F(ServingTest, bad_specifications_and_unknown_models_are_refused_and_leave_nothing) {
  DeploymentSpec bad = spec();
  bad.name = "../scale";
  EXPECT_EQ(deploy(bad).error().code, ErrorCode::invalid_argument);
  bad = spec();
  bad.replicas_min = 3;
  EXPECT_EQ(deploy(bad).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(deploy(spec("model:other@production")).error().code, ErrorCode::not_found);
  EXPECT_TRUE(serving_->list(kDefaultProject)->empty());
  ASSERT_TRUE(deploy(spec()).ok());
  EXPECT_EQ(deploy(spec()).error().code, ErrorCode::already_exists);
  EXPECT_EQ(serving_->target(kDefaultProject, "scael").error().message,
            "Request for unknown model: 'scael' is not found");
}

TEST_F(ServingTest, a_wrong_tensor_is_refused_before_it_reaches_a_worker) {
  ASSERT_TRUE(deploy(spec()).ok());
  wait_ready();
  auto wrong = request(1);
  wrong.inputs[0].name = "y";
  EXPECT_EQ(ask(std::move(wrong)).error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(serving_->figures(kDefaultProject, "scale")->empty() ||
              serving_->figures(kDefaultProject, "scale")->at(0).execution_count == 0);
}

TEST_F(ServingTest, a_corrupt_model_fails_with_the_reason_and_the_old_version_goes_on) {
  models_.add(3, "no model at all");
  ASSERT_TRUE(deploy(spec()).ok());
  wait_ready();
  models_.point(3);
  serving_->poke();
  const Deployment degraded = wait_for([](const Deployment& d) { return d.state == DeploymentState::degraded; });
  EXPECT_NE(degraded.message.find("3.onnx"), std::string::npos) << degraded.message;
  EXPECT_EQ(degraded.revisions[0].state, RevisionState::failed);
  EXPECT_EQ(first_float(ask(request(1))->outputs[0]), 10);
  // Back to a good one.
  models_.point(2);
  serving_->poke();
  wait_for([](const Deployment& d) { return d.state == DeploymentState::ready && d.version == 2; });
  EXPECT_EQ(first_float(ask(request(1))->outputs[0]), 20);
}

TEST_F(ServingTest, a_moved_alias_switches_the_version_without_a_failed_request) {
  ASSERT_TRUE(deploy(spec()).ok());
  wait_ready();
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0}, failed{0}, by_two{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      while (!stop) {
        const auto response = ask(request(1));
        if (!response.ok()) {
          ++failed;
          ADD_FAILURE() << response.error().message;
          continue;
        }
        ++answered;
        const float value = first_float(response->outputs[0]);
        EXPECT_EQ(value, response->model_version == "1" ? 10 : 20);
        by_two += value == 20;
      }
    });
  }
  for (const std::int64_t version : {2, 1, 2}) {
    models_.point(version);
    serving_->poke();
    wait_for([&](const Deployment& d) { return d.version == version; });
    std::this_thread::sleep_for(50ms);
  }
  stop = true;
  for (auto& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(answered, by_two);
  EXPECT_GT(by_two, 0);
  const Deployment after = *serving_->get(kDefaultProject, "scale");
  ASSERT_EQ(after.revisions.size(), 4u);
  EXPECT_EQ(after.revisions[0].reason, "alias production");
  EXPECT_EQ(after.revisions[1].state, RevisionState::retired);
}

TEST_F(ServingTest, a_killed_worker_comes_back_and_takes_down_only_itself) {
  DeploymentSpec two = spec();
  two.replicas_min = two.replicas_max = 2;
  ASSERT_TRUE(deploy(two).ok());
  const Deployment before = wait_ready(2);
  ASSERT_EQ(before.replicas.size(), 2u);
  ::kill(before.replicas[0].pid, SIGKILL);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(ask(request(1)).ok() || i == 0);
  const Deployment after = wait_for([&](const Deployment& d) {
    return d.replicas_ready == 2 &&
           std::ranges::none_of(d.replicas, [&](const ReplicaView& r) { return r.pid == before.replicas[0].pid; });
  });
  EXPECT_TRUE(
      std::ranges::any_of(after.replicas, [&](const ReplicaView& r) { return r.pid == before.replicas[1].pid; }));
}

TEST_F(ServingTest, a_worker_that_dies_fails_what_it_ran_and_what_waited_is_answered_by_the_next) {
  ASSERT_TRUE(deploy(spec()).ok());
  const Deployment ready = wait_ready();
  ::kill(ready.replicas[0].pid, SIGSTOP);
  std::vector<std::future<Result<inference::InferResponse>>> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(ask_later(request(static_cast<float>(i))));
  ::kill(ready.replicas[0].pid, SIGKILL);
  EXPECT_EQ(answers[0].get().error().code, ErrorCode::unavailable);
  for (size_t i = 1; i < answers.size(); ++i) {
    const auto answer = answers[i].get();
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(first_float(answer->outputs[0]), 10 * static_cast<float>(i));
  }
}

TEST_F(ServingTest, a_full_queue_says_busy) {
  ASSERT_TRUE(deploy(spec()).ok());
  const Deployment ready = wait_ready();
  ::kill(ready.replicas[0].pid, SIGSTOP);
  std::vector<std::future<Result<inference::InferResponse>>> answers;
  for (int i = 0; i < inference::kSlots + 8; ++i) answers.push_back(ask_later(request(1)));
  EXPECT_EQ(ask(request(1)).error().code, ErrorCode::busy);
  ::kill(ready.replicas[0].pid, SIGCONT);
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
}

TEST_F(ServingTest, requests_that_wait_too_long_are_told_so) {
  ASSERT_TRUE(deploy(spec()).ok());
  const Deployment ready = wait_ready();
  ::kill(ready.replicas[0].pid, SIGSTOP);
  std::vector<std::future<Result<inference::InferResponse>>> answers;
  for (int i = 0; i < inference::kSlots; ++i) answers.push_back(ask_later(request(1)));
  auto hasty = request(1);
  hasty.timeout_us = 1000;
  EXPECT_EQ(ask(std::move(hasty)).error().code, ErrorCode::timed_out);
  ::kill(ready.replicas[0].pid, SIGCONT);
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
}

TEST_F(ServingTest, waiting_requests_become_one_run_and_each_gets_its_own_rows) {
  DeploymentSpec batched = spec();
  batched.batch_max = 8;
  ASSERT_TRUE(deploy(batched).ok());
  const Deployment ready = wait_ready();
  ::kill(ready.replicas[0].pid, SIGSTOP);
  std::vector<std::future<Result<inference::InferResponse>>> answers;
  for (int i = 0; i < 7; ++i) answers.push_back(ask_later(request(static_cast<float>(i), 1 + i % 3)));
  ::kill(ready.replicas[0].pid, SIGCONT);
  for (int i = 0; i < 7; ++i) {
    const auto answer = answers[static_cast<size_t>(i)].get();
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->outputs[0].shape, (inference::Shape{1 + i % 3, 2}));
    EXPECT_EQ(first_float(answer->outputs[0]), 10 * static_cast<float>(i));
    EXPECT_EQ(answer->statistics.input_mean, i);
  }
  const auto figures = serving_->figures(kDefaultProject, "scale");
  ASSERT_EQ(figures->size(), 1u);
  EXPECT_EQ(figures->at(0).success.count, 7u);
  EXPECT_LT(figures->at(0).execution_count, 7u);
}

TEST_F(ServingTest, deployments_come_back_after_a_restart_with_the_revision_they_had) {
  ASSERT_TRUE(deploy(spec()).ok());
  const Deployment before = wait_ready();
  open();
  const Deployment after = wait_ready();
  ASSERT_EQ(after.revisions.size(), 1u);
  EXPECT_EQ(after.revisions[0].id, before.revisions[0].id);
  EXPECT_TRUE(ask(request(1)).ok());
  // Workers end with the server.
  for (int i = 0; i < 100 && ::kill(before.replicas[0].pid, 0) == 0; ++i) std::this_thread::sleep_for(20ms);
  EXPECT_NE(::kill(before.replicas[0].pid, 0), 0);
}

TEST_F(ServingTest, a_stopped_deployment_starts_again_and_a_deleted_one_frees_its_name) {
  ASSERT_TRUE(deploy(spec()).ok());
  wait_ready();
  const AnswerId answer = ask(request(1))->answer;
  DeploymentChange stop;
  stop.running = false;
  ASSERT_TRUE(serving_->update(kDefaultProject, "scale", stop, "ada").ok());
  wait_for([](const Deployment& d) { return d.state == DeploymentState::stopped && d.replicas.empty(); });
  EXPECT_EQ(ask(request(1)).error().code, ErrorCode::unavailable);
  stop.running = true;
  ASSERT_TRUE(serving_->update(kDefaultProject, "scale", stop, "ada").ok());
  wait_ready();
  ASSERT_TRUE(serving_->remove(kDefaultProject, "scale").ok());
  EXPECT_EQ(serving_->get(kDefaultProject, "scale").error().code, ErrorCode::not_found);
  ASSERT_TRUE(deploy(spec("model:scale/2")).ok());
  EXPECT_EQ(wait_ready().version, 2);
  EXPECT_EQ(serving_->origin(answer)->revision.version, 1);
}

TEST_F(ServingTest, a_restart_makes_fresh_workers_without_a_gap) {
  ASSERT_TRUE(deploy(spec()).ok());
  const Deployment before = wait_ready();
  ASSERT_TRUE(serving_->restart(kDefaultProject, "scale", "bob").ok());
  const Deployment after =
      wait_for([](const Deployment& d) { return d.revisions.size() == 2 && d.state == DeploymentState::ready; });
  EXPECT_EQ(after.revisions[0].member, "bob");
  EXPECT_TRUE(
      std::ranges::any_of(after.replicas, [&](const ReplicaView& r) { return r.pid != before.replicas[0].pid; }));
}

TEST_F(ServingTest, a_deployment_that_may_have_no_replica_starts_one_for_the_first_request) {
  DeploymentSpec empty = spec();
  empty.replicas_min = 0;
  ASSERT_TRUE(deploy(empty).ok());
  const Deployment ready = wait_ready();
  ::kill(ready.replicas[0].pid, SIGKILL);
  wait_for([](const Deployment& d) { return d.replicas.empty(); });
  EXPECT_TRUE(ask(request(1)).ok());
}

}  // namespace
}  // namespace slipway::serving
