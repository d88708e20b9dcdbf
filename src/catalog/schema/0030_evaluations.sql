-- Evaluations: per-sample results of one version on one dataset commit. The results themselves are a Parquet file in the
-- store; here is what was asked, and the scores computed from it.

CREATE TABLE evaluations (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  dataset TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  task TEXT NOT NULL,                  -- classification, segmentation
  input TEXT NOT NULL,                 -- the stream that is shown to the model
  target TEXT NOT NULL DEFAULT '',     -- the stream that is right, for segmentation
  slices TEXT NOT NULL,                -- JSON array of {name, query}
  state TEXT NOT NULL,                 -- running, finished, failed
  run_id TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  results_hash TEXT NOT NULL DEFAULT '',
  samples BIGINT NOT NULL DEFAULT 0,
  scores TEXT NOT NULL DEFAULT '[]',   -- JSON array of {slice, value, low, high, n}; the first is all samples
  member TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX evaluations_by_project ON evaluations (project_id, id);
CREATE INDEX evaluations_by_version ON evaluations (project_id, model, version, id);
CREATE INDEX evaluations_by_state ON evaluations (state);
