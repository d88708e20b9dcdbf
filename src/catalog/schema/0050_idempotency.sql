-- Creates that were sent with an Idempotency-Key (api/idempotency.h). A row is a claim until it has an answer.
-- fence: who holds the claim; a write of anybody else is refused. wrote: 1 as soon as a write of the create is committed.
-- status, body: the answer; body is NULL when it is not kept (secrets, very long ones).
CREATE TABLE idempotency_keys (
  member_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  request_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  fence TEXT NOT NULL,
  server TEXT NOT NULL,
  claimed_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  wrote SMALLINT NOT NULL DEFAULT 0,
  status BIGINT,
  body TEXT,
  PRIMARY KEY (member_id, project_id, request_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
