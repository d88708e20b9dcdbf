-- Files that a run, a logged model or a model version keeps, by path. owner_kind is a name of registry/artifacts.h; hash is the
-- blob's, in hex.
CREATE TABLE artifacts (
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  path TEXT NOT NULL,
  project_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  size BIGINT NOT NULL,
  content_type TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (owner_kind, owner_id, path)
) {without_rowid};
CREATE INDEX artifacts_by_hash ON artifacts (hash);
CREATE INDEX artifacts_by_project ON artifacts (project_id, hash, size);
