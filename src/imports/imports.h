// The front door of imports: records of other trackers, and how they are carried into a Slipway server.
#pragma once

#include "imports/carry.h"          // IWYU pragma: export
#include "imports/csv.h"            // IWYU pragma: export
#include "imports/destination.h"    // IWYU pragma: export
#include "imports/export_mlflow.h"  // IWYU pragma: export
#include "imports/mlflow_folder.h"  // IWYU pragma: export
#include "imports/mlflow_server.h"  // IWYU pragma: export
#include "imports/push_mlflow.h"    // IWYU pragma: export
#include "imports/report.h"         // IWYU pragma: export
#include "imports/rest.h"           // IWYU pragma: export
#include "imports/source.h"         // IWYU pragma: export
#include "imports/sync.h"           // IWYU pragma: export
#include "imports/tensorboard.h"    // IWYU pragma: export
#include "imports/wandb.h"          // IWYU pragma: export
