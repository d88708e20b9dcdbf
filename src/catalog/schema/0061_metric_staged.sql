-- Summaries of series on their way into metric_latest: what a row here says of a series counts instead of what the table
-- says. One row per run, written whenever its points are sorted; carried over in larger pieces, which is what makes the
-- ordered index of the table cheap to keep. id changes with every write of the row.
CREATE TABLE metric_staged (
  run BIGINT NOT NULL,
  experiment BIGINT NOT NULL,
  id BIGINT NOT NULL,
  pairs BIGINT NOT NULL,
  body {blob} NOT NULL,
  PRIMARY KEY (run)
) {without_rowid};
