-- A run's log: bytes as they came, zstd-compressed, appended. start_at counts bytes from the beginning of the run's log, over all
-- attempts; length is uncompressed. The last chunk grows until it is worth a row of its own.
CREATE TABLE run_logs (
  run_id TEXT NOT NULL,
  start_at BIGINT NOT NULL,
  length BIGINT NOT NULL,
  bytes {blob} NOT NULL,
  PRIMARY KEY (run_id, start_at)
);
