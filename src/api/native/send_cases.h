// The way back: labelled cases become samples on a branch of a dataset. Two rooms meet here (monitor has the cases,
// registry the dataset), so it is neither's business alone.
#pragma once

#include <string>
#include <vector>

#include "monitor/monitor.h"
#include "registry/registry.h"

namespace slipway::api {

struct SendCases {
  ProjectId project;
  std::string member;
  std::vector<CaseId> cases;  // empty: every labelled case of `deployment`
  std::string deployment;
  std::string dataset, branch;  // the branch is made from `main` when it does not exist
  double hold_out = 0;          // share of the cases kept out of training, 0 to below 1; every so-manieth, oldest first
  std::string hold_out_branch;  // gets those held out, so that evaluations see them
  std::string slice;            // attribute `slice` of the samples, to ask for them by name
};

struct SentCases {
  CommitId commit, held_out_commit;
  std::vector<CaseId> sent, held_out;
};

/// The request's own bytes become the samples' input stream, the label its label, the target the stream that is decoded
/// as `labels`. Only pictures can be sent (the datasets' streams are files). Errors name the case; nothing is committed
/// then.
Result<SentCases> send_cases(monitor::Monitor& monitor, registry::Registry& registry, const SendCases& request);

/// Which of `count` things are held out: every so-manieth, so that the share is met at every length. Pure.
std::vector<bool> choose_held_out(size_t count, double share);

}  // namespace slipway::api
