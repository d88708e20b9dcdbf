-- Evaluation datasets (domain/evaluation_dataset.h). fields, inputs, outputs, expectations, tags and source_data are JSON;
-- inputs_hash is of the inputs with sorted keys, so that equal inputs are one record. records counts them.
CREATE TABLE evaluation_datasets (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  fields TEXT,
  records BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  created_by TEXT,
  updated_by TEXT
);
CREATE INDEX evaluation_datasets_by_project ON evaluation_datasets (project_id, created_at DESC, id DESC);
CREATE INDEX evaluation_datasets_by_name ON evaluation_datasets (project_id, name);

CREATE TABLE evaluation_dataset_tags (
  dataset BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (dataset, key)
) {without_rowid};

CREATE TABLE evaluation_dataset_experiments (
  dataset BIGINT NOT NULL,
  experiment BIGINT NOT NULL,
  PRIMARY KEY (dataset, experiment)
) {without_rowid};
CREATE INDEX evaluation_dataset_experiments_by_experiment ON evaluation_dataset_experiments (experiment, dataset);

CREATE TABLE evaluation_records (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  dataset BIGINT NOT NULL,
  inputs_hash TEXT NOT NULL,
  inputs TEXT NOT NULL,
  outputs TEXT,
  expectations TEXT,
  tags TEXT,
  source_type TEXT,
  source_data TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  created_by TEXT,
  updated_by TEXT,
  UNIQUE (dataset, inputs_hash)
);
CREATE INDEX evaluation_records_in_order ON evaluation_records (dataset, number);
