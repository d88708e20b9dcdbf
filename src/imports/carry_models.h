// Registered models with their versions and aliases. Private to the room.
#pragma once

#include "imports/carry_run.h"

namespace slipway::imports {

Result<void> carry_models(Worker& worker);

}  // namespace slipway::imports
