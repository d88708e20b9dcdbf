-- Ordering the runs of an experiment by their names is a walk along this.
CREATE INDEX runs_by_name ON runs (experiment, name);
