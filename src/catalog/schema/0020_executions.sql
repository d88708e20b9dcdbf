-- Runs that Slipway executes: what each is to do (spec: JSON of domain/run_spec.h, inputs: as they were resolved when it was
-- submitted) and where it stands. state is a name of domain/run.h, or 'draft' between the first and the last write of a submit.
-- request_key: whoever submits the same key again gets the run there is.
-- told_state is the state that tracking has been told; where the two differ, the loop tells.
CREATE TABLE executions (
  run_id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  member_name TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  told_state TEXT NOT NULL,
  spec TEXT NOT NULL,
  inputs TEXT NOT NULL,
  manifest TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  queued_at BIGINT NOT NULL,
  not_before BIGINT NOT NULL DEFAULT 0,
  started_at BIGINT,
  ended_at BIGINT,
  attempts_made BIGINT NOT NULL DEFAULT 0,
  stop_asked_at BIGINT,
  stop_grace_us BIGINT,
  message TEXT NOT NULL DEFAULT '',
  log_bytes BIGINT NOT NULL DEFAULT 0,
  request_key TEXT,
  UNIQUE (project_id, request_key)
);
CREATE INDEX executions_open ON executions (state) WHERE state IN ('draft', 'queued', 'running', 'stopping');
CREATE INDEX executions_untold ON executions (run_id) WHERE state <> told_state;

-- One try at a run. pid and start_ticks name the runner's process on its node for good; command_pid is for people.
-- log_from: where this attempt's output begins in the run's log.
CREATE TABLE attempts (
  id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES executions (run_id),
  number BIGINT NOT NULL,
  node TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('starting', 'running', 'over')),
  phase TEXT NOT NULL DEFAULT 'preparing',
  pid BIGINT NOT NULL DEFAULT 0,
  start_ticks BIGINT NOT NULL DEFAULT 0,
  command_pid BIGINT NOT NULL DEFAULT 0,
  started_at BIGINT NOT NULL,
  heartbeat_at BIGINT NOT NULL,
  cpu_s DOUBLE PRECISION NOT NULL DEFAULT 0,
  memory_bytes BIGINT NOT NULL DEFAULT 0,
  ended_at BIGINT,
  end_reason TEXT,
  exit_code BIGINT,
  signal BIGINT,
  message TEXT NOT NULL DEFAULT '',
  log_from BIGINT NOT NULL DEFAULT 0,
  UNIQUE (run_id, number)
);
CREATE INDEX attempts_open ON attempts (run_id) WHERE state <> 'over';
