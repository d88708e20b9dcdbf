#include "http/wrap.h"

#include "base/check.h"
#include "http/answer.h"
#include "http/exchange.h"
#include "http/router_impl.h"

namespace slipway::http {
namespace {

Route* find_route(Router::Impl::Node& node, Method method, std::string_view pattern) {
  for (auto* routes : {&node.routes, &node.rest}) {
    const auto at = routes->find(method);
    if (at != routes->end() && at->second.pattern == pattern) return &at->second;
  }
  for (auto& [segment, child] : node.literals) {
    if (Route* found = find_route(*child, method, pattern)) return found;
  }
  return node.parameter ? find_route(*node.parameter, method, pattern) : nullptr;
}

/// An exchange without a connection: what is answered stays here.
std::shared_ptr<Exchange> make_exchange() {
  const auto answered_twice = std::make_shared<Counter>();
  // The deleter keeps the counter for as long as the exchange counts in it.
  return {new Exchange({}, 0, *answered_twice), [answered_twice](Exchange* exchange) { delete exchange; }};
}

}  // namespace

void wrap(Router& router, Method method, std::string_view pattern, const std::function<Handler(Handler)>& around) {
  Route* route = find_route(router.impl().root, method, pattern);
  CHECK(route != nullptr, "there is no route " + std::string(name(method)) + " " + std::string(pattern) + " to wrap");
  auto* handler = std::get_if<Handler>(&route->handler);
  CHECK(handler != nullptr, "the route " + std::string(pattern) + " streams its body and cannot be wrapped");
  *handler = around(std::move(*handler));
}

Response answer_of(const Handler& handler, Request& request) {
  const auto exchange = make_exchange();
  handler(request, Responder(std::make_shared<Responder::Impl>(exchange)));
  exchange->look();
  const bool is_whole = exchange->answer().has_value() && !exchange->is_stream();
  // Whoever still holds a responder is told that nobody listens.
  exchange->close(is_whole);
  return is_whole ? *exchange->answer()
                  : refusal(500, "internal", "the handler did not answer whole before it returned");
}

}  // namespace slipway::http
