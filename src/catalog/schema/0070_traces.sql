-- Traces, one row each: what lists show and filters ask for. state is a name of domain/trace.h. Times are microseconds,
-- those of spans nanoseconds. is_told: the client itself said how the whole trace went, and spans only add to that.
CREATE TABLE traces (
  number {serial},
  id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  experiment BIGINT NOT NULL REFERENCES experiments (number),
  state TEXT NOT NULL,
  name TEXT,
  started_at BIGINT NOT NULL,
  duration BIGINT,
  client_request_id TEXT,
  request_preview TEXT,
  response_preview TEXT,
  session TEXT,
  input_tokens BIGINT,
  output_tokens BIGINT,
  total_tokens BIGINT,
  cache_read_input_tokens BIGINT,
  cache_creation_input_tokens BIGINT,
  span_bytes BIGINT NOT NULL DEFAULT 0,
  is_told SMALLINT NOT NULL DEFAULT 0,
  UNIQUE (project_id, id)
);
CREATE INDEX traces_by_experiment ON traces (experiment, started_at DESC, id);
CREATE INDEX traces_by_project ON traces (project_id, started_at DESC, id);
CREATE INDEX traces_by_session ON traces (experiment, session) WHERE session IS NOT NULL;

CREATE TABLE trace_tags (
  trace BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace, key)
) {without_rowid};
CREATE INDEX trace_tags_by_value ON trace_tags (key, substr(value, 1, 64), trace);

CREATE TABLE trace_metadata (
  trace BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace, key)
) {without_rowid};
CREATE INDEX trace_metadata_by_value ON trace_metadata (key, substr(value, 1, 64), trace);

-- Runs and versions of prompts ("name/version") that a trace was linked to after it was made.
CREATE TABLE trace_links (
  kind TEXT NOT NULL CHECK (kind IN ('run', 'prompt')),
  target TEXT NOT NULL,
  trace BIGINT NOT NULL,
  PRIMARY KEY (kind, target, trace)
) {without_rowid};
CREATE INDEX trace_links_by_trace ON trace_links (trace);

-- What is asked of spans without opening them.
CREATE TABLE trace_spans (
  trace BIGINT NOT NULL,
  span TEXT NOT NULL,
  parent TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  started_ns BIGINT NOT NULL,
  ended_ns BIGINT NOT NULL,
  model TEXT,
  provider TEXT,
  input_cost DOUBLE PRECISION,
  output_cost DOUBLE PRECISION,
  total_cost DOUBLE PRECISION,
  PRIMARY KEY (trace, span)
) {without_rowid};

-- Whole spans, compressed (src/tracking/span_codec.h), as they came. Of a span that is there twice the later one counts.
CREATE TABLE trace_span_batches (
  number {serial},
  trace BIGINT NOT NULL,
  body {blob} NOT NULL
);
CREATE INDEX trace_span_batches_by_trace ON trace_span_batches (trace, number);
