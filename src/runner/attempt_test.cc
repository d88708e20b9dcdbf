#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>

#include "base/base.h"
#include "runner/cache.h"
#include "runner/fake_link.h"
#include "runner/output_metrics.h"
#include "runner/runner.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

class AttemptTest : public testing::Test {
 protected:
  AttemptTest() {
    ticket_.server = "http://127.0.0.1:1";
    ticket_.run = RunId("0123456789abcdef0123456789abcdef");
    ticket_.attempt = AttemptId("A1");
    ticket_.token = "sesame";
    ticket_.folder = node_.path();
    options_.heartbeat_interval = milliseconds(50);
    options_.sample_interval = milliseconds(100);
    options_.server_away_max = seconds(30);
  }

  RunSpec& spec(std::string command) {
    auto state = server_.state.lock();
    state->plan.spec.command = std::move(command);
    return state->plan.spec;
  }
  void code(const std::map<std::string, std::string>& files) {
    server_.state.lock()->plan.spec.snapshot = render(tree(files));
  }
  Hash tree(const std::map<std::string, std::string>& files) {
    Tree tree;
    for (const auto& [path, bytes] : files)
      tree.entries.push_back({path, server_.put(bytes), bytes.size(), TreeEntryKind::file});
    return server_.put(render(tree));
  }
  AttemptResult run() {
    FakeLink link(server_);
    return run_attempt(ticket_, link, std::make_unique<FakeLink>(server_), options_, system_clock());
  }
  std::string log() { return server_.state.lock()->log; }

  TemporaryDirectory node_{"slipway-node"};
  FakeServer server_;
  Ticket ticket_;
  RunnerOptions options_;
};

TEST_F(AttemptTest, runs_the_snapshot_with_parameters_and_contract_variables) {
  auto& s = spec(
      "cat greeting.txt; echo {name}; echo $SLIPWAY_RUN_ID $MLFLOW_RUN_ID $SLIPWAY_URL $MLFLOW_TRACKING_URI $SLIPWAY_TOKEN $MLFLOW_TRACKING_TOKEN $EXTRA");
  s.parameters = {{"name", "a 'b' $c"}};
  s.variables = {{"EXTRA", "more"}, {"SLIPWAY_RUN_ID", "forged"}};
  code({{"greeting.txt", "hello\n"}});
  const AttemptResult result = run();
  EXPECT_TRUE(result.ok()) << result.message;
  const std::string id = ticket_.run.text;
  EXPECT_EQ(log(), "hello\na 'b' $c\n" + id + " " + id + " http://127.0.0.1:1 http://127.0.0.1:1 sesame sesame more\n");
  auto state = server_.state.lock();
  ASSERT_TRUE(state->end.has_value());
  EXPECT_TRUE(state->end->ok());
  EXPECT_FALSE(state->documents["machine"]["hostname"].string().empty());
  EXPECT_FALSE(fs::exists(node_.path() / "attempts/A1"));
}

TEST_F(AttemptTest, every_variable_of_the_contract_is_set) {
  auto& s = spec(
      "env | grep -E '^(SLIPWAY|MLFLOW)_' | sort; pwd; ls -d $SLIPWAY_INPUTS $SLIPWAY_OUTPUTS $SLIPWAY_CHECKPOINTS >/dev/null && echo all there");
  s.variables = {{"SLIPWAY_CHECKPOINTS", "/forged"}, {"MLFLOW_TRACKING_URI", "http://elsewhere"}};
  server_.state.lock()->plan.variables = {{"SLIPWAY_PROJECT", "p"}, {"SLIPWAY_ATTEMPT", "1"}};
  ::setenv("MLFLOW_EXPERIMENT_NAME", "of another run", 1);
  EXPECT_TRUE(run().ok()) << log();
  ::unsetenv("MLFLOW_EXPERIMENT_NAME");
  const std::string id = ticket_.run.text, node = node_.path().string(), here = node + "/attempts/A1";
  EXPECT_EQ(
      log(),
      "MLFLOW_RUN_ID=" + id +
          "\nMLFLOW_TRACKING_TOKEN=sesame\nMLFLOW_TRACKING_URI=http://127.0.0.1:1\nSLIPWAY_ATTEMPT=1\nSLIPWAY_ATTEMPT_ID=A1\n"
          "SLIPWAY_CHECKPOINTS=" +
          node + "/checkpoints/" + id + "\nSLIPWAY_INPUTS=" + here + "/inputs\nSLIPWAY_OUTPUTS=" + here +
          "/outputs\n"
          "SLIPWAY_PROJECT=p\nSLIPWAY_RUN_ID=" +
          id + "\nSLIPWAY_TOKEN=sesame\nSLIPWAY_URL=http://127.0.0.1:1\n" + here + "/code\nall there\n");
}

TEST_F(AttemptTest, the_next_attempt_goes_on_from_the_checkpoints) {
  spec(
      "cat $SLIPWAY_CHECKPOINTS/* 2>/dev/null; echo epoch 3 > $SLIPWAY_CHECKPOINTS/last; [ $SLIPWAY_ATTEMPT_ID = A2 ]");
  EXPECT_FALSE(run().ok());
  EXPECT_EQ(log(), "slipway: the command ended with exit code 1\n");
  ticket_.attempt = AttemptId("A2");
  server_.state.lock()->log.clear();
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(log(), "epoch 3\n");
  EXPECT_FALSE(fs::exists(node_.path() / "checkpoints" / ticket_.run.text)) << "nobody needs them any more";
}

TEST_F(AttemptTest, who_holds_the_limits_is_recorded) {
  auto& s = spec("true");
  s.resources.memory_bytes = 1 << 30;
  s.resources.cpus = 2;
  EXPECT_TRUE(run().ok()) << log();
  const Json machine = server_.state.lock()->documents["machine"];
  EXPECT_EQ(machine["memory_limit_bytes"].integer(), 1 << 30);
  EXPECT_TRUE(machine["memory_limit_by"].string() == "control group" ||
              machine["memory_limit_by"].string() == "runner, every few seconds")
      << machine.render();
  EXPECT_EQ(machine["cpus_asked"].number(), 2);
  ticket_.attempt = AttemptId("A2");
  spec("true").resources.memory_bytes = 0;
  EXPECT_TRUE(run().ok());
  EXPECT_TRUE(server_.state.lock()->documents["machine"]["memory_limit_by"].is_null());
}

TEST_F(AttemptTest, a_step_that_takes_more_memory_than_it_asked_for_is_killed) {
  spec("exec python3 -c 'x = bytearray(300_000_000)\nimport time; time.sleep(60)'").resources.memory_bytes = 100 << 20;
  const AttemptResult result = run();
  EXPECT_EQ(result.end, AttemptEnd::signalled);
  EXPECT_NE(result.message.find("of memory"), std::string::npos) << result.message;
  EXPECT_NE(log().find("its step asks for"), std::string::npos) << log();
}

TEST_F(AttemptTest, links_in_an_output_become_the_files_they_lead_to_or_are_left_out) {
  auto& s = spec(
      "cd $SLIPWAY_OUTPUTS && mkdir all && cd all && echo three > epoch-3.pt && ln -s epoch-3.pt best.pt && ln -s /etc/passwd outside && ln -s ../../code up && ln -s gone dangling");
  s.outputs = {{"all", {}}};
  EXPECT_TRUE(run().ok()) << log();
  auto state = server_.state.lock();
  const auto tree = parse_tree(state->blobs[state->outputs.at(0).hash]);
  ASSERT_TRUE(tree.ok());
  ASSERT_EQ(tree->entries.size(), 2u);
  EXPECT_EQ(tree->find("best.pt")->kind, TreeEntryKind::file);
  EXPECT_EQ(tree->find("best.pt")->hash, hash_of("three\n"));
  for (const char* left : {"dangling", "outside", "up"}) {
    EXPECT_NE(state->log.find(std::string("slipway: left out of the output 'all': the link ") + left +
                              " leads out of the folder"),
              std::string::npos)
        << state->log;
  }
}

TEST_F(AttemptTest, links_of_the_working_copy_stay_links_and_nothing_is_written_through_them) {
  TemporaryDirectory outside;
  std::ofstream(outside.path() / "mine") << "untouched";
  Tree tree;
  tree.entries.push_back(
      {"out", server_.put(outside.path().string()), outside.path().string().size(), TreeEntryKind::link});
  spec("readlink out").snapshot = render(server_.put(render(tree)));
  EXPECT_TRUE(run().ok()) << log();
  EXPECT_EQ(log(), outside.path().string() + "\n");
  EXPECT_TRUE(fs::exists(outside.path() / "mine")) << "cleaning up does not follow it";
  // A tree that would write through a link is none.
  tree.entries.push_back({"out/mine", server_.put("bad"), 3, TreeEntryKind::file});
  spec("true").snapshot = render(server_.put(render(tree)));
  ticket_.attempt = AttemptId("A2");
  EXPECT_EQ(run().end, AttemptEnd::could_not_start);
  EXPECT_EQ(*read_file(outside.path() / "mine"), "untouched");
}

TEST_F(AttemptTest, inputs_lie_read_only_and_the_cache_cannot_be_changed_through_them) {
  const Hash digits = tree({{"a/1.txt", "one"}, {"b.txt", "two"}});
  const Hash model = server_.put("weights");
  auto& s = spec(
      "cat {inputs.digits}/a/1.txt $SLIPWAY_INPUTS/digits/b.txt {inputs.model}; stat -c %a {inputs.digits}/b.txt {inputs.digits};"
      "chmod u+w {inputs.digits}/b.txt; echo bad > {inputs.digits}/b.txt; true");
  s.inputs = {{"digits", *parse_reference("dataset:digits@main")}, {"model", *parse_reference("model:m/1")}};
  server_.state.lock()->plan.inputs = {{"digits", {"dataset", digits, true, "digits@main", "", ""}},
                                       {"model", {"model", model, false, "m/1", "", ""}}};
  EXPECT_TRUE(run().ok()) << log();
  EXPECT_EQ(log(), "onetwoweights444\n555\n");
  ticket_.attempt = AttemptId("A2");
  spec("cat {inputs.digits}/b.txt");
  server_.state.lock()->log.clear();
  const int reads = server_.state.lock()->blob_reads;
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(log(), "two");
  EXPECT_EQ(server_.state.lock()->blob_reads, reads) << "the second run starts from the cache";
}

TEST_F(AttemptTest, a_missing_input_is_named) {
  auto& s = spec("true");
  s.inputs = {{"digits", *parse_reference("dataset:digits@main")}};
  server_.state.lock()->plan.inputs = {
      {"digits", {"dataset", hash_of("nowhere"), true, "dataset:digits@main", "", ""}}};
  const AttemptResult result = run();
  EXPECT_EQ(result.end, AttemptEnd::could_not_start);
  EXPECT_NE(result.message.find("the input 'digits' (dataset:digits@main)"), std::string::npos) << result.message;
}

TEST_F(AttemptTest, outputs_are_collected_as_files_and_trees) {
  auto& s = spec("echo model > m.onnx; mkdir -p $SLIPWAY_OUTPUTS/plots/x; echo p > {outputs.plots}/x/a.png; echo log");
  s.outputs = {
      {"model", {"m.onnx", "digits", "", "", false}}, {"plots", {}}, {"nothing", {"none.txt", "", "", "", true}}};
  EXPECT_TRUE(run().ok()) << log();
  auto state = server_.state.lock();
  ASSERT_EQ(state->outputs.size(), 2u);
  EXPECT_EQ(state->outputs[0].path, "m.onnx");
  EXPECT_EQ(state->blobs[state->outputs[0].hash], "model\n");
  const auto plots = parse_tree(state->blobs[state->outputs[1].hash]);
  ASSERT_TRUE(plots.ok());
  EXPECT_EQ(state->blobs[plots->find("x/a.png")->hash], "p\n");
}

TEST_F(AttemptTest, an_output_that_was_not_written_fails_the_attempt) {
  spec("true").outputs = {{"model", {"m.onnx", "", "", "", false}}};
  const AttemptResult result = run();
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.message, "the output 'model' is missing: the command ended well but wrote no m.onnx");
  EXPECT_NE(log().find("slipway: the output 'model' is missing"), std::string::npos);
}

TEST_F(AttemptTest, a_failing_command_keeps_its_exit_code_and_log) {
  spec("echo oh no; exit 7");
  const AttemptResult result = run();
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(log(), "oh no\nslipway: the command ended with exit code 7\n");
  EXPECT_EQ(server_.state.lock()->end->exit_code, 7);
}

TEST_F(AttemptTest, binary_output_arrives_unchanged) {
  spec("head -c 2000000 /dev/zero; printf '\\377\\376'");
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(log().size(), 2'000'002u);
  EXPECT_EQ(log().substr(2'000'000), "\xff\xfe");
}

TEST_F(AttemptTest, goes_on_while_the_server_is_away_and_tells_everything_afterwards) {
  spec("for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; sleep 0.1; done");
  Thread outage("outage", [&] {
    while (log().empty()) std::this_thread::sleep_for(milliseconds(10));
    server_.state.lock()->away = true;
    std::this_thread::sleep_for(milliseconds(1500));
    server_.state.lock()->away = false;
  });
  const Time start = system_clock().steady();
  EXPECT_TRUE(run().ok());
  EXPECT_GT(system_clock().steady() - start, milliseconds(1400)) << "the end waited for the server";
  std::string all;
  for (int i = 1; i <= 10; ++i) all += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(log(), all);
  EXPECT_TRUE(server_.state.lock()->end.has_value());
  EXPECT_FALSE(server_.state.lock()->metrics.empty());
}

TEST_F(AttemptTest, stops_when_the_server_asks) {
  spec("echo up; sleep 60");
  server_.state.lock()->grace = milliseconds(500);
  Thread stopper("stopper", [&] {
    while (log().empty()) std::this_thread::sleep_for(milliseconds(10));
    server_.state.lock()->stop = true;
  });
  const AttemptResult result = run();
  EXPECT_EQ(result.end, AttemptEnd::stopped);
  EXPECT_EQ(server_.state.lock()->end->end, AttemptEnd::stopped);
}

TEST_F(AttemptTest, one_whose_folder_and_server_are_gone_ends_instead_of_waiting_for_ever) {
  spec("echo up; sleep 60");
  options_.server_away_max = std::chrono::hours(1);
  Thread outage("outage", [&] {
    while (log().empty()) std::this_thread::sleep_for(milliseconds(10));
    server_.state.lock()->away = true;
    fs::remove_all(node_.path());
  });
  const Time start = system_clock().steady();
  EXPECT_EQ(run().end, AttemptEnd::stopped);
  EXPECT_LT(system_clock().steady() - start, seconds(40));
}

TEST_F(AttemptTest, an_attempt_the_server_gave_up_is_ended) {
  spec("echo up; sleep 60");
  Thread stopper("stopper", [&] {
    while (log().empty()) std::this_thread::sleep_for(milliseconds(10));
    server_.state.lock()->refuses = true;
  });
  const Time start = system_clock().steady();
  EXPECT_EQ(run().end, AttemptEnd::stopped);
  EXPECT_LT(system_clock().steady() - start, seconds(20));
}

TEST_F(AttemptTest, a_line_of_numbers_on_the_output_is_metrics_unless_the_step_says_no) {
  spec("echo begin; printf '{\"step\": 2, \"loss\": 0.5}\\n{\"acc\": 1}'");
  EXPECT_TRUE(run().ok());
  std::map<std::string, double> values;
  for (const MetricPoint& point : server_.state.lock()->metrics) values[point.key] = point.value;
  EXPECT_EQ(values["loss"], 0.5);
  EXPECT_EQ(values["acc"], 1);
  EXPECT_EQ(log(), "begin\n{\"step\": 2, \"loss\": 0.5}\n{\"acc\": 1}") << "the lines stay in the log";
  server_.state.lock()->metrics.clear();
  server_.state.lock()->log.clear();
  spec("echo '{\"loss\": 0.5}'").variables = {{kOutputMetricsVariable, "off"}};
  EXPECT_TRUE(run().ok());
  for (const MetricPoint& point : server_.state.lock()->metrics)
    EXPECT_TRUE(point.key.starts_with("system/")) << point.key;
}

TEST_F(AttemptTest, load_of_the_machine_is_told_as_metrics) {
  spec("sleep 0.5");
  EXPECT_TRUE(run().ok());
  std::set<std::string> keys;
  for (const MetricPoint& point : server_.state.lock()->metrics) keys.insert(point.key);
  for (const char* key :
       {"system/cpu_percent", "system/memory_bytes", "system/processes", "system/disk_read_bytes_per_s",
        "system/disk_written_bytes_per_s", "system/machine_cpu_percent", "system/machine_memory_bytes"})
    EXPECT_TRUE(keys.contains(key)) << key;
  for (const std::string& key : keys) EXPECT_FALSE(key.starts_with("system/gpu")) << key;
}

TEST_F(AttemptTest, accelerators_that_the_run_may_see_are_told_as_metrics_and_nothing_is_left_watching) {
  TemporaryDirectory folder;
  const fs::path program = folder.path() / "nvidia-smi";
  std::ofstream(program) << "#!/bin/sh\necho $$ > " << (folder.path() / "pid").string()
                         << "\nwhile true; do echo '4, 50, 1000, 250.5'; sleep 0.05; done\n";
  fs::permissions(program, fs::perms::owner_all);
  options_.gpu_program = program.string();
  spec("sleep 1");
  EXPECT_TRUE(run().ok());
  std::map<std::string, double> values;
  for (const MetricPoint& point : server_.state.lock()->metrics) values[point.key] = point.value;
  EXPECT_EQ(values["system/gpu_4_percent"], 50);
  EXPECT_EQ(values["system/gpu_4_memory_bytes"], 1000.0 * 1024 * 1024);
  EXPECT_EQ(values["system/gpu_4_power_w"], 250.5);
  pid_t watcher = 0;
  std::ifstream(folder.path() / "pid") >> watcher;
  EXPECT_GT(watcher, 0);
  EXPECT_NE(::kill(watcher, 0), 0);
  server_.state.lock()->metrics.clear();
  spec("sleep 0.2").variables = {{"CUDA_VISIBLE_DEVICES", ""}};
  EXPECT_TRUE(run().ok());
  for (const MetricPoint& point : server_.state.lock()->metrics)
    EXPECT_FALSE(point.key.starts_with("system/gpu")) << point.key;
}

TEST_F(AttemptTest, a_snapshot_survives_the_way_to_the_server_and_back) {
  TemporaryDirectory folder;
  std::ofstream(folder.path() / "a.txt") << "content\n";
  std::ofstream(folder.path() / "big.bin") << std::string(300'000, 'b');
  fs::create_directories(folder.path() / "sub dir");
  std::ofstream(folder.path() / "sub dir/run.sh") << "#!/bin/sh\necho script\n";
  fs::permissions(folder.path() / "sub dir/run.sh", fs::perms::owner_all);
  fs::create_symlink("a.txt", folder.path() / "link");
  const auto snapshot = take_snapshot(folder.path());
  ASSERT_TRUE(snapshot.ok());
  FakeLink link(server_);
  const auto hash = upload_tree(link, *snapshot);
  ASSERT_TRUE(hash.ok()) << hash.error().message;
  EXPECT_EQ(*hash, hash_of(render(snapshot->tree)));
  const int puts = server_.state.lock()->blob_puts;
  EXPECT_EQ(upload_tree(link, *snapshot).value(), *hash);
  EXPECT_EQ(server_.state.lock()->blob_puts, puts) << "nothing is sent twice";
  spec("cat link; 'sub dir/run.sh'; wc -c < big.bin; readlink link").snapshot = render(*hash);
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(log(), "content\nscript\n300000\na.txt\n");
}

TEST_F(AttemptTest, an_environment_that_cannot_be_had_is_a_sentence) {
  spec("true").environment.interpreter = "/no/such/python";
  const AttemptResult result = run();
  EXPECT_EQ(result.end, AttemptEnd::could_not_start);
  EXPECT_EQ(result.message, "there is no interpreter at /no/such/python on this machine");
}

TEST(Cache, damaged_bytes_are_not_taken) {
  TemporaryDirectory folder;
  FakeServer server;
  FakeLink link(server);
  auto cache = FileCache::open(folder.path());
  const Hash hash = hash_of("right");
  server.state.lock()->blobs[hash] = "wrong";
  EXPECT_EQ(cache->fetch(link, {{hash, 5}}).error().code, ErrorCode::data_loss);
  EXPECT_EQ(cache->fetch(link, {{hash, 500'000'000}}).error().code, ErrorCode::data_loss);
}

TEST(Cache, trimming_removes_what_was_used_longest_ago) {
  TemporaryDirectory folder;
  FakeServer server;
  FakeLink link(server);
  auto cache = FileCache::open(folder.path());
  const Hash old_file = server.put(std::string(1000, 'a')), new_file = server.put(std::string(1000, 'b'));
  ASSERT_TRUE(cache->fetch(link, {{old_file, 1000}, {new_file, 1000}}).ok());
  const std::string name = render(old_file);
  const timespec past[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder.path() / name.substr(0, 2) / name).c_str(), past, 0), 0);
  EXPECT_EQ(*cache->trim(1500, system_clock().now() + std::chrono::hours(1)), 1000u);
  EXPECT_FALSE(fs::exists(folder.path() / name.substr(0, 2) / name));
  EXPECT_EQ(*cache->trim(0, system_clock().now() - std::chrono::hours(1)), 0u) << "files in use stay";
}

}  // namespace
}  // namespace slipway::runner
