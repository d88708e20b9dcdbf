// slipway server: starts slipway-server, which lies beside this program.
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "sibling.h"

namespace slipway::cli {
namespace {

Result<int> run_server(Context&, const Arguments& arguments) {
  std::vector<std::string> words = {sibling("slipway-server")};
  for (const auto& [option, values] : arguments.values) {
    for (const std::string& value : values) words.push_back("--" + option + "=" + value);
  }
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execvp(pointers[0], pointers.data());
  return system_error("start", words[0], errno);
}

}  // namespace

std::string sibling(const std::string& program) {
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto beside = self.parent_path() / program;
  return ::access(beside.c_str(), X_OK) == 0 ? beside.string() : program;
}

void add_server(Commands& commands) {
  commands.push_back({
      .path = "server",
      .summary = "Start the server here, in the foreground",
      .details =
          "Everything (UI, API, MLflow, inference) answers on one port. Without --database the data folder holds an SQLite\n"
          "database; SIGTERM drains and ends it.",
      .example = "slipway server --data ./slipway-data --listen 127.0.0.1:7070",
      .positionals = {},
      .options =
          {{.name = "data", .letter = 'd', .value_name = "FOLDER", .help = "Where everything is kept [./slipway-data]"},
           {.name = "listen", .letter = 'l', .value_name = "ADDRESS:PORT", .help = "Where to answer [127.0.0.1:7070]"},
           {.name = "grpc",
            .value_name = "ADDRESS:PORT",
            .help = "Also answer the inference protocol over gRPC there, for example 127.0.0.1:8001 [off]"},
           {.name = "database", .value_name = "URL", .help = "postgresql://user@host/name instead of SQLite"},
           {.name = "durability",
            .value_name = "normal|full",
            .help = "full: sync metric points and logs before answering, too [normal]"},
           {.name = "tls-certificate",
            .value_name = "FILE",
            .help = "PEM certificate chain; read again when it changes"},
           {.name = "tls-key", .value_name = "FILE", .help = "PEM private key"},
           {.name = "allowed-host",
            .value_name = "NAME",
            .help = "A further name this server is called by",
            .repeatable = true},
           {.name = "allowed-origin",
            .value_name = "URL",
            .help = "A web origin whose pages may call this server",
            .repeatable = true},
           {.name = "static-prefix", .value_name = "PATH", .help = "The path below which a proxy shows this server"},
           {.name = "default-artifact-root",
            .value_name = "URI",
            .help = "Where clients keep the artifacts of new experiments [this server]"},
           {.name = "artifacts-destination",
            .value_name = "FOLDER",
            .help = "The folder for the bytes of artifacts, models and datasets [store in --data]"},
           {.name = "webhook-private-addresses",
            .help = "Webhooks may lead to this machine, to private addresses and to http:"},
           {.name = "secret-key-file",
            .value_name = "FILE",
            .help = "The key that secrets are kept under [secret.key in --data]"},
           {.name = "disk-free-min",
            .value_name = "SIZE",
            .help = "Writes are refused while the disk of --data has less free [256MiB]"},
           {.name = "config", .value_name = "FILE", .help = "Read further settings from this file"},
           {.name = "log-file", .value_name = "FILE", .help = "Also log into this file, rotated at 64 MiB"}},
      .run = run_server,
  });
}

}  // namespace slipway::cli
