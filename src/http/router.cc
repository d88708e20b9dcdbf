#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "http/router_impl.h"

namespace slipway::http {
namespace {

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

void insert(Router::Impl::Node& root, Method method, std::string_view pattern, Route route) {
  Router::Impl::Node* node = &root;
  route.pattern = pattern;
  for (std::string_view segment : segments_of(pattern)) {
    if (segment.starts_with('{') && segment.ends_with("...}")) {
      route.parameter_names.emplace_back(segment.substr(1, segment.size() - 5));
      CHECK(node->rest.emplace(method, std::move(route)).second,
            "the route " + std::string(pattern) + " was added twice");
      return;
    }
    if (segment.starts_with('{') && segment.ends_with('}')) {
      route.parameter_names.emplace_back(segment.substr(1, segment.size() - 2));
      if (!node->parameter) node->parameter = std::make_unique<Router::Impl::Node>();
      node = node->parameter.get();
    } else {
      auto& child = node->literals[std::string(segment)];
      if (!child) child = std::make_unique<Router::Impl::Node>();
      node = child.get();
    }
  }
  CHECK(node->routes.emplace(method, std::move(route)).second,
        "the route " + std::string(pattern) + " was added twice");
}

/// One walk down the tree, literals first; backs up when a branch has no route for the method.
class Search {
 public:
  Search(Method method, std::string_view path) : method_(method), segments_(segments_of(path)) {}

  Match run(const Router::Impl::Node& root) {
    visit(root, 0);
    if (match_.route) match_.allowed.clear();
    return std::move(match_);
  }

 private:
  bool visit(const Router::Impl::Node& node, size_t depth) {
    if (depth == segments_.size()) return take(node.routes);
    if (const auto child = node.literals.find(segments_[depth]);
        child != node.literals.end() && visit(*child->second, depth + 1))
      return true;
    if (node.parameter && !segments_[depth].empty()) {
      match_.values.push_back(segments_[depth]);
      if (visit(*node.parameter, depth + 1)) return true;
      match_.values.pop_back();
    }
    if (node.rest.empty()) return false;
    const char* begin = segments_[depth].data();
    match_.values.emplace_back(begin, static_cast<size_t>(segments_.back().data() + segments_.back().size() - begin));
    if (take(node.rest)) return true;
    match_.values.pop_back();
    return false;
  }

  bool take(const std::map<Method, Route>& routes) {
    auto at = routes.find(method_);
    if (at == routes.end() && method_ == Method::head) at = routes.find(Method::get);
    if (at != routes.end()) {
      match_.route = &at->second;
      return true;
    }
    for (const auto& [method, route] : routes) {
      match_.allowed.insert(method);
      if (method == Method::get) match_.allowed.insert(Method::head);
    }
    return false;
  }

  const Method method_;
  const std::vector<std::string_view> segments_;
  Match match_;
};

void collect(const Router::Impl::Node& node, std::vector<std::pair<Method, std::string>>& out) {
  for (const auto* routes : {&node.routes, &node.rest}) {
    for (const auto& [method, route] : *routes) out.emplace_back(method, route.pattern);
  }
  for (const auto& [segment, child] : node.literals) collect(*child, out);
  if (node.parameter) collect(*node.parameter, out);
}

}  // namespace

std::string Match::render_allowed() const {
  std::string text;
  for (Method method : allowed) text += (text.empty() ? "" : ", ") + std::string(name(method));
  return text;
}

Match Router::Impl::find(Method method, std::string_view path) const { return Search(method, path).run(root); }

Router::Router() : impl_(std::make_unique<Impl>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

void Router::add(Method method, std::string_view pattern, Handler handler, RouteOptions options) {
  insert(impl_->root, method, pattern, {"", {}, std::move(handler), options});
}

void Router::add_streaming(Method method, std::string_view pattern, StreamingHandler handler, RouteOptions options) {
  insert(impl_->root, method, pattern, {"", {}, Streaming{std::move(handler)}, options});
}

void Router::add_websocket(std::string_view pattern, WebSocketHandler handler) {
  insert(impl_->root, Method::get, pattern, {"", {}, Upgrade{std::move(handler)}, {}});
}

void Router::add_gate(Gate gate) { impl_->gates.push_back(std::move(gate)); }

void Router::set_fallback(std::function<Response(const Request&, int status)> fallback) {
  impl_->fallback = std::move(fallback);
}

std::vector<std::pair<Method, std::string>> Router::routes() const {
  std::vector<std::pair<Method, std::string>> out;
  collect(impl_->root, out);
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return std::tie(a.second, a.first) < std::tie(b.second, b.first); });
  return out;
}

}  // namespace slipway::http
