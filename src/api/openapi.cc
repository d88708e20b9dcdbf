#include "api/openapi.h"

#include "api/assets.h"
#include "base/check.h"

namespace slipway::api {
namespace {

const Asset& document(const Assets& assets) {
  const Asset* found = assets.find("/openapi.json");
  CHECK(found != nullptr, "the program was built without its API's description");
  return *found;
}

}  // namespace

void add_openapi(http::Router& router) {
  router.add(http::Method::get, "/api/v1/openapi.json",
             [](http::Request& request, const http::Responder& responder) {
               const Assets assets = openapi_assets();
               responder.send(asset_response(request, assets, document(assets)));
             },
             {.where = http::Where::on_loop});
}

std::string_view openapi_document() {
  const Assets assets = openapi_assets();
  return assets.content(document(assets));
}

}  // namespace slipway::api
