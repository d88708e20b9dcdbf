-- Pipelines that the server can start without anybody's working copy, and what starts them.

CREATE TABLE pipeline_definitions (
  project_id TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  file TEXT NOT NULL,                -- slipway.yaml
  snapshot TEXT NOT NULL DEFAULT '',
  manifest TEXT NOT NULL DEFAULT '', -- of the snapshot
  member TEXT NOT NULL,              -- who stored it: runs that a trigger starts have these rights
  enabled SMALLINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, pipeline)
);

CREATE TABLE pipeline_triggers (
  project_id TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  name TEXT NOT NULL,                -- what it watches, in words: "dataset scenes@main"
  kind TEXT NOT NULL,                -- dataset, cron, finding, model
  position BIGINT NOT NULL,          -- in the file
  seen TEXT NOT NULL,                -- the commit, finding, version or time (microseconds) up to which all is settled
  state TEXT NOT NULL,               -- armed, waiting, paused, broken
  message TEXT NOT NULL DEFAULT '',
  failures BIGINT NOT NULL DEFAULT 0,-- runs in a row that it started and that failed
  armed_at BIGINT NOT NULL,
  fired_at BIGINT,
  pipeline_run_id TEXT NOT NULL DEFAULT '', -- the last one it started
  PRIMARY KEY (project_id, pipeline, name)
);

-- Which triggers started a run; none for one that a person started.
CREATE TABLE pipeline_run_causes (
  pipeline_run_id TEXT NOT NULL REFERENCES pipeline_runs (id),
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  why TEXT NOT NULL,                 -- "scenes@main moved from … to …"
  PRIMARY KEY (pipeline_run_id, position)
);

ALTER TABLE pipeline_runs ADD COLUMN manifest TEXT NOT NULL DEFAULT '';
ALTER TABLE pipeline_runs ADD COLUMN rerun_of TEXT NOT NULL DEFAULT '';
-- The pipelines whose work set this run off, separated by spaces: none of them is set off by what it makes.
ALTER TABLE pipeline_runs ADD COLUMN ancestors TEXT NOT NULL DEFAULT '';
-- The nodes it waits for, separated by spaces.
ALTER TABLE pipeline_nodes ADD COLUMN needs TEXT NOT NULL DEFAULT '';
CREATE INDEX pipeline_runs_by_pipeline ON pipeline_runs (project_id, pipeline, id);
CREATE INDEX pipeline_nodes_by_handle ON pipeline_nodes (handle);
