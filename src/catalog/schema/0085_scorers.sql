-- Scorers (domain/scorer.h): named per experiment, versioned from 1. body is the JSON that a client wrote; nothing here runs it.
CREATE TABLE scorers (
  number {serial},
  id TEXT NOT NULL UNIQUE,
  experiment BIGINT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (experiment, name)
);

CREATE TABLE scorer_versions (
  scorer BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scorer, version)
) {without_rowid};

-- Which share of an experiment's traces a scorer should be shown as they come.
CREATE TABLE scorer_sampling (
  scorer BIGINT PRIMARY KEY,
  id TEXT NOT NULL,
  rate DOUBLE PRECISION NOT NULL,
  filter TEXT
) {without_rowid};
