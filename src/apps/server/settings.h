// What the server was told: flags first, then SLIPWAY_* variables, then the configuration file (--config).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace slipway::server {

struct Listen {
  std::string address = "127.0.0.1";  // without brackets
  int port = 0;                       // 0: any free one
};

struct Settings {
  std::filesystem::path data = "slipway-data";
  std::string address = "127.0.0.1";
  int port = 7070;
  std::optional<Listen> grpc;  // none: no gRPC
  std::string database;        // empty: SQLite in the data folder
  bool sync_streams = false;   // --durability full
  std::string tls_certificate, tls_key;
  std::vector<std::string> allowed_hosts, allowed_origins;
  std::string static_prefix;                    // "/lab", or empty
  std::string default_artifact_root;            // a URI; empty: this server
  std::filesystem::path artifacts_destination;  // empty: in the data folder
  std::string log_file;
  bool webhook_private_addresses = false;
  std::filesystem::path secret_key_file;          // empty: in the data folder
  size_t event_loops = 0;                         // 0: one per core
  std::uint64_t disk_free_bytes_min = 256 << 20;  // below this nothing more is written
  std::filesystem::path restore_database;         // set: put this file of a backup in place and end
  std::int64_t drain_s = 20;                      // how long SIGTERM waits for requests in flight
};

/// Text to print and the exit code to end with.
struct EndNow {
  std::string text;
  int exit_code = 0;
};

std::variant<Settings, EndNow> read_settings(int argc, char** argv);

/// Whether the address is reached from this machine only.
bool is_loopback(const std::string& address);

}  // namespace slipway::server
