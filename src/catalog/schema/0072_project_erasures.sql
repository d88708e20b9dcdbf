-- Projects that were removed with all they held, until nothing of them is left. Nobody sees them any more.
CREATE TABLE project_erasures (
  project_id TEXT PRIMARY KEY,
  begun_at BIGINT NOT NULL
);
