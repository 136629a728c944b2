-- How many days a manifest stays that no tag, index or subject keeps; NULL for ever.
ALTER TABLE repository ADD COLUMN keep_untagged_days BIGINT;
-- When the last tag of a manifest went to another one or was deleted; NULL for one that never had a tag.
ALTER TABLE manifest ADD COLUMN untagged_at BIGINT;
