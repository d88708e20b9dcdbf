-- What a client says that a run read and made (MLflow's log-inputs and outputs). Slipway's own lineage is the registry's.
CREATE TABLE input_datasets (
  number {serial},
  experiment BIGINT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  dataset_schema TEXT,
  profile TEXT,
  UNIQUE (experiment, name, digest)
);

-- tags is a JSON array of {key, value}.
CREATE TABLE run_datasets (
  run BIGINT NOT NULL,
  dataset BIGINT NOT NULL,
  context TEXT,
  tags TEXT NOT NULL,
  PRIMARY KEY (run, dataset)
) {without_rowid};

CREATE TABLE run_models (
  run BIGINT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('input', 'output')),
  model_id TEXT NOT NULL,
  step BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (run, direction, model_id)
) {without_rowid};
