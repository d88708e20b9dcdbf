#include "runner/environment.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "base/base.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() {
    options_.node_folder = node_.path();
    options_.scratch = node_.path() / "scratch";
    options_.say = [this](const std::string& sentence) { said_.push_back(sentence); };
    // Nothing here may ask an index: what is needed lies beside the lock.
    ::setenv("UV_OFFLINE", "1", 1);
  }
  void write(const std::string& name, std::string_view text) {
    std::ofstream(code_.path() / name, std::ios::binary) << text;
  }
  /// A wheel made by hand, so that no index is needed.
  void make_wheel(const std::string& name, const std::string& version) {
    ProcessSpec spec;
    spec.arguments = {
        "/usr/bin/python3", "-c",
        "import sys, zipfile\n"
        "n, v = sys.argv[1:]\n"
        "d = f'{n}-{v}.dist-info'\n"
        "z = zipfile.ZipFile(f'{n}-{v}-py3-none-any.whl', 'w')\n"
        "z.writestr(f'{n}.py', f'VERSION = \"{v}\"\\n')\n"
        "z.writestr(f'{d}/METADATA', f'Metadata-Version: 2.1\\nName: {n}\\nVersion: {v}\\n')\n"
        "z.writestr(f'{d}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "z.writestr(f'{d}/RECORD', f'{n}.py,,\\n{d}/METADATA,,\\n{d}/WHEEL,,\\n{d}/RECORD,,\\n')\n",
        name, version};
    spec.directory = code_.path();
    ASSERT_TRUE(run_command(spec, seconds(60))->status.ok());
  }
  static std::string run(const PreparedEnvironment& environment, const std::string& command) {
    ProcessSpec spec;
    spec.arguments = {"/bin/sh", "-c", command};
    std::string path = "/usr/bin:/bin";
    for (const fs::path& folder : environment.path) path = folder.string() + ":" + path;
    spec.environment = environment.variables;
    (*spec.environment)["PATH"] = path;
    const auto output = run_command(spec, seconds(60));
    return output.ok() ? output->out + output->err : output.error().message;
  }
  Result<PreparedEnvironment> prepare(const Environment& environment) {
    return prepare_environment(environment, code_.path(), options_);
  }
  static bool has(const PreparedEnvironment& environment, std::string_view package) {
    for (const Json& each : environment.record["packages"].array()) {
      if (each["name"].string() == package) return true;
    }
    return false;
  }

  TemporaryDirectory node_{"slipway-node"}, code_{"slipway-code"};
  EnvironmentOptions options_;
  std::vector<std::string> said_;
};

TEST_F(EnvironmentTest, the_hosts_interpreter_is_recorded_package_by_package) {
  Environment environment;
  environment.interpreter = "/usr/bin/python3";
  environment.variables = {{"A", "1"}, {"MY_TOKEN", "abc"}};
  const auto prepared = prepare(environment);
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  EXPECT_EQ(prepared->record["kind"].string(), "interpreter");
  EXPECT_TRUE(prepared->record["packages"].is_array());
  EXPECT_EQ(prepared->record["variables"]["MY_TOKEN"].string(), "***");
  EXPECT_EQ(prepared->variables.at("MY_TOKEN"), "abc");
  EXPECT_EQ(run(*prepared, "python -c 'import sys; print(sys.executable)'"), "/usr/bin/python3\n");
}

TEST_F(EnvironmentTest, an_interpreter_that_is_not_there_is_named) {
  Environment environment;
  environment.python = "9.99";
  const auto prepared = prepare(environment);
  ASSERT_FALSE(prepared.ok());
  EXPECT_NE(prepared.error().message.find("python9.99"), std::string::npos) << prepared.error().message;
}

TEST_F(EnvironmentTest, a_lock_that_is_not_there_is_named) {
  Environment environment;
  environment.python = "/usr/bin/python3";
  environment.requirements = "requirements.txt";
  EXPECT_NE(prepare(environment).error().message.find("'requirements.txt'"), std::string::npos);
  environment.requirements = "";
  environment.lock = "uv.lock";
  write("uv.lock", "version = 1\n");
  EXPECT_NE(prepare(environment).error().message.find("pyproject.toml"), std::string::npos);
  environment.lock = "conda.yml";
  write("conda.yml", "x\n");
  EXPECT_NE(prepare(environment).error().message.find("expected uv.lock"), std::string::npos);
}

class BuiltEnvironmentTest : public EnvironmentTest {
 protected:
  void SetUp() override {
    if (!find_uv().ok()) GTEST_SKIP() << "uv is not installed here";
  }
};

TEST_F(BuiltEnvironmentTest, is_built_once_per_lock_and_found_within_a_second_afterwards) {
  make_wheel("slipwaytest", "1.0");
  write("requirements.txt", "./slipwaytest-1.0-py3-none-any.whl\n");
  Environment environment;
  environment.python = "/usr/bin/python3";
  environment.requirements = "requirements.txt";
  const auto first = prepare(environment);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_TRUE(first->built);
  EXPECT_EQ(said_.size(), 1u);
  EXPECT_TRUE(has(*first, "slipwaytest"));
  EXPECT_EQ(run(*first, "python -c 'import slipwaytest; print(slipwaytest.VERSION)'"), "1.0\n");
  const Time start = system_clock().steady();
  const auto second = prepare(environment);
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->built);
  EXPECT_LT(system_clock().steady() - start, seconds(1));
  EXPECT_EQ(second->record, first->record);

  make_wheel("slipwaytest", "2.0");
  write("requirements.txt", "./slipwaytest-2.0-py3-none-any.whl\n");
  EXPECT_TRUE(prepare(environment)->built) << "another lock is another environment";
}

TEST_F(BuiltEnvironmentTest, a_uv_lock_and_a_pylock_are_installed_as_they_stand) {
  make_wheel("slipwaytest", "1.0");
  write("pyproject.toml",
        "[project]\nname = \"p\"\nversion = \"0\"\nrequires-python = \">=3.9\"\ndependencies = [\"slipwaytest\"]\n"
        "[tool.uv.sources]\nslipwaytest = {path = \"slipwaytest-1.0-py3-none-any.whl\"}\n");
  ProcessSpec make_locks;
  make_locks.arguments = {
      "/bin/sh", "-ec",
      "\"$0\" lock -q --python /usr/bin/python3; \"$0\" export -q --format pylock.toml --no-emit-project -o pylock.toml",
      find_uv()->string()};
  make_locks.directory = code_.path();
  const auto locked = run_command(make_locks, seconds(60));
  ASSERT_TRUE(locked.ok() && locked->status.ok()) << (locked.ok() ? locked->err : locked.error().message);
  std::set<std::string> hashes;
  for (const char* lock : {"uv.lock", "pylock.toml"}) {
    Environment environment;
    environment.python = "/usr/bin/python3";
    environment.lock = lock;
    const auto prepared = prepare(environment);
    ASSERT_TRUE(prepared.ok()) << lock << ": " << prepared.error().message;
    EXPECT_TRUE(prepared->built);
    EXPECT_TRUE(has(*prepared, "slipwaytest")) << lock;
    hashes.insert(prepared->record["lock_hash"].string());
  }
  EXPECT_EQ(hashes.size(), 2u);
}

TEST_F(BuiltEnvironmentTest, sees_the_interpreters_own_packages_only_when_asked) {
  Environment environment;
  environment.python = "/usr/bin/python3";
  const std::string outer =
      run(*prepare(environment), "python -c 'import sys; print(any(\"dist-packages\" in p for p in sys.path))'");
  EXPECT_EQ(outer, "False\n");
  environment.site_packages = true;
  EXPECT_EQ(run(*prepare(environment), "python -c 'import sys; print(any(\"dist-packages\" in p for p in sys.path))'"),
            "True\n");
}

TEST_F(BuiltEnvironmentTest, a_lock_that_cannot_be_solved_says_so_and_leaves_nothing) {
  write("requirements.txt", "slipway-no-such-package==9.9\n");
  Environment environment;
  environment.python = "/usr/bin/python3";
  environment.requirements = "requirements.txt";
  const auto prepared = prepare(environment);
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(prepared.error().message.find("slipway-no-such-package"), std::string::npos) << prepared.error().message;
  for (const auto& entry : fs::directory_iterator(node_.path() / "environments"))
    EXPECT_TRUE(entry.is_regular_file()) << entry.path();
}

TEST_F(BuiltEnvironmentTest, two_that_need_the_same_build_it_once) {
  make_wheel("slipwaytest", "3.0");
  write("requirements.txt", "./slipwaytest-3.0-py3-none-any.whl\n");
  Environment environment;
  environment.python = "/usr/bin/python3";
  environment.requirements = "requirements.txt";
  options_.say = [](const std::string&) {};
  std::atomic<int> built{0}, good{0};
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back("build", [&] {
        const auto prepared = prepare(environment);
        good += prepared.ok() && has(*prepared, "slipwaytest");
        built += prepared.ok() && prepared->built;
      });
    }
  }
  EXPECT_EQ(good, 3);
  EXPECT_EQ(built, 1);
}

TEST_F(BuiltEnvironmentTest, a_build_that_was_killed_is_begun_again) {
  Environment environment;
  environment.python = "/usr/bin/python3";
  const auto first = prepare(environment);
  ASSERT_TRUE(first.ok());
  const fs::path folder = first->path[0].parent_path();
  fs::remove(folder / ".slipway-whole");
  fs::remove(folder / "bin/python");
  const auto second = prepare(environment);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_TRUE(second->built);
}

}  // namespace
}  // namespace slipway::runner
