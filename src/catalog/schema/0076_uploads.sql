-- Uploads of artifacts that come in parts (registry/uploads.h). A completed one is remembered for a while, so that a client
-- who asks again because it missed the answer hears the same.
CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  path TEXT NOT NULL,
  part_count BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'complete')),
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX uploads_by_age ON uploads (created_at);
