-- Metric points: a log of batches as they came, sorted later (README of tracking tells the whole story).
-- A metric's name is stored once per project; everything else speaks of its number.
CREATE TABLE metric_names (
  number {serial},
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (project_id, name)
);

-- One row per request. ids grow with time within one server.
CREATE TABLE metric_batches (
  run BIGINT NOT NULL,
  id BIGINT NOT NULL,
  points BIGINT NOT NULL,
  body {blob} NOT NULL,
  PRIMARY KEY (run, id)
) {without_rowid};

-- Points of one run, sorted by metric; merged into larger ones as they pile up.
CREATE TABLE metric_segments (
  run BIGINT NOT NULL,
  id BIGINT NOT NULL,
  level BIGINT NOT NULL,
  points BIGINT NOT NULL,
  body {blob} NOT NULL,
  PRIMARY KEY (run, id)
);

-- Points of one metric of one run, sorted, once there are enough of them.
CREATE TABLE metric_chunks (
  run BIGINT NOT NULL,
  metric BIGINT NOT NULL,
  id BIGINT NOT NULL,
  points BIGINT NOT NULL,
  step_min BIGINT NOT NULL,
  step_max BIGINT NOT NULL,
  body {blob} NOT NULL,
  PRIMARY KEY (run, metric, id)
);

-- What searches and lists read. value is NULL for NaN; low and high leave NaN out, total also
-- infinities.
-- docs/decisions/0004-metric-latest-layout.md says why this is a row per pair.
CREATE TABLE metric_latest (
  run BIGINT NOT NULL,
  metric BIGINT NOT NULL,
  experiment BIGINT NOT NULL,
  value DOUBLE PRECISION,
  step BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  low DOUBLE PRECISION,
  high DOUBLE PRECISION,
  total DOUBLE PRECISION NOT NULL,
  points BIGINT NOT NULL,
  PRIMARY KEY (run, metric)
) {without_rowid};
-- Ordering the runs of an experiment by a metric is a walk along this.
CREATE INDEX metric_latest_by_value ON metric_latest (experiment, metric, value, run);

-- One row. Each sorting transaction moves `version` on, and is refused when somebody else moved it since it looked.
CREATE TABLE metric_sorter (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL
);
INSERT INTO metric_sorter (id, version) VALUES (1, 1);
