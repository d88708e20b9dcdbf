-- Saved views: what a page of the web UI shows, under a name that everybody in the project sees.
CREATE TABLE views (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  page TEXT NOT NULL,                -- runs, compare
  name TEXT NOT NULL,
  query TEXT NOT NULL,               -- of the page's URL, without '?'
  member TEXT NOT NULL,              -- who made it
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (project_id, page, name)
);
