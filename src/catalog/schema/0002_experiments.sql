-- Named groups of runs. Rows that others refer to have a number (short, for indexes) beside the id that people see.
CREATE TABLE experiments (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  artifact_location TEXT NOT NULL,
  deleted SMALLINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (project_id, name)
);

CREATE TABLE experiment_tags (
  experiment BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment, key)
) {without_rowid};

-- MLflow clients that name no experiment mean this one.
INSERT INTO experiments (id, project_id, name, artifact_location, created_at, updated_at)
VALUES ('0', 'default', 'Default', 'mlflow-artifacts:/0', 0, 0);
