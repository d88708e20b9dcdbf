// The front door of retention: what goes and what stays. Rules delete, as people do; the collector removes for good
// what was deleted long enough ago.
#pragma once

#include "retention/collector.h"  // IWYU pragma: export
#include "retention/keeper.h"     // IWYU pragma: export
#include "retention/rules.h"      // IWYU pragma: export
#include "retention/usage.h"      // IWYU pragma: export
