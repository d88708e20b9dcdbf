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

}  // namespace

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

std::variant<Settings, EndNow> read_settings(int argc, char** argv) {
  Settings settings;
  std::string listen = "127.0.0.1:7070", grpc, durability = "normal", disk_free_min = "256MiB";
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
  app.add_option("--allowed-host", settings.allowed_hosts, "A further name this server is called by (repeat for more)");
  app.add_option("--allowed-origin", settings.allowed_origins, "A web origin whose pages may call this server");
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
