// What the monitor keeps apart: a deployment by its project and name, also after its rows are gone.
#pragma once

#include <string>

#include "domain/prediction.h"

namespace slipway::monitor {

struct DeploymentKey {
  std::string project, deployment;
  auto operator<=>(const DeploymentKey&) const = default;
};

inline DeploymentKey key_of(const PredictionServed& prediction) {
  return {prediction.project.text, prediction.deployment_name};
}

}  // namespace slipway::monitor
