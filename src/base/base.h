// The front door of base: what every room may use.
#pragma once

#include "base/archive.h"    // IWYU pragma: export
#include "base/check.h"      // IWYU pragma: export
#include "base/clock.h"      // IWYU pragma: export
#include "base/counters.h"   // IWYU pragma: export
#include "base/crc.h"        // IWYU pragma: export
#include "base/file.h"       // IWYU pragma: export
#include "base/guarded.h"    // IWYU pragma: export
#include "base/hash.h"       // IWYU pragma: export
#include "base/hash_file.h"  // IWYU pragma: export
#include "base/ids.h"        // IWYU pragma: export
#include "base/json.h"       // IWYU pragma: export
#include "base/library.h"    // IWYU pragma: export
#include "base/log.h"        // IWYU pragma: export
#include "base/process.h"    // IWYU pragma: export
#include "base/queue.h"      // IWYU pragma: export
#include "base/random.h"     // IWYU pragma: export
#include "base/result.h"     // IWYU pragma: export
#include "base/text.h"       // IWYU pragma: export
#include "base/thread.h"     // IWYU pragma: export
