// The gate: who may come in at all. Runs before every handler, on the event loop, and never blocks.
//
// Closed by default. On loopback the operating-system user who runs the server needs no token, as long as the Host is a
// loopback name (a web page that rebinds its name to 127.0.0.1 fails here) and the Origin, when there is one, is the
// server itself. Everybody else shows a token: as Bearer, as the password of Basic (what MLflow clients send), or in
// the cookie the UI keeps.
//
// The gate also finds the project: the prefix /projects/<name> of the path, which it takes off, or the header
// X-Slipway-Project (MLflow's clients: X-MLFLOW-WORKSPACE), or ?project=; else `default`.
#pragma once

#include <set>
#include <string>

#include "http/http.h"
#include "teams/teams.h"

namespace slipway::api {

struct GateOptions {
  unsigned owner_uid = 0;  // whose connections need no token on loopback
  /// Further names in Host headers that are ours, with or without port; '*' stands for any characters.
  std::set<std::string> hosts;
  /// Further origins whose pages may call us and read our answers, e.g. "https://lab.example"; '*' as above.
  std::set<std::string> origins;
  /// "/lab" when the server stands below that path of a proxy; taken off where it is there.
  std::string static_prefix;
};

/// `teams` outlives the gate.
http::Router::Gate make_gate(teams::Teams& teams, GateOptions options);

}  // namespace slipway::api
