-- What the node said of a run: environment and machine, each a JSON document.
CREATE TABLE run_documents (
  run_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  document TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (run_id, kind)
);

-- Declared outputs that were collected, and what became of them.
CREATE TABLE run_outputs (
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  hash TEXT NOT NULL,
  is_tree SMALLINT NOT NULL,
  bytes BIGINT NOT NULL,
  model TEXT NOT NULL DEFAULT '',
  version BIGINT NOT NULL DEFAULT 0,
  dataset TEXT NOT NULL DEFAULT '',
  commit_id TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (run_id, name)
);

-- The manifest (a blob: commit, branch, diff, …) that was last told of a snapshot's tree.
CREATE TABLE snapshots (
  tree TEXT PRIMARY KEY,
  manifest TEXT NOT NULL,
  at BIGINT NOT NULL
);
