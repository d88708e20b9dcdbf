-- MLflow 3's logged models: what a run made, before anybody registers it.
CREATE TABLE logged_models (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  experiment BIGINT NOT NULL REFERENCES experiments (number),
  name TEXT NOT NULL,
  model_type TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'upload_failed')),
  source_run_id TEXT,
  artifact_uri TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted SMALLINT NOT NULL DEFAULT 0
);
CREATE INDEX logged_models_by_experiment ON logged_models (experiment, created_at DESC, id);
CREATE INDEX logged_models_by_run ON logged_models (source_run_id);

CREATE TABLE logged_model_params (
  model BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) {without_rowid};

CREATE TABLE logged_model_tags (
  model BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) {without_rowid};

-- The latest value of each metric that names this model, per dataset ('' for none).
CREATE TABLE logged_model_metrics (
  model BIGINT NOT NULL,
  key TEXT NOT NULL,
  dataset_name TEXT NOT NULL DEFAULT '',
  dataset_digest TEXT NOT NULL DEFAULT '',
  run_id TEXT NOT NULL,
  value DOUBLE PRECISION,
  step BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (model, key, dataset_name, dataset_digest, run_id)
) {without_rowid};
