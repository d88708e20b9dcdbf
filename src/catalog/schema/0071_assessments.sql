-- What people, judges and code said of traces. value and error are JSON; number is what averages are made of.
CREATE TABLE assessments (
  number {serial},
  id TEXT NOT NULL,
  trace BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('feedback', 'expectation', 'issue')),
  name TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source_id TEXT NOT NULL,
  value TEXT NOT NULL,
  value_number DOUBLE PRECISION,
  is_number SMALLINT NOT NULL DEFAULT 0,
  error TEXT,
  rationale TEXT,
  span TEXT,
  metadata TEXT NOT NULL DEFAULT '{}',
  overrides TEXT,
  valid SMALLINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (trace, id)
);
CREATE INDEX assessments_by_name ON assessments (kind, name, trace);
