#include "api/native/snapshots.h"

#include "api/api.h"
#include "base/hash.h"

namespace slipway::api {
namespace {

Result<http::Response> put_snapshot(runs::Runs& runs, const http::Request& request) {
  const Json body = TRY(json_body(request));
  const Hash tree = TRY(parse_hash(TRY(required_string(body, "tree"))));
  TRY(runs.tell_manifest(tree, TRY(parse_hash(TRY(required_string(body, "manifest"))))));
  return http::Response::json(Json().set("tree", render(tree)).render(), 201);
}

}  // namespace

void add_snapshots(http::Router& router, runs::Runs& runs) {
  router.add(http::Method::post, "/api/v1/snapshots", [&runs](http::Request& request, http::Responder responder) {
    answer(responder, put_snapshot(runs, request), [](http::Response response) { return response; });
  });
}

}  // namespace slipway::api
