#include "config.h"

#include <yaml-cpp/yaml.h>

#include <cstdlib>

#include "base/file.h"
#include "base/text.h"

namespace slipway::cli {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

const std::vector<std::string> kKeys = {"url", "token", "project"};

Result<void> read_config(Context::Settings& settings) {
  const auto text = read_file(config_path(), 1 << 20);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::not_found) return {};
    return text.error();
  }
  try {
    for (const auto& entry : YAML::Load(*text)) {
      const auto key = entry.first.as<std::string>();
      const auto value = entry.second.as<std::string>();
      if (key == "url") {
        settings.url = value;
      } else if (key == "token") {
        settings.token = value;
      } else if (key == "project") {
        settings.project = value;
      } else {
        const auto near = nearest(key, kKeys);
        return Error{ErrorCode::invalid_argument,
                     config_path().string() + ":" + std::to_string(entry.first.Mark().line + 1) + ": unknown key '" +
                         key + "'" + (near ? "; did you mean '" + *near + "'?" : "; known are " + join(kKeys, ", "))};
      }
    }
  } catch (const YAML::Exception& problem) {
    return Error{ErrorCode::invalid_argument,
                 config_path().string() + ":" + std::to_string(problem.mark.line + 1) + ": " + problem.msg};
  }
  return {};
}

}  // namespace

std::filesystem::path config_path() {
  if (const std::string path = variable("SLIPWAY_CONFIG"); !path.empty()) return path;
  const std::string base = variable("XDG_CONFIG_HOME");
  return std::filesystem::path(base.empty() ? variable("HOME") + "/.config" : base) / "slipway" / "config.yaml";
}

Result<Context::Settings> read_settings(const Invocation& invocation) {
  Context::Settings settings;
  TRY(read_config(settings));
  if (const std::string url = variable("SLIPWAY_URL"); !url.empty()) settings.url = url;
  if (const std::string token = variable("SLIPWAY_TOKEN"); !token.empty()) settings.token = token;
  if (const std::string project = variable("SLIPWAY_PROJECT"); !project.empty()) settings.project = project;
  if (!invocation.server.empty()) settings.url = invocation.server;
  if (!invocation.project.empty()) settings.project = invocation.project;
  settings.json = invocation.output == "json";
  while (settings.url.ends_with('/')) settings.url.pop_back();
  return settings;
}

Result<void> write_config(const Context::Settings& settings) {
  Context::Settings before;
  before.project.clear();
  TRY(read_config(before));
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "url" << YAML::Value << settings.url << YAML::Key << "token" << YAML::Value
      << settings.token;
  if (!before.project.empty()) out << YAML::Key << "project" << YAML::Value << before.project;
  out << YAML::EndMap;
  TRY(make_directories(config_path().parent_path()));
  return write_file_atomic(config_path(), std::string(out.c_str()) + "\n", 0600);
}

}  // namespace slipway::cli
