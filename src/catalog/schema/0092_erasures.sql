-- Runs and experiments on their way out for good (src/retention). A run that is here has no row in `runs` any more, so that
-- nobody sees it; what else is kept of it goes in pieces, and this row last. An experiment that is here cannot be restored any
-- more; what it holds goes in pieces, and its own row last.
CREATE TABLE run_erasures (
  number BIGINT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  begun_at BIGINT NOT NULL
);
CREATE TABLE experiment_erasures (
  number BIGINT PRIMARY KEY,
  project_id TEXT NOT NULL,
  begun_at BIGINT NOT NULL
);
-- Deleted runs, the longest deleted first; and what may still need one.
CREATE INDEX runs_deleted ON runs (deleted_at, number) WHERE deleted = 1;
CREATE INDEX evaluations_by_run ON evaluations (run_id);
CREATE INDEX run_models_by_model ON run_models (model_id);
