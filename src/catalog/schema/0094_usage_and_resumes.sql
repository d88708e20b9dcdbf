-- What each run takes, as it was measured last (src/retention/usage.h).
CREATE TABLE run_usage (
  run BIGINT PRIMARY KEY,
  artifacts BIGINT NOT NULL,
  points BIGINT NOT NULL,
  logs BIGINT NOT NULL,
  measured_at BIGINT NOT NULL
);

-- When a run that was over went on (src/tracking/resumes.h). Attempts of runs that Slipway executes are in `attempts`.
CREATE TABLE run_resumes (
  run BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (run, at)
) {without_rowid};
