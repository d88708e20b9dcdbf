// Holds docs/mlflow.md against the routes that the server really has. MLFLOW_PAGE_RECORD=1 writes the page anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "api/mlflow/endpoint.h"
#include "base/file.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using Name = std::pair<std::string, std::string>;  // path, method

constexpr const char* kUpstream = "src/api/mlflow/upstream_endpoints.txt";
constexpr const char* kPage = "docs/mlflow.md";
constexpr const char* kPrefix = "/api/2.0/";

constexpr const char* kHead =
    "# MLflow endpoints\n\n"
    "Which endpoints of mlflow 3.17.2's tracking server Slipway answers, made from the server's routes by\n"
    "`MLFLOW_PAGE_RECORD=1` and the test `api_test`; do not edit. Each stands under `/api/2.0`, `/api/3.0`, `/ajax-api/2.0` and\n"
    "`/ajax-api/3.0`. *501*: refused in the words that make clients go another way. *own*: not in mlflow 3.17.2 itself, but asked for by\n"
    "older or newer clients or by its web UI.\n";

/// The folder of the sources that this program was built in. (__FILE__ is relative to the build, and does not say.)
std::filesystem::path checkout() {
  auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  while (folder.has_relative_path() && !std::filesystem::exists(folder / kUpstream)) folder = folder.parent_path();
  return folder;
}

/// "{model_id}" and "{path...}" both become "{}": names of parts differ between the two lists.
std::string plain(std::string_view path) {
  std::string out;
  for (size_t i = 0; i < path.size(); ++i) {
    out += path[i];
    if (path[i] == '{') {
      i = path.find('}', i);
      out += '}';
    }
  }
  return out;
}

std::set<Name> upstream() {
  std::set<Name> names;
  for (const std::string& line : split(read_file(checkout() / kUpstream).value(), '\n')) {
    const size_t space = line.find(' ');
    if (!line.empty() && line[0] != '#') names.emplace(line.substr(space + 1), line.substr(0, space));
  }
  return names;
}

/// Everything that add_mlflow() adds, without the prefixes of versions.
std::set<Name> offered() {
  TemporaryDirectory folder;
  Counters counters;
  const auto database =
      catalog::Database::open({.url = "sqlite:" + (folder.path() / "t.db").string()}, catalog::schema(), counters)
          .value();
  const auto store =
      store::Store::open({.folder = folder.path() / "blobs", .disk_free_bytes_min = 0}, system_clock(), counters)
          .value();
  tracking::Tracking tracking(*database, system_clock(), counters, nullptr, {.background = false});
  registry::Registry registry(*database, *store, system_clock(), nullptr);
  http::Router router;
  const auto teams = teams::Teams::open(*database, system_clock(), "anna").value();
  teams::Webhooks webhooks(*database, system_clock(), SealKey::from_text("k"), {});
  teams::WebhookSender sender(*database, webhooks, system_clock(), counters, false);
  const auto parts = store::Parts::open(folder.path() / "parts").value();
  registry::Uploads uploads(*database, *store, *parts, registry.artifacts(), system_clock());
  const SignedUrls urls("k", system_clock());
  retention::Collector collector(*database, registry.references(), system_clock(), nullptr, {});
  add_mlflow(router, {tracking, registry.models(), registry.artifacts(), *store, uploads, urls, *teams, webhooks,
                      sender, system_clock(), collector});
  std::set<Name> names;
  for (const auto& [method, pattern] : router.routes()) {
    if (pattern.starts_with(kPrefix))
      names.emplace(pattern.substr(std::string_view(kPrefix).size()), http::name(method));
    else if (!pattern.starts_with("/api/") && !pattern.starts_with("/ajax-api/"))
      names.emplace(pattern, http::name(method));
  }
  return names;
}

std::set<Name> refused() {
  std::set<Name> names;
  for (const EndpointFact& fact : endpoint_facts()) {
    if (!fact.offered) names.emplace(plain(fact.path), fact.method);
  }
  return names;
}

struct State {
  std::string path, method, state;
};

/// By group: the part of the path that says what it is about.
std::map<std::string, std::vector<State>> states() {
  std::map<Name, State> all;
  for (const auto& [path, method] : upstream()) all[{plain(path), method}] = {path, method, "not yet"};
  const auto refusals = refused();
  for (const auto& [path, method] : offered()) {
    State& one = all.try_emplace({plain(path), method}, State{path, method, "own"}).first->second;
    if (refusals.count({plain(path), method}) > 0)
      one.state = "501";
    else if (one.state == "not yet")
      one.state = "yes";
  }
  std::map<std::string, std::vector<State>> groups;
  for (const auto& [name, state] : all) {
    const auto parts = split(state.path, '/');
    groups[state.path.starts_with('/') ? "without a prefix"
           : parts[0] == "mlflow"      ? parts[1]
                                       : parts[0]]
        .push_back(state);
  }
  return groups;
}

std::string render_page() {
  std::string page = kHead, missing;
  for (const auto& [group, endpoints] : states()) {
    const bool is_missing =
        std::all_of(endpoints.begin(), endpoints.end(), [](const State& s) { return s.state == "not yet"; });
    if (is_missing) {
      missing += "| " + group + " | " + std::to_string(endpoints.size()) + " |\n";
      continue;
    }
    page += "\n## " + group + "\n\n| endpoint | state |\n|---|---|\n";
    for (const State& one : endpoints) page += "| `" + one.method + " " + one.path + "` | " + one.state + " |\n";
  }
  return page + "\n## Not yet\n\n| group | endpoints |\n|---|---|\n" + missing;
}

TEST(EndpointPage, says_what_the_server_answers) {
  const std::string page = render_page();
  if (std::getenv("MLFLOW_PAGE_RECORD")) {
    ASSERT_TRUE(write_file_atomic(checkout() / kPage, page).ok());
  }
  const auto kept = read_file(checkout() / kPage);
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_EQ(*kept, page)
      << "run api_test --gtest_filter='EndpointPage.*' with MLFLOW_PAGE_RECORD=1 and look at the difference";
}

}  // namespace
}  // namespace slipway::api::mlflow
