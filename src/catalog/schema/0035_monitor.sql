-- What production did: traffic per minute, requests kept as cases, what the monitor noticed.

CREATE TABLE traffic_minutes (
  project_id TEXT NOT NULL,
  deployment TEXT NOT NULL,
  minute BIGINT NOT NULL,              -- microseconds, a whole minute
  requests BIGINT NOT NULL,
  errors BIGINT NOT NULL,
  latency_sum_us BIGINT NOT NULL,
  latency_buckets TEXT NOT NULL,       -- counts per power of two of microseconds, separated by commas
  confidence_sum DOUBLE PRECISION NOT NULL,
  confidence_count BIGINT NOT NULL,
  PRIMARY KEY (project_id, deployment, minute)
);

CREATE TABLE cases (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  deployment TEXT NOT NULL,
  answer_id TEXT NOT NULL UNIQUE,
  revision_id TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  reason TEXT NOT NULL,                -- error, low_confidence, flagged, sampled
  state TEXT NOT NULL,                 -- open, labelled, sent, held_out, dismissed
  prediction TEXT NOT NULL DEFAULT '', -- the answered class by name or index
  confidence DOUBLE PRECISION,
  correct SMALLINT,                    -- as the feedback said; NULL when nobody said
  label TEXT NOT NULL DEFAULT '',      -- the right answer, once somebody said it
  comment TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  statistics TEXT NOT NULL,            -- JSON, the figures of domain/prediction.h
  body_hash TEXT NOT NULL DEFAULT '',  -- the request's bytes in the store
  body_bytes BIGINT NOT NULL DEFAULT 0,
  json_bytes BIGINT NOT NULL DEFAULT 0,
  media_type TEXT NOT NULL DEFAULT '',
  slice TEXT NOT NULL DEFAULT '',      -- the name under which it was sent or held out
  commit_id TEXT NOT NULL DEFAULT ''   -- the dataset commit it became part of
);
CREATE INDEX cases_by_deployment ON cases (project_id, deployment, id);
CREATE INDEX cases_by_state ON cases (project_id, state, id);
CREATE INDEX cases_by_body ON cases (body_hash);

-- The reference that the current traffic of a model version is held against, one histogram per statistic.
CREATE TABLE drift_references (
  project_id TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  statistic TEXT NOT NULL,
  source TEXT NOT NULL,                -- "evaluation …" or "first answers"
  histogram TEXT NOT NULL,             -- JSON
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, model, version, statistic)
);

CREATE TABLE findings (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  deployment TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  kind TEXT NOT NULL,                  -- drift
  statistic TEXT NOT NULL,
  state TEXT NOT NULL,                 -- open, closed
  value DOUBLE PRECISION NOT NULL,
  threshold DOUBLE PRECISION NOT NULL,
  message TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  closed_at BIGINT
);
CREATE INDEX findings_by_state ON findings (project_id, state, id);
CREATE INDEX findings_by_deployment ON findings (project_id, deployment, id);
