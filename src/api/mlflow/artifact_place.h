// Where a path of MLflow's artifact proxy leads: to a run or a logged model, and a path within. Private to this folder.
#pragma once

#include <string>
#include <string_view>

#include "api/mlflow/mlflow.h"
#include "base/result.h"

namespace slipway::api::mlflow {

struct Place {
  registry::Owner owner;
  std::string path;  // within the owner; "" is its root
};

/// A relative path without "..", or "".
Result<void> check_path(std::string_view path);

/// "<anything>/<run>/artifacts[/path]" or "<anything>/models/<model>/artifacts[/path]", as artifact locations are made.
Result<Place> place_of(const ProjectId& project, std::string_view proxy_path);

/// not_found when there is no such run or model in the project.
Result<void> check_owner(const Rooms& rooms, const registry::Owner& owner);

/// Streams a body into the store and names it.
Result<void> put_artifact_body(const Rooms& rooms, const Place& place, http::BodyReader& body);

/// Answers with the artifact's bytes, or with what was wrong with the place.
void send_place(const Rooms& rooms, const http::Request& request, const http::Responder& responder,
                const Result<Place>& place);

}  // namespace slipway::api::mlflow
