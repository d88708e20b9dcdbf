-- One execution and its record. state is a name of domain/run.h; deleted runs keep theirs.
-- source is a JSON object: what started the run (step, command, commit, branch, dirty, pipeline run).
CREATE TABLE runs (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  experiment BIGINT NOT NULL REFERENCES experiments (number),
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  member_id TEXT,
  user_name TEXT NOT NULL DEFAULT '',
  source_kind TEXT NOT NULL DEFAULT 'client' CHECK (source_kind IN ('client', 'step')),
  source TEXT NOT NULL DEFAULT '{}',
  parent_id TEXT,
  artifact_uri TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  deleted SMALLINT NOT NULL DEFAULT 0,
  deleted_at BIGINT
);
-- The order in which lists are shown: newest first. With deleted in them, counting needs no rows.
CREATE INDEX runs_by_experiment ON runs (experiment, started_at DESC, id, deleted);
CREATE INDEX runs_by_project ON runs (project_id, started_at DESC, id, deleted);
CREATE INDEX runs_by_parent ON runs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX runs_not_over ON runs (state) WHERE state IN ('queued', 'scheduled', 'running', 'stopping');

CREATE TABLE run_params (
  run BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) {without_rowid};

CREATE TABLE run_tags (
  run BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) {without_rowid};
