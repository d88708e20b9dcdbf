-- Who works here and with what right; and the few tables that belong to no single room.
CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  archived SMALLINT NOT NULL DEFAULT 0
);

-- What protocols without projects (MLflow, the inference protocol) work in.
INSERT INTO projects (id, name, description, created_at, archived) VALUES ('default', 'default', '', 0, 0);

CREATE TABLE members (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('admin', 'member')),
  password_hash TEXT,
  created_at BIGINT NOT NULL,
  disabled SMALLINT NOT NULL DEFAULT 0
);

-- Only the SHA-256 of a token is kept (64 hex digits), so a copy of the database is no credential.
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  member_id TEXT NOT NULL REFERENCES members (id),
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  run_id TEXT
);
CREATE INDEX tokens_by_member ON tokens (member_id);
CREATE INDEX tokens_by_run ON tokens (run_id);

-- Append only. member_id is no reference: an entry outlives what it tells about.
CREATE TABLE audit (
  id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  member_id TEXT,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_subject ON audit (subject, at);

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- Which server runs which loop (placement, triggers, retention), until when.
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until BIGINT NOT NULL
);
