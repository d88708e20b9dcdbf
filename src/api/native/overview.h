// /api/v1/overview, search and why: answers that several rooms know a part of.
#pragma once

#include <memory>

#include "evaluation/evaluation.h"
#include "http/http.h"
#include "monitor/monitor.h"
#include "registry/registry.h"
#include "runs/runs.h"
#include "serving/serving.h"
#include "tracking/reports.h"
#include "tracking/tracking.h"

namespace slipway::api {

/// Everything these look at; all of it outlives the router's use.
struct AllRooms {
  tracking::Tracking& tracking;
  registry::Registry& registry;
  runs::Runs& runs;
  serving::Serving& serving;
  monitor::Monitor& monitor;
};

/// What runs, what answers, what is wrong, in one answer; things by name, for the palette; computing time by
/// experiment.
void add_overview(http::Router& router, AllRooms rooms, const std::shared_ptr<tracking::Reports>& reports);

/// GET /api/v1/why/{answer}: from an answer back to the version, run, code, data, environment, person and machine.
void add_why(http::Router& router, AllRooms rooms);

}  // namespace slipway::api
