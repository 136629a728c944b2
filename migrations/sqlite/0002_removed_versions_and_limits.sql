-- Versions that were deleted or replaced. Their bytes stay until the grace is over, and so long they can be brought back.
CREATE TABLE removed_version (
    id INTEGER PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    chart TEXT NOT NULL,
    version TEXT NOT NULL,
    file_name TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT removed_version_state_known CHECK (state IN ('candidate', 'approved', 'deprecated', 'withdrawn')),
    archive_blob_id BIGINT NOT NULL REFERENCES blob (id),
    provenance_blob_id BIGINT REFERENCES blob (id),
    entry BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    removed_at BIGINT NOT NULL,
    removed_by TEXT NOT NULL
);
CREATE INDEX removed_version_name ON removed_version (repository_id, chart, version);
CREATE INDEX removed_version_time ON removed_version (removed_at);
CREATE INDEX removed_version_archive_blob ON removed_version (archive_blob_id);
CREATE INDEX removed_version_provenance_blob ON removed_version (provenance_blob_id) WHERE provenance_blob_id IS NOT NULL;

-- What a repository may hold, NULL for no limit, and what it holds: kept with each change, so that a limit costs the
-- same however much is there.
ALTER TABLE repository ADD COLUMN most_versions BIGINT;
ALTER TABLE repository ADD COLUMN most_bytes BIGINT;
ALTER TABLE repository ADD COLUMN version_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repository ADD COLUMN stored_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE repository SET
    version_count = (SELECT COUNT(*) FROM version v WHERE v.repository_id = repository.id),
    stored_bytes = (
        SELECT COALESCE(SUM(a.size_bytes + COALESCE(p.size_bytes, 0)), 0)
        FROM version v JOIN blob a ON a.id = v.archive_blob_id LEFT JOIN blob p ON p.id = v.provenance_blob_id
        WHERE v.repository_id = repository.id
    );

-- One row: what holds for every server on this catalog.
CREATE TABLE server_state (
    id INTEGER PRIMARY KEY CONSTRAINT server_state_single CHECK (id = 1),
    -- Why nothing may be written at the moment; NULL when writing is on.
    read_only_reason TEXT
);
INSERT INTO server_state (id) VALUES (1);

-- A version may come back, which is an event of its own. SQLite changes a CHECK only by making the table anew.
CREATE TABLE event_with_returns (
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT event_kind_known CHECK (kind IN ('published', 'overwritten', 'provenance', 'deleted', 'restored')),
    chart TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (repository_id, revision)
) WITHOUT ROWID;
INSERT INTO event_with_returns SELECT * FROM event;
DROP TABLE event;
ALTER TABLE event_with_returns RENAME TO event;
