-- What a project keeps of its runs (src/retention/rules.h), as a JSON array; and when that was last seen to.
CREATE TABLE retention_rules (
  project_id TEXT PRIMARY KEY,
  rules TEXT NOT NULL,
  member_id TEXT NOT NULL,           -- who said so; in the audit trail the deletions are theirs
  member TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  applied_at BIGINT
);
