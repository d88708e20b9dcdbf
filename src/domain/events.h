// What happened, told to whoever listens. The room that emits never knows the room that listens.
#pragma once

#include <string>

#include "domain/ids.h"

namespace slipway {

enum class EventKind {
  run_changed,
  metrics_changed,
  log_changed,
  dataset_changed,
  model_changed,
  deployment_changed,
  evaluation_changed,
  finding_changed,
  case_changed,
  pipeline_run_changed,
  artifacts_changed,  // of a run: its files, and so its media
  report_changed,
};

/// The noun's id or name is enough: a listener that wants more reads it.
struct Event {
  EventKind kind;
  ProjectId project;
  std::string subject;
};

/// emit() never blocks and never fails: a sink that is full drops and counts. Thread-safe.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void emit(const Event& event) = 0;
};

}  // namespace slipway
