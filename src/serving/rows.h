// The rows of deployments and their revisions: all of this room's SQL.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "catalog/catalog.h"
#include "serving/serving.h"

namespace slipway::serving {

/// A deployment as the database has it.
struct DeploymentRow {
  DeploymentId id;
  ProjectId project;
  DeploymentSpec spec;
  bool wanted = true;  // running, not stopped
  std::optional<RevisionId> active_revision;
  std::string created_by;
  Time created_at, updated_at;
};

/// already_exists when the project has a deployment of that name.
Result<void> insert_deployment(catalog::Connection& c, const DeploymentRow& row);
Result<void> update_deployment(catalog::Connection& c, const DeploymentRow& row);
Result<void> mark_deleted(catalog::Connection& c, const DeploymentId& id, Time now);
/// Those that are not deleted, by project and name.
Result<std::vector<DeploymentRow>> all_deployments(catalog::Connection& c);

/// Gives the revision the next number of its deployment.
Result<Revision> insert_revision(catalog::Connection& c, const DeploymentId& deployment, Revision revision);
Result<void> set_revision_state(catalog::Connection& c, const RevisionId& id, RevisionState state,
                                std::string_view message);
/// The revision answers from now on; the one that did before is retired.
Result<void> activate_revision(catalog::Connection& c, const DeploymentId& deployment, const RevisionId& id, Time now);
/// Newest first.
Result<std::vector<Revision>> revisions_of(catalog::Connection& c, const DeploymentId& deployment, size_t most);
Result<std::optional<RevisionOrigin>> find_revision(catalog::Connection& c, const RevisionId& id);

}  // namespace slipway::serving
