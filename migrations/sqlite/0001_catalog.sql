-- The embedded catalog: the record of truth for one server and its local folder.
-- Times are microseconds since 1970 UTC. `revision` orders every change of one repository without gaps.

CREATE TABLE repository (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL CONSTRAINT repository_path_unique UNIQUE,
    visibility TEXT NOT NULL CONSTRAINT repository_visibility_known CHECK (visibility IN ('public', 'private')),
    overwrite TEXT NOT NULL CONSTRAINT repository_overwrite_known CHECK (overwrite IN ('refused', 'forced', 'allowed')),
    index_format TEXT NOT NULL CONSTRAINT repository_index_format_known CHECK (index_format IN ('json', 'yaml')),
    index_detail TEXT NOT NULL CONSTRAINT repository_index_detail_known CHECK (index_detail IN ('full', 'lean')),
    artifact_hub_id TEXT,
    revision BIGINT NOT NULL,
    -- Moves with every change of the settings above, which an index in memory must notice.
    settings_revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- One row for one set of bytes in the blob store.
CREATE TABLE blob (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    storage_key TEXT NOT NULL CONSTRAINT blob_storage_key_unique UNIQUE,
    created_at BIGINT NOT NULL
);
CREATE INDEX blob_digest ON blob (digest);

CREATE TABLE version (
    id INTEGER PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    chart TEXT NOT NULL,
    version TEXT NOT NULL,
    -- `a-1` at `2.0.0` and `a` at `1-2.0.0` are both `a-1-2.0.0.tgz`: the file name is unique too.
    file_name TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT version_state_known CHECK (state IN ('candidate', 'approved', 'deprecated', 'withdrawn')),
    archive_blob_id BIGINT NOT NULL REFERENCES blob (id),
    provenance_blob_id BIGINT REFERENCES blob (id),
    -- The index entry's bytes, made once when the version was published.
    entry BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT version_unique UNIQUE (repository_id, chart, version),
    CONSTRAINT version_file_name_unique UNIQUE (repository_id, file_name)
);
CREATE INDEX version_archive_blob ON version (archive_blob_id);
CREATE INDEX version_provenance_blob ON version (provenance_blob_id) WHERE provenance_blob_id IS NOT NULL;

-- Every change of a repository in order; what the index and later the replicas follow.
CREATE TABLE event (
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT event_kind_known CHECK (kind IN ('published', 'overwritten', 'provenance', 'deleted')),
    chart TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (repository_id, revision)
) WITHOUT ROWID;

CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    -- SHA-256 of the secret: the secret has 256 random bits, so a slow hash would add nothing.
    secret_digest TEXT NOT NULL CONSTRAINT token_secret_unique UNIQUE,
    role TEXT NOT NULL CONSTRAINT token_role_known CHECK (role IN ('reader', 'publisher', 'curator', 'admin')),
    -- NULL: every repository; else this path and what lies below it.
    repository TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
