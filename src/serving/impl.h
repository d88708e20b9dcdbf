// The insides of Serving, for serving.cc and infer.cc.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "serving/supervisor.h"

namespace slipway::serving {

struct Serving::Impl {
  Impl(catalog::Database& db, ModelSource& source, const Clock& time, Counters& counts, EventSink* event_sink,
       PredictionSink* sink, ServingOptions given);

  using Key = std::pair<std::string, std::string>;  // project, name
  using Endpoints = std::map<Key, std::shared_ptr<Endpoint>>;

  std::shared_ptr<Endpoint> find(const ProjectId& project, std::string_view name);
  Result<std::shared_ptr<Endpoint>> require(const ProjectId& project, std::string_view name);
  std::shared_ptr<Endpoint> make_endpoint(DeploymentRow row, std::optional<Revision> resume,
                                          std::optional<Revision> failed);
  Result<Deployment> view(Endpoint& endpoint);
  Result<void> load();

  catalog::Database& database;
  ModelSource& models;
  const Clock& clock;
  Counters& counters;
  EventSink* const events;
  PredictionSink* const predictions;
  const ServingOptions options;
  // Stopped first, gone last: whoever reads answers may still notify it.
  std::unique_ptr<Supervisor> supervisor;
  AnswerLoop answers;  // locks itself
  Guarded<Endpoints> endpoints;
};

/// invalid_argument in a sentence for what a specification must not say.
Result<void> check_spec(const DeploymentSpec& spec);

}  // namespace slipway::serving
