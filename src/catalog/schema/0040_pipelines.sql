-- Executions of pipelines, and what earlier nodes made of which inputs.

CREATE TABLE pipeline_runs (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  state TEXT NOT NULL,               -- running, stopping, finished, failed, stopped
  member TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',   -- "started by hand", "dataset digits@main moved"
  file TEXT NOT NULL,                -- slipway.yaml as it was
  snapshot TEXT NOT NULL DEFAULT '',
  parameters TEXT NOT NULL,          -- JSON, node -> parameter -> value, over the file's
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX pipeline_runs_by_project ON pipeline_runs (project_id, id);
CREATE INDEX pipeline_runs_by_state ON pipeline_runs (state);

CREATE TABLE pipeline_nodes (
  pipeline_run_id TEXT NOT NULL REFERENCES pipeline_runs (id),
  name TEXT NOT NULL,
  position BIGINT NOT NULL,
  kind TEXT NOT NULL,                -- step, evaluate, deploy, sweep
  state TEXT NOT NULL,               -- waiting, running, finished, failed, skipped, stopped
  handle TEXT NOT NULL DEFAULT '',
  cache TEXT NOT NULL DEFAULT '',    -- hit, miss, none
  cache_key TEXT NOT NULL DEFAULT '',
  why TEXT NOT NULL DEFAULT '',      -- why it ran, or whose result it took
  result TEXT NOT NULL,              -- JSON
  message TEXT NOT NULL DEFAULT '',
  started_at BIGINT,
  ended_at BIGINT,
  PRIMARY KEY (pipeline_run_id, name)
);

-- A result per set of inputs; the parts are kept in words, so that a miss can be explained.
CREATE TABLE node_results (
  project_id TEXT NOT NULL,
  cache_key TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  node TEXT NOT NULL,
  parts TEXT NOT NULL,               -- JSON
  result TEXT NOT NULL,              -- JSON
  pipeline_run_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, cache_key)
);
CREATE INDEX node_results_by_node ON node_results (project_id, pipeline, node, created_at);
