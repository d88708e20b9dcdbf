// What instrumentations other than MLflow's call the same things: OpenTelemetry's conventions for generative models,
// OpenInference and Traceloop. Their words are kept, and MLflow's are added beside them, so that one search, one sum
// and one page do for all.
#pragma once

#include "domain/trace.h"

namespace slipway {

/// Adds type, inputs, outputs, tokens, model and provider in MLflow's words, where the span has them in other words and
/// not in these.
void translate_dialects(Span& span);

}  // namespace slipway
