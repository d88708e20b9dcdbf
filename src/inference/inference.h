// The front door of inference: tensors, model sessions, pre-processing, the protocol's bodies, and the protocol between
// server and worker.
#pragma once

#include "inference/channel.h"     // IWYU pragma: export
#include "inference/codec.h"       // IWYU pragma: export
#include "inference/message.h"     // IWYU pragma: export
#include "inference/model.h"       // IWYU pragma: export
#include "inference/preprocess.h"  // IWYU pragma: export
#include "inference/statistics.h"  // IWYU pragma: export
#include "inference/tensor.h"      // IWYU pragma: export
#include "inference/worker.h"      // IWYU pragma: export
