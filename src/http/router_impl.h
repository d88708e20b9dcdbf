// The router's inside: a tree over path segments. Constant once the server runs.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/http.h"

namespace slipway::http {

struct Streaming {
  StreamingHandler handler;
};
struct Upgrade {
  WebSocketHandler handler;
};

struct Route {
  std::string pattern;
  std::vector<std::string> parameter_names;
  std::variant<Handler, Streaming, Upgrade> handler;
  RouteOptions options;
};

struct Match {
  const Route* route = nullptr;          // null: see `allowed`
  std::vector<std::string_view> values;  // still percent-encoded, in the order of parameter_names
  std::set<Method> allowed;              // methods the path exists under, when the one asked for does not

  /// As the Allow header has it: "GET, HEAD, POST".
  std::string render_allowed() const;
};

struct Router::Impl {
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::map<Method, Route> routes;
    std::map<Method, Route> rest;  // "{name...}" from here on
  };

  Node root;
  std::vector<Gate> gates;
  std::function<Response(const Request&, int status)> fallback;

  /// `path` is still percent-encoded, without the query. HEAD is answered by GET's route.
  Match find(Method method, std::string_view path) const;
};

}  // namespace slipway::http
