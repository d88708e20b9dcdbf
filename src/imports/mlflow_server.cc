#include "imports/mlflow_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "imports/mlflow_json.h"
#include "imports/proxy_path.h"

namespace slipway::imports {
namespace {

constexpr int kRunsPerPage = 500;
constexpr int kPointsPerPage = 25'000;  // MLflow's own cap
constexpr int kPageMax = 1'000;
constexpr int kModelsPerPage = 100;      // of logged models
constexpr size_t kFoldersMax = 100'000;  // below one run: a server that answers in a circle ends there

constexpr std::string_view kApi = "/api/2.0/mlflow/";

std::string api(std::string_view endpoint) { return std::string(kApi) + std::string(endpoint); }

/// The text in quotes, as in MLflow's filters.
std::string filter_text(const std::string& text) {
  return text.find('\'') == std::string::npos ? "'" + text + "'" : '"' + text + '"';
}

class MlflowServer : public Source {
 public:
  MlflowServer(Rest rest, std::string given_url, Credentials credentials, ServerOptions options)
      : rest_(std::move(rest)),
        given_url_(std::move(given_url)),
        credentials_(std::move(credentials)),
        options_(std::move(options)) {}

  std::string title() const override { return rest_.url(); }

  std::string link(const SourceRun& run) const override {
    return fmt::format("{}/#/experiments/{}/runs/{}", rest_.url(), run.experiment_id, run.id);
  }

  Result<std::unique_ptr<Source>> another() const override {
    return open_mlflow_server(given_url_, credentials_, options_);
  }

  Result<std::vector<SourceExperiment>> experiments() override {
    std::vector<SourceExperiment> out;
    const auto add = [&](const Json& page) -> Result<void> {
      for (const Json& item : page["experiments"].array())
        out.push_back({item["experiment_id"].string(), item["name"].string(), pairs_of(item["tags"]),
                       item["creation_time"].integer().value_or(0), item["last_update_time"].integer().value_or(0)});
      return {};
    };
    Json request{Json::Object{}};
    request.set("max_results", kPageMax).set("view_type", "ACTIVE_ONLY");
    TRY(pages(api("experiments/search"), request, add));
    return out;
  }

  Result<void> runs(const std::string& experiment, bool deleted,
                    const std::function<Result<void>(SourceRun)>& visit) override {
    Json request{Json::Object{}};
    request.set("experiment_ids", Json::Array{Json(experiment)}).set("max_results", kRunsPerPage);
    request.set("run_view_type", deleted ? "ALL" : "ACTIVE_ONLY");
    if (!options_.filter.empty()) request.set("filter", options_.filter);
    // Oldest first: runs that begin meanwhile come at the end and move no page.
    request.set("order_by", Json::Array{Json("attributes.start_time ASC")});
    return pages(api("runs/search"), request, [&](const Json& page) -> Result<void> {
      for (const Json& item : page["runs"].array()) TRY(visit(run_of(item)));
      return {};
    });
  }

  Result<void> history(const SourceRun& run, const std::string& key,
                       const std::function<Result<void>(std::span<const Point>)>& visit) override {
    const std::string path = fmt::format("{}?run_id={}&metric_key={}", api("metrics/get-history"),
                                         http::url_encode(run.id), http::url_encode(key));
    std::string token;
    do {
      const std::string paged = fmt::format("{}&max_results={}{}", path, kPointsPerPage, token_part(token));
      auto page = rest_.get(paged);
      // A server on a folder of files has no pages there and says so.
      if (!page.ok() && page.error().code == ErrorCode::invalid_argument && token.empty()) page = rest_.get(path);
      const Json json = TRY(std::move(page));
      std::vector<Point> points;
      for (const Json& metric : json["metrics"].array()) points.push_back(point_of(metric));
      for (Point& point : points) point.key = key;
      TRY(visit(points));
      token = json["next_page_token"].string();
    } while (!token.empty());
    return {};
  }

  Result<std::vector<SourceFile>> files(const Owner& owner) override {
    std::vector<SourceFile> out;
    std::vector<std::string> folders{""};
    for (size_t i = 0; i < folders.size(); ++i) {
      if (folders.size() > kFoldersMax)
        return Error{ErrorCode::too_large, fmt::format("more than {} folders of artifacts", kFoldersMax)};
      TRY(list_folder(owner, folders[i], out, folders));
    }
    return out;
  }

  Result<std::filesystem::path> fetch(const Owner& owner, const std::string& path,
                                      const std::filesystem::path& scratch) override {
    const std::string target =
        options_.is_slipway ? "/api/2.0/mlflow-artifacts/artifacts/" + encode_path(proxy_folder(owner) + "/" + path)
        : owner.kind == OwnerKind::run
            ? fmt::format("/get-artifact?run_id={}&path={}", http::url_encode(owner.id), http::url_encode(path))
            : fmt::format("/ajax-api/2.0/mlflow/logged-models/{}/artifacts/files?artifact_file_path={}",
                          http::url_encode(owner.id), http::url_encode(path));
    TRY(rest_.download(target, scratch));
    return scratch;
  }

  Result<std::vector<SourceLoggedModel>> logged_models(const std::string& experiment) override {
    std::vector<SourceLoggedModel> out;
    Json request{Json::Object{}};
    request.set("experiment_ids", Json::Array{Json(experiment)}).set("max_results", kModelsPerPage);
    const auto found = pages(api("logged-models/search"), request, [&](const Json& page) -> Result<void> {
      for (const Json& item : page["models"].array()) out.push_back(logged_model_of(item));
      return {};
    });
    if (!found.ok() && is_unknown(found.error())) return out;  // MLflow 2
    TRY(found);
    return out;
  }

  Result<std::vector<SourceModel>> models() override {
    std::vector<SourceModel> out;
    // Prompts are models that a search leaves out unless it asks for them.
    for (const char* filter : {"", "tags.`mlflow.prompt.is_prompt` = 'true'"}) {
      const auto found = get_pages(fmt::format("{}?max_results={}&filter={}", api("registered-models/search"), kPageMax,
                                               http::url_encode(filter)),
                                   [&](const Json& page) {
                                     for (const Json& item : page["registered_models"].array())
                                       out.push_back(model_of(item));
                                   });
      if (!found.ok() && *filter == '\0') return found.error();
    }
    for (SourceModel& model : out) TRY(read_versions(model));
    return out;
  }

  std::vector<std::string> left_behind(const std::vector<SourceExperiment>& experiments) override {
    std::vector<std::string> out;
    if (const size_t count = deleted_experiments(); count > 0)
      out.push_back(fmt::format("{} deleted experiments (restore one there to carry it)", count));
    for (const SourceExperiment& experiment : experiments) {
      if (has_traces(experiment.id)) out.push_back("the traces of experiment '" + experiment.name + "'");
    }
    const auto hooks = rest_.get(api("webhooks") + "?max_results=100");
    if (hooks.ok() && !(*hooks)["webhooks"].array().empty())
      out.push_back(fmt::format("{} webhooks (their secrets cannot be read)", (*hooks)["webhooks"].array().size()));
    return out;
  }

 private:
  static bool is_unknown(const Error& error) {
    return error.code == ErrorCode::not_found || error.code == ErrorCode::unsupported;
  }

  static std::string token_part(const std::string& token) {
    return token.empty() ? "" : "&page_token=" + http::url_encode(token);
  }

  /// POST, page after page.
  Result<void> pages(const std::string& path, Json request, const std::function<Result<void>(const Json&)>& visit) {
    while (true) {
      const Json page = TRY(rest_.post(path, request.render()));
      TRY(visit(page));
      const std::string& token = page["next_page_token"].string();
      if (token.empty()) return {};
      request.set("page_token", token);
    }
  }

  Result<void> get_pages(const std::string& path, const std::function<void(const Json&)>& visit) {
    std::string token;
    do {
      const Json page = TRY(rest_.get(path + token_part(token)));
      visit(page);
      token = page["next_page_token"].string();
    } while (!token.empty());
    return {};
  }

  Result<void> read_versions(SourceModel& model) {
    TRY(get_pages(fmt::format("{}?max_results={}&filter={}", api("model-versions/search"), kPageMax,
                              http::url_encode("name=" + filter_text(model.name))),
                  [&](const Json& page) {
                    for (const Json& item : page["model_versions"].array()) model.versions.push_back(version_of(item));
                  }));
    std::sort(model.versions.begin(), model.versions.end(),
              [](const SourceVersion& a, const SourceVersion& b) { return a.number < b.number; });
    return {};
  }

  Result<void> list_folder(const Owner& owner, const std::string& folder, std::vector<SourceFile>& files,
                           std::vector<std::string>& folders) {
    std::string path = api("artifacts/list") + "?run_id=" + http::url_encode(owner.id);
    const char* member = "&path=";
    if (owner.kind == OwnerKind::logged_model) {
      path = api("logged-models/") + http::url_encode(owner.id) + "/artifacts/directories?max_results=1000";
      member = "&artifact_directory_path=";
    }
    if (!folder.empty()) path += member + http::url_encode(folder);
    return get_pages(path, [&](const Json& page) {
      for (const Json& file : page["files"].array()) {
        const std::string& name = file["path"].string();
        if (file["is_dir"].boolean().value_or(false)) {
          folders.push_back(name);
        } else {
          const Json& size = file["file_size"];
          files.push_back({name, size.is_string() ? parse_u64(size.string()).value_or(0)
                                                  : static_cast<std::uint64_t>(size.integer().value_or(0))});
        }
      }
    });
  }

  size_t deleted_experiments() {
    size_t count = 0;
    Json request{Json::Object{}};
    request.set("max_results", kPageMax).set("view_type", "DELETED_ONLY");
    const auto found = pages(api("experiments/search"), request, [&](const Json& page) -> Result<void> {
      count += page["experiments"].array().size();
      return {};
    });
    return found.ok() ? count : 0;
  }

  bool has_traces(const std::string& experiment) {
    Json place{Json::Object{}};
    place.set("type", "MLFLOW_EXPERIMENT")
        .set("mlflow_experiment", Json(Json::Object{}).set("experiment_id", experiment));
    Json request{Json::Object{}};
    request.set("locations", Json::Array{place}).set("max_results", 1);
    const auto found = rest_.post("/api/3.0/mlflow/traces/search", request.render());
    return found.ok() && !(*found)["traces"].array().empty();
  }

  Rest rest_;
  const std::string given_url_;
  const Credentials credentials_;
  const ServerOptions options_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_mlflow_server(const std::string& url, const Credentials& credentials,
                                                   const ServerOptions& options) {
  Rest rest = TRY(Rest::open(url, credentials, options.headers));
  const auto answer = rest.post(api("experiments/search"), R"({"max_results": 1})");
  if (!answer.ok() && ends_everything(answer.error()))
    return context(answer.error(), "asking " + rest.url() + " for its experiments");
  if (!answer.ok() || (!(*answer)["experiments"].is_array() && !answer->object().empty())) {
    return Error{ErrorCode::unsupported, rest.url() + " does not answer like an MLflow server" +
                                             (answer.ok() ? "" : ": " + answer.error().message) +
                                             "; expected the address that clients have in MLFLOW_TRACKING_URI"};
  }
  return std::unique_ptr<Source>(std::make_unique<MlflowServer>(std::move(rest), url, credentials, options));
}

}  // namespace slipway::imports
