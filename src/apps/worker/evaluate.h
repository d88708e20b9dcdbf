// slipway-worker evaluate: one version over the samples of a dataset, on a node.
#pragma once

namespace slipway::worker {

/// `argv` begins behind the word "evaluate". Returns the exit code.
int evaluate_main(int argc, char** argv);

}  // namespace slipway::worker
