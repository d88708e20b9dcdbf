// The first start of a server on a restored data folder.
#pragma once

#include "base/result.h"
#include "data_folder.h"
#include "runs/runs.h"

namespace slipway::server {

/// What executed when the backup was taken belongs to the server it was taken of, which may still work, even on this
/// machine. So after a restore every attempt is ended as lost before the loop looks after any (it would wait for them,
/// or kill them), and the runs are tried again as their steps say. Nothing happens at later starts.
Result<void> end_attempts_of_original(const DataFolder& folder, runs::Runs& runs);

}  // namespace slipway::server
