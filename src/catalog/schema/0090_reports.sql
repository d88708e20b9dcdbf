-- Reports: Markdown with live charts. A report's row says what it is now; its text lies with its newest revision.
CREATE TABLE reports (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  title TEXT NOT NULL,
  revision BIGINT NOT NULL,          -- the newest one
  author TEXT NOT NULL,              -- who made it
  editor TEXT NOT NULL,              -- who changed it last
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT                  -- put aside; goes for good some time later
);
CREATE INDEX reports_by_project ON reports (project_id, updated_at);

CREATE TABLE report_revisions (
  report_id TEXT NOT NULL,
  number BIGINT NOT NULL,            -- from 1; the oldest go when there are too many
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  bytes BIGINT NOT NULL,             -- of text
  member TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (report_id, number)
);
