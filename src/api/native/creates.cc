#include "api/native/creates.h"

#include "http/wrap.h"

namespace slipway::api {
namespace {

struct CreateRoute {
  const char* pattern;
  Idempotency::Create options = {};
};

constexpr CreateRoute kCreates[] = {
    {"/api/v1/cases/send"},
    {"/api/v1/datasets"},
    {"/api/v1/datasets/{name}/commits"},
    {"/api/v1/datasets/{name}/edit"},
    {"/api/v1/datasets/{name}/import", {.finds_itself = true}},
    {"/api/v1/datasets/{name}/merge"},
    {"/api/v1/deployments"},
    {"/api/v1/evaluations"},
    {"/api/v1/experiments"},
    {"/api/v1/members"},
    {"/api/v1/models"},
    {"/api/v1/models/{name}/versions"},
    {"/api/v1/pipeline_runs"},
    {"/api/v1/pipeline_runs/{run}/rerun"},
    {"/api/v1/projects"},
    {"/api/v1/reports"},
    {"/api/v1/runs", {.finds_itself = true}},  // an execution keeps the key of its submit
    {"/api/v1/runs/{run}/rerun"},
    {"/api/v1/tokens", {.keeps_body = false}},
    {"/api/v1/traces/{trace}/assessments"},
    {"/api/v1/views"},
};

}  // namespace

void add_idempotency(http::Router& router, Idempotency& keys) {
  for (const CreateRoute& create : kCreates) {
    http::wrap(router, http::Method::post, create.pattern,
               [&](http::Handler handler) { return keys.around(std::move(handler), create.options); });
  }
}

std::vector<std::string> create_patterns() {
  std::vector<std::string> patterns;
  for (const CreateRoute& create : kCreates) patterns.emplace_back(create.pattern);
  return patterns;
}

}  // namespace slipway::api
