-- Deployments: a model version behind an endpoint. What runs is decided by these rows; processes follow them.
CREATE TABLE deployments (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  model TEXT NOT NULL,                      -- reference: model:digits@production, model:digits/3
  replicas_min BIGINT NOT NULL,
  replicas_max BIGINT NOT NULL,
  batch_max BIGINT NOT NULL,
  batch_delay_us BIGINT NOT NULL,
  capture TEXT NOT NULL,                    -- JSON, read by the monitor
  wanted TEXT NOT NULL CHECK (wanted IN ('running', 'stopped')),
  active_revision TEXT,                     -- what answers, or answered before the last restart
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT                         -- rows stay, because answers name their revisions
);
CREATE UNIQUE INDEX deployments_by_name ON deployments (project_id, name) WHERE deleted_at IS NULL;

-- Rows are only added; their state follows what happened to them.
CREATE TABLE deployment_revisions (
  id TEXT PRIMARY KEY,
  deployment_id TEXT NOT NULL REFERENCES deployments (id),
  number BIGINT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('starting', 'active', 'retired', 'failed')),
  message TEXT NOT NULL,
  member TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (deployment_id, number)
);
