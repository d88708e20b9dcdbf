-- URLs that are told what happens in a project, and what they still have to be told.
-- secret: sealed with the server's key (base/seal.h); empty for none.
CREATE TABLE webhooks (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL,
  secret TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'DISABLED')),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX webhooks_by_project ON webhooks (project_id, number);

CREATE TABLE webhook_events (
  webhook_id TEXT NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (webhook_id, event)
) {without_rowid};

-- Written in the transaction of what they tell. body: what is sent, whole. next_at: when the next try is due.
CREATE TABLE webhook_deliveries (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  webhook_id TEXT NOT NULL,
  event TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  tries BIGINT NOT NULL DEFAULT 0,
  next_at BIGINT NOT NULL,
  status BIGINT,
  message TEXT NOT NULL DEFAULT '',
  ended_at BIGINT
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, number);
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
