#include "settings.h"

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "version.h"

namespace slipway::server {
namespace {

/// "127.0.0.1:7070", ":7070", "[::1]:7070" -> address and port; nullopt when it is none of these.
std::optional<Listen> parse_listen(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto port = parse_i64(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return std::nullopt;
  std::string address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (address.empty() || address == "localhost") address = "127.0.0.1";
  return Listen{address, static_cast<int>(*port)};
}

/// Where to answer, or the words to end with. `flag` without dashes.
std::optional<EndNow> read_listen(const std::string& flag, const std::string& text, Listen& listen) {
  const auto parsed = parse_listen(text);
  if (!parsed)
    return EndNow{"slipway-server: --" + flag + " is '" + text +
                      "'; expected ADDRESS:PORT, for example 127.0.0.1:" + (flag == "grpc" ? "8001" : "7070") + "\n",
                  2};
  listen = *parsed;
  return std::nullopt;
}

/// Checks the settings that `mlflow server` has, too; what is wrong with them, or nothing.
std::optional<std::string> take_mlflow_settings(Settings& settings, std::string destination) {
  while (settings.static_prefix.ends_with('/')) settings.static_prefix.pop_back();
  if (!settings.static_prefix.empty() && (!settings.static_prefix.starts_with('/') ||
                                          settings.static_prefix.find_first_of("?#% \"'<>&\\") != std::string::npos))
    return "--static-prefix is '" + settings.static_prefix + "'; expected a path that begins with '/', such as /lab";
  std::string& root = settings.default_artifact_root;
  while (root.ends_with('/')) root.pop_back();
  const bool is_place = root.empty() || root.starts_with('/') || root.find(":/") != std::string::npos;
  if (!is_place || root.find("..") != std::string::npos || root.find_first_of("?#") != std::string::npos)
    return "--default-artifact-root is '" + root + "'; expected a URI or an absolute path, such as s3://bucket/mlflow";
  if (destination.starts_with("file://")) destination.erase(0, 7);
  if (destination.find("://") != std::string::npos)
    return "--artifacts-destination is '" + destination +
           "'; artifacts are kept in a local folder only (clients may keep theirs in a cloud: --default-artifact-root)";
  settings.artifacts_destination = destination;
  return std::nullopt;
}

}  // namespace

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

std::variant<Settings, EndNow> read_settings(int argc, char** argv) {
  Settings settings;
  std::string listen = "127.0.0.1:7070", grpc, durability = "normal", disk_free_min = "256MiB", artifacts_destination;
  CLI::App app("The Slipway server: UI, API, MLflow and inference on one port.", "slipway-server");
  app.set_version_flag("--version", std::string("slipway-server ") + kVersion);
  app.set_config("--config", "",
                 "Read further settings from this file (name = value lines, as the flags without dashes)");
  app.add_option("--data", settings.data, "Where everything is kept")->envname("SLIPWAY_DATA")->capture_default_str();
  app.add_option("--listen", listen, "Where to answer; port 0 takes a free one")
      ->envname("SLIPWAY_LISTEN")
      ->capture_default_str();
  app.add_option("--grpc", grpc, "Also answer the inference protocol over gRPC there, for example 127.0.0.1:8001 [off]")
      ->envname("SLIPWAY_GRPC");
  app.add_option("--database", settings.database, "postgresql://user@host/name instead of SQLite")
      ->envname("SLIPWAY_DATABASE");
  app.add_option("--durability", durability, "full: metric points and logs are synced before the answer, too")
      ->envname("SLIPWAY_DURABILITY")
      ->check(CLI::IsMember({"normal", "full"}))
      ->capture_default_str();
  app.add_option("--tls-certificate", settings.tls_certificate, "PEM certificate chain; read again when it changes")
      ->envname("SLIPWAY_TLS_CERTIFICATE");
  app.add_option("--tls-key", settings.tls_key, "PEM private key")->envname("SLIPWAY_TLS_KEY");
  // The second names, and lists with commas, are those of `mlflow server`.
  app.add_option("--allowed-host,--allowed-hosts", settings.allowed_hosts,
                 "A further name this server is called by; '*' stands for anything (repeat for more)")
      ->delimiter(',');
  app.add_option("--allowed-origin,--cors-allowed-origins", settings.allowed_origins,
                 "A web origin whose pages may call this server; '*' stands for anything")
      ->delimiter(',');
  app.add_option("--static-prefix", settings.static_prefix,
                 "The path below which a proxy shows this server, such as /lab; the API answers there, too")
      ->envname("SLIPWAY_STATIC_PREFIX");
  app.add_option("--default-artifact-root", settings.default_artifact_root,
                 "Where clients keep the artifacts of new experiments, as a URI [this server]")
      ->envname("SLIPWAY_DEFAULT_ARTIFACT_ROOT");
  app.add_option("--artifacts-destination", artifacts_destination,
                 "The folder for the bytes of artifacts, models and datasets [store in --data]")
      ->envname("SLIPWAY_ARTIFACTS_DESTINATION");
  app.add_flag("--webhook-private-addresses", settings.webhook_private_addresses,
               "Webhooks may lead to this machine, to private addresses and to http:")
      ->envname("SLIPWAY_WEBHOOK_PRIVATE_ADDRESSES");
  app.add_option("--secret-key-file", settings.secret_key_file,
                 "The key that secrets are kept under; servers that share a database share it [secret.key in --data]")
      ->envname("SLIPWAY_SECRET_KEY_FILE");
  app.add_option("--log-file", settings.log_file, "Also log into this file, rotated at 64 MiB")
      ->envname("SLIPWAY_LOG_FILE");
  app.add_option("--disk-free-min", disk_free_min,
                 "Writes are refused while the disk of --data has less than this free")
      ->envname("SLIPWAY_DISK_FREE_MIN")
      ->capture_default_str();
  app.add_option("--restore-database", settings.restore_database,
                 "Put this database of a backup into --data or --database, and end (for `slipway restore`)");
  app.add_option("--event-loops", settings.event_loops, "Threads that serve connections [one per core]");
  app.add_option("--drain-seconds", settings.drain_s, "How long SIGTERM waits for requests in flight")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) {
      std::ostringstream out, ignored;
      app.exit(problem, out, ignored);
      return EndNow{out.str(), 0};
    }
    return EndNow{std::string("slipway-server: ") + problem.what() + "\nSee `slipway-server --help`.\n", 2};
  }
  Listen http;
  if (auto end = read_listen("listen", listen, http)) return *end;
  settings.address = http.address;
  settings.port = http.port;
  if (!grpc.empty()) {
    settings.grpc.emplace();
    if (auto end = read_listen("grpc", grpc, *settings.grpc)) return *end;
  }
  if (const auto wrong = take_mlflow_settings(settings, artifacts_destination))
    return EndNow{"slipway-server: " + *wrong + "\n", 2};
  const auto kept_free = parse_bytes(disk_free_min);
  if (!kept_free.ok())
    return EndNow{"slipway-server: --disk-free-min is '" + disk_free_min + "'; expected a size, for example 256MiB\n",
                  2};
  settings.disk_free_bytes_min = *kept_free;
  settings.sync_streams = durability == "full";
  if (settings.tls_certificate.empty() != settings.tls_key.empty()) {
    return EndNow{"slipway-server: --tls-certificate and --tls-key go together\n", 2};
  }
  return settings;
}

}  // namespace slipway::server
