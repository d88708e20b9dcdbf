// The front door of domain: the nouns, their fields and states, how they are written and read. No I/O.
#pragma once

#include "domain/attempt.h"           // IWYU pragma: export
#include "domain/command_template.h"  // IWYU pragma: export
#include "domain/credentials.h"       // IWYU pragma: export
#include "domain/events.h"            // IWYU pragma: export
#include "domain/ids.h"               // IWYU pragma: export
#include "domain/project_file.h"      // IWYU pragma: export
#include "domain/reference.h"         // IWYU pragma: export
#include "domain/run.h"               // IWYU pragma: export
#include "domain/run_spec.h"          // IWYU pragma: export
#include "domain/tree.h"              // IWYU pragma: export
#include "domain/units.h"             // IWYU pragma: export
