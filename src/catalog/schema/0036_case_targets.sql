-- The right answer of a case as a picture, such as the mask of a segmentation.

ALTER TABLE cases ADD COLUMN target_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN target_bytes BIGINT NOT NULL DEFAULT 0;
