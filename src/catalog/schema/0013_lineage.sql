-- What came from what. kind is a noun (dataset_commit, run, model_version, evaluation, …), id its id.
CREATE TABLE lineage (
  project_id TEXT NOT NULL,
  from_kind TEXT NOT NULL,
  from_id TEXT NOT NULL,
  to_kind TEXT NOT NULL,
  to_id TEXT NOT NULL,
  relation TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (from_kind, from_id, to_kind, to_id, relation)
) {without_rowid};
CREATE INDEX lineage_backwards ON lineage (to_kind, to_id);

-- Blobs and trees that rows without a table of their own keep from the sweep: a run's snapshot, a captured request.
CREATE TABLE blob_holds (
  holder_kind TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  name TEXT NOT NULL,
  project_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  is_tree SMALLINT NOT NULL DEFAULT 0,
  PRIMARY KEY (holder_kind, holder_id, name)
) {without_rowid};
