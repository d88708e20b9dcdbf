-- Finding the runs that have a certain parameter or tag. The first 64 characters, because values may be longer than
-- PostgreSQL takes into an index; src/tracking/search_plan.cc compares the same expression.
CREATE INDEX run_params_by_value ON run_params (key, substr(value, 1, 64), run);
CREATE INDEX run_tags_by_value ON run_tags (key, substr(value, 1, 64), run);
