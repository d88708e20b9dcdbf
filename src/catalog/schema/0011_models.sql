-- Named models. A deleted one keeps its row, so that what was made with it can still be explained; its name is free again.
CREATE TABLE models (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  version_last BIGINT NOT NULL DEFAULT 0,
  deleted_at BIGINT
);
CREATE UNIQUE INDEX models_by_name ON models (project_id, name) WHERE deleted_at IS NULL;

CREATE TABLE model_tags (
  model BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) {without_rowid};

-- details is a JSON object: inputs, outputs, preprocess, labels. id owns the version's artifacts.
CREATE TABLE model_versions (
  model BIGINT NOT NULL,
  version BIGINT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',
  run_id TEXT,
  run_link TEXT NOT NULL DEFAULT '',
  logged_model_id TEXT,
  status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'failed')),
  status_message TEXT NOT NULL DEFAULT '',
  stage TEXT NOT NULL DEFAULT 'None',
  details TEXT NOT NULL DEFAULT '{}',
  created_by TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,
  PRIMARY KEY (model, version)
);
CREATE INDEX model_versions_by_run ON model_versions (run_id);
CREATE INDEX model_versions_by_logged_model ON model_versions (logged_model_id);

CREATE TABLE model_version_tags (
  model BIGINT NOT NULL,
  version BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, version, key)
) {without_rowid};

CREATE TABLE model_aliases (
  model BIGINT NOT NULL,
  alias TEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (model, alias)
) {without_rowid};

-- Append only: who moved which alias, when, from which version to which (NULL: it did not exist; it was removed).
CREATE TABLE model_alias_moves (
  number {serial},
  model BIGINT NOT NULL,
  alias TEXT NOT NULL,
  from_version BIGINT,
  to_version BIGINT,
  at BIGINT NOT NULL,
  member TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX model_alias_moves_by_model ON model_alias_moves (model, number);
