-- Named histories of trees. A deleted dataset keeps its row for those who ask what a run was trained on; its name is free
-- again.
CREATE TABLE datasets (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT
);
CREATE UNIQUE INDEX datasets_by_name ON datasets (project_id, name) WHERE deleted_at IS NULL;

CREATE TABLE dataset_tags (
  dataset BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (dataset, key)
) {without_rowid};

-- Never changed. tree and samples are hashes of blobs; added_bytes counts what the first parent's tree does not have.
CREATE TABLE dataset_commits (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  dataset BIGINT NOT NULL,
  parent_id TEXT,
  merged_id TEXT,
  tree TEXT NOT NULL,
  samples TEXT,
  declaration TEXT NOT NULL DEFAULT '{}',
  metadata TEXT NOT NULL DEFAULT '{}',
  message TEXT NOT NULL,
  author TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  sample_count BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  added_bytes BIGINT NOT NULL
);
CREATE INDEX dataset_commits_by_dataset ON dataset_commits (dataset, number);

CREATE TABLE dataset_branches (
  dataset BIGINT NOT NULL,
  name TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (dataset, name)
) {without_rowid};

-- Append only: who moved which branch, when, from which commit to which (NULL: it did not exist; it was removed).
CREATE TABLE dataset_branch_moves (
  number {serial},
  dataset BIGINT NOT NULL,
  branch TEXT NOT NULL,
  from_commit TEXT,
  to_commit TEXT,
  at BIGINT NOT NULL,
  member TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX dataset_branch_moves_by_branch ON dataset_branch_moves (dataset, branch, number);
