#include "runner/environment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/text.h"
#include "runner/cache.h"
#include "runner/mask.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWholeMarker = ".slipway-whole";
constexpr size_t kBuildOutputTail = 4000;

/// Lists what an interpreter has, by the standard library alone, in well under a second.
constexpr const char* kListPackages = R"(
import json, sys, platform
try:
    from importlib import metadata
    packages = sorted({(d.metadata["Name"] or "?", d.version or "?") for d in metadata.distributions()})
except Exception:
    packages = []
print(json.dumps({"interpreter": sys.executable, "python_version": platform.python_version(), "prefix": sys.prefix,
                  "packages": [{"name": n, "version": v} for n, v in packages]}))
)";

Error cannot(std::string message) { return Error{ErrorCode::failed_precondition, std::move(message)}; }

std::string tail(std::string_view text) {
  if (text.size() > kBuildOutputTail) text = text.substr(text.size() - kBuildOutputTail);
  return clean_utf8(trim(text));
}

/// An absolute path of the interpreter: a path as it is, a version by the name pythonX.Y in PATH.
Result<fs::path> find_interpreter(const std::string& wanted) {
  if (wanted.find('/') != std::string::npos) {
    if (::access(wanted.c_str(), X_OK) == 0) return fs::path(wanted);
    return cannot(fmt::format("there is no interpreter at {} on this machine", wanted));
  }
  const bool is_version = !wanted.empty() && wanted[0] >= '0' && wanted[0] <= '9';
  const std::string program = is_version ? "python" + wanted : wanted;
  const char* own = std::getenv("PATH");
  std::vector<std::string> folders = split(own ? own : "", ':');
  for (const char* usual : {"/usr/local/bin", "/usr/bin"}) folders.emplace_back(usual);
  for (const std::string& folder : folders) {
    const fs::path candidate = fs::path(folder) / program;
    if (folder.empty() || ::access(candidate.c_str(), X_OK) != 0) continue;
    // Version managers put scripts of that name into PATH that only say "not installed".
    ProcessSpec probe;
    probe.arguments = {candidate.string(), "-c", "import sys; print(sys.executable)"};
    const auto output = run_command(probe, std::chrono::seconds(20));
    if (output.ok() && output->status.ok()) return fs::path(trim(output->out));
  }
  return cannot(
      fmt::format("there is no {} in PATH on this machine; install it, or name another one under `python:` "
                  "(interpreters are never downloaded)",
                  program));
}

Result<Json> list_packages(const fs::path& interpreter) {
  ProcessSpec spec;
  spec.arguments = {interpreter.string(), "-c", kListPackages};
  const Output output = TRY(run_command(spec, std::chrono::seconds(60)));
  if (!output.status.ok()) {
    return cannot(fmt::format("the interpreter {} does not run: {}: {}", interpreter.string(), render(output.status),
                              tail(output.err)));
  }
  return Json::parse(trim(output.out));
}

Result<PreparedEnvironment> use_interpreter(const Environment& environment, const EnvironmentOptions& options) {
  const fs::path interpreter = TRY(find_interpreter(environment.interpreter));
  PreparedEnvironment prepared;
  prepared.record = TRY(list_packages(interpreter));
  prepared.record.set("kind", "interpreter").set("lock_hash", nullptr);
  // `python` in a command means this interpreter, whatever the machine calls it. A script and not a link: an
  // interpreter finds its own packages by the path it is started with.
  const fs::path bin = options.scratch / "bin";
  TRY(make_directories(bin));
  const std::string script = "#!/bin/sh\nexec " + shell_quote(interpreter.string()) + " \"$@\"\n";
  for (const char* name : {"python", "python3"}) {
    TRY(write_file_atomic(bin / name, script, 0755));
  }
  prepared.path.push_back(bin);
  return prepared;
}

struct Lock {
  enum class Kind { none, requirements, pylock, project } kind = Kind::none;
  fs::path file;
  std::string text;  // everything that decides what is installed
};

Result<Lock> read_lock(const Environment& environment, const fs::path& code) {
  Lock lock;
  const std::string& name = environment.lock.empty() ? environment.requirements : environment.lock;
  if (name.empty()) return lock;
  lock.file = code / name;
  const auto text = read_file(lock.file, 64 << 20);
  if (!text.ok()) {
    return cannot(fmt::format("the environment's lock '{}' cannot be read in the snapshot ({}); is it ignored by git?",
                              name, text.error().message));
  }
  lock.text = *text;
  const std::string file = lock.file.filename().string();
  if (!environment.requirements.empty()) {
    lock.kind = Lock::Kind::requirements;
  } else if (file == "uv.lock") {
    lock.kind = Lock::Kind::project;
    const auto project = read_file(lock.file.parent_path() / "pyproject.toml", 16 << 20);
    if (!project.ok())
      return cannot(fmt::format("beside '{}' there is no pyproject.toml, which uv.lock belongs to", name));
    lock.text += '\0' + *project;
  } else if (file.starts_with("pylock") && file.ends_with(".toml")) {
    lock.kind = Lock::Kind::pylock;
  } else {
    return cannot(fmt::format(
        "'{}' is no lock that is known; expected uv.lock, pylock.toml, or `requirements:` with a requirements.txt",
        name));
  }
  return lock;
}

struct Uv {
  const fs::path program, cache;
  const Duration timeout;

  /// Runs uv and answers its trouble in its own words.
  Result<void> run(const std::vector<std::string>& arguments, const fs::path& directory,
                   const std::map<std::string, std::string>& more = {}) const {
    ProcessSpec spec;
    spec.arguments = {program.string(), "--no-progress", "--color", "never"};
    spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
    spec.directory = directory;
    spec.environment.emplace();
    for (char** at = environ; *at; ++at) {
      const std::string_view variable = *at;
      const size_t equals = variable.find('=');
      const std::string_view name = variable.substr(0, equals);
      if (equals == std::string_view::npos || name == "VIRTUAL_ENV" || name == "PYTHONPATH" || name == "PYTHONHOME")
        continue;
      spec.environment->emplace(name, variable.substr(equals + 1));
    }
    (*spec.environment)["UV_PYTHON_DOWNLOADS"] = "never";
    spec.environment->try_emplace("UV_CACHE_DIR", cache.string());
    for (const auto& [name, value] : more) (*spec.environment)[name] = value;
    const Output output = TRY(run_command(spec, timeout));
    if (output.status.ok()) return {};
    return cannot(fmt::format("the environment cannot be built: uv {} ended with {}:\n{}", arguments[0],
                              render(output.status), mask_secrets(tail(output.err))));
  }
};

Result<void> install(const Uv& uv, const Lock& lock, const fs::path& folder, const fs::path& code) {
  const std::string python = (folder / "bin/python").string();
  switch (lock.kind) {
    case Lock::Kind::none: return {};
    case Lock::Kind::requirements:
      return uv.run({"pip", "install", "--python", python, "--requirement", lock.file.string()}, code);
    case Lock::Kind::pylock:
      return uv.run({"pip", "install", "--preview", "--python", python, "--requirement", lock.file.string()}, code);
    case Lock::Kind::project:
      return uv.run({"sync", "--frozen", "--no-install-project", "--inexact", "--python", python},
                    lock.file.parent_path(), {{"UV_PROJECT_ENVIRONMENT", folder.string()}});
  }
  return {};
}

Result<void> build(const Environment& environment, const Lock& lock, const fs::path& interpreter,
                   const fs::path& folder, const fs::path& code, const EnvironmentOptions& options) {
  const Uv uv{options.uv.empty() ? TRY(find_uv()) : options.uv, options.node_folder / "uv-cache",
              options.build_timeout};
  options.say(fmt::format("building the environment on {} (once for this lock)", interpreter.string()));
  remove_folder(folder);  // what a killed build left
  std::vector<std::string> venv = {"venv", "--python", interpreter.string()};
  if (environment.site_packages) venv.emplace_back("--system-site-packages");
  venv.push_back(folder.string());
  TRY(uv.run(venv, code));
  auto installed = install(uv, lock, folder, code);
  if (!installed.ok()) {
    remove_folder(folder);
    return installed;
  }
  return write_file_atomic(folder / kWholeMarker, "1\n");
}

Result<PreparedEnvironment> use_python(const Environment& environment, const fs::path& code,
                                       const EnvironmentOptions& options) {
  const fs::path interpreter = TRY(find_interpreter(environment.python));
  const Lock lock = TRY(read_lock(environment, code));
  ProcessSpec ask;
  ask.arguments = {interpreter.string(), "-c",
                   "import platform; print(platform.python_implementation(), platform.python_version())"};
  const Output version = TRY(run_command(ask, std::chrono::seconds(60)));
  if (!version.status.ok())
    return cannot(fmt::format("the interpreter {} does not run: {}", interpreter.string(), tail(version.err)));
  const std::string key = render(hash_of(fmt::format("1\n{}\n{}\n{}\n{}\n", interpreter.string(), version.out,
                                                     environment.site_packages, static_cast<int>(lock.kind)) +
                                         lock.text));

  const fs::path folder = options.node_folder / "environments" / key.substr(0, 32);
  TRY(make_directories(folder.parent_path()));
  const UniqueFd guard = TRY(open_file(folder.string() + ".lock", O_RDWR | O_CREAT));
  while (::flock(guard.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return system_error("lock", folder.string() + ".lock", errno);
  }
  PreparedEnvironment prepared;
  std::error_code ignored;
  if (!fs::exists(folder / kWholeMarker, ignored)) {
    TRY(build(environment, lock, interpreter, folder, code, options));
    prepared.built = true;
  }
  prepared.record = TRY(list_packages(folder / "bin/python"));
  prepared.record.set("kind", "python").set("base_interpreter", interpreter.string());
  prepared.record.set("lock_hash", lock.text.empty() ? Json() : Json(render(hash_of(lock.text))));
  prepared.record.set("site_packages", environment.site_packages).set("environment_hash", key);
  prepared.path.push_back(folder / "bin");
  prepared.variables["VIRTUAL_ENV"] = folder.string();
  return prepared;
}

std::string first_value(const std::string& text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string::npos) return "";
  const size_t colon = text.find(':', at), end = text.find('\n', at);
  return colon == std::string::npos || colon > end ? "" : std::string(trim(text.substr(colon + 1, end - colon - 1)));
}

}  // namespace

Result<fs::path> find_uv() {
  if (const char* set = std::getenv("SLIPWAY_UV"); set && *set) return fs::path(set);
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  std::vector<fs::path> candidates = {self / "uv", self / "../lib/slipway/uv", self / "../../../.deps/uv/bin/uv"};
  if (const char* path = std::getenv("PATH")) {
    for (const std::string& folder : split(path, ':')) candidates.push_back(fs::path(folder) / "uv");
  }
  for (const fs::path& candidate : candidates) {
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return cannot(
      "building a Python environment needs the program `uv`, which was not found; install it (pip install uv) or set SLIPWAY_UV");
}

Result<PreparedEnvironment> prepare_environment(const Environment& environment, const fs::path& code,
                                                const EnvironmentOptions& options) {
  PreparedEnvironment prepared;
  if (!environment.image.empty()) {
    return Error{ErrorCode::unsupported,
                 "environments made of images are not offered yet; use `interpreter` or `python`"};
  }
  if (!environment.interpreter.empty()) {
    prepared = TRY(use_interpreter(environment, options));
  } else if (!environment.python.empty()) {
    prepared = TRY(use_python(environment, code, options));
  } else {
    prepared.record = Json(Json::Object{{"kind", "host"}, {"packages", Json(Json::Array{})}, {"lock_hash", nullptr}});
  }
  Json variables{Json::Object{}};
  for (const auto& [name, value] : environment.variables) {
    prepared.variables[name] = value;
    variables.set(name, is_secret_name(name) ? "***" : mask_secrets(value));
  }
  prepared.record.set("variables", variables);
  return prepared;
}

Json describe_machine() {
  utsname system{};
  ::uname(&system);
  const std::string cpu = read_file("/proc/cpuinfo", 16 << 20).value_or("");
  const std::string memory = read_file("/proc/meminfo", 1 << 20).value_or("");
  const auto memory_kib = parse_u64(split(first_value(memory, "MemTotal"), ' ')[0]);
  Json accelerators{Json::Array{}};
  std::error_code problem;
  for (fs::directory_iterator at("/proc/driver/nvidia/gpus", problem), end; !problem && at != end;
       at.increment(problem)) {
    accelerators.push(Json(
        Json::Object{{"name", first_value(read_file(at->path() / "information", 1 << 16).value_or(""), "Model")}}));
  }
  const std::string release = read_file("/etc/os-release", 1 << 16).value_or("");
  std::string os;
  if (const size_t at = release.find("PRETTY_NAME=\""); at != std::string::npos) {
    os = release.substr(at + 13, release.find('"', at + 13) - at - 13);
  }
  return Json(Json::Object{{"hostname", system.nodename},
                           {"os", os},
                           {"kernel", std::string(system.sysname) + " " + system.release},
                           {"architecture", system.machine},
                           {"cpu", first_value(cpu, "model name")},
                           {"cpu_count", static_cast<std::int64_t>(::sysconf(_SC_NPROCESSORS_ONLN))},
                           {"memory_bytes", memory_kib.value_or(0) * 1024},
                           {"gpus", accelerators}});
}

}  // namespace slipway::runner
