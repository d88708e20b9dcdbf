-- What clients attach to traces (pictures, sound, whole records of older clients), by path. hash is the blob's, in hex.
CREATE TABLE trace_files (
  trace BIGINT NOT NULL,
  path TEXT NOT NULL,
  hash TEXT NOT NULL,
  size BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (trace, path)
) {without_rowid};
