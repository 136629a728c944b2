-- The OCI registry. A published chart's own manifest and configuration are minted when it is published and stand in its
-- row, so that a publish costs no further statement; NULL in rows of older versions until they are minted.
ALTER TABLE version ADD COLUMN manifest BLOB;
ALTER TABLE version ADD COLUMN manifest_digest TEXT;
ALTER TABLE version ADD COLUMN config BLOB;
ALTER TABLE version ADD COLUMN config_digest TEXT;
CREATE INDEX version_manifest ON version (manifest_digest) WHERE manifest_digest IS NOT NULL;
CREATE INDEX version_unminted ON version (id) WHERE manifest IS NULL;
ALTER TABLE removed_version ADD COLUMN manifest BLOB;
ALTER TABLE removed_version ADD COLUMN manifest_digest TEXT;
ALTER TABLE removed_version ADD COLUMN config BLOB;
ALTER TABLE removed_version ADD COLUMN config_digest TEXT;

-- Counts every change of what a repository's OCI names hold. Apart from `revision`, whose index it leaves as it is.
ALTER TABLE repository ADD COLUMN registry_revision BIGINT NOT NULL DEFAULT 0;

-- A name somebody pushed a manifest to. It stays with the repository of its first push. The names of charts that came
-- by HTTP alone need no row: they are repository path and chart.
CREATE TABLE oci_name (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL CONSTRAINT oci_name_unique UNIQUE,
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    -- Charts or images, not both; NULL while only attachments were pushed, which go with either.
    content TEXT CONSTRAINT oci_name_content_known CHECK (content IN ('charts', 'images')),
    created_at BIGINT NOT NULL
);
CREATE INDEX oci_name_repository ON oci_name (repository_id);

-- A manifest's bytes as they were pushed, or as they were minted before they were superseded.
CREATE TABLE manifest (
    id INTEGER PRIMARY KEY,
    name_id BIGINT NOT NULL REFERENCES oci_name (id),
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BLOB NOT NULL,
    -- What it is attached to, present or not.
    subject_digest TEXT,
    artifact_type TEXT,
    -- The chart and version whose archive it names, and the archive's digest; NULL for what is no chart.
    chart_version TEXT,
    archive_digest TEXT,
    -- The configuration of a minted manifest, which is in no blob store.
    config BLOB,
    config_digest TEXT,
    -- When its version was removed: kept, and not served, as long as that may be brought back.
    removed_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT manifest_unique UNIQUE (name_id, digest)
);
CREATE INDEX manifest_subject ON manifest (name_id, subject_digest) WHERE subject_digest IS NOT NULL;
CREATE INDEX manifest_version ON manifest (name_id, chart_version) WHERE chart_version IS NOT NULL;
CREATE INDEX manifest_removed ON manifest (removed_at) WHERE removed_at IS NOT NULL;

-- The blobs a manifest names: what the collector asks.
CREATE TABLE manifest_blob (
    manifest_id BIGINT NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    blob_id BIGINT NOT NULL REFERENCES blob (id),
    PRIMARY KEY (manifest_id, blob_id)
) WITHOUT ROWID;
CREATE INDEX manifest_blob_blob ON manifest_blob (blob_id);

-- The manifests an index names, which may be absent.
CREATE TABLE manifest_child (
    manifest_id BIGINT NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    PRIMARY KEY (manifest_id, digest)
) WITHOUT ROWID;
CREATE INDEX manifest_child_digest ON manifest_child (digest);

CREATE TABLE tag (
    name_id BIGINT NOT NULL REFERENCES oci_name (id),
    tag TEXT NOT NULL,
    manifest_id BIGINT NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (name_id, tag)
) WITHOUT ROWID;
CREATE INDEX tag_manifest ON tag (manifest_id);

-- A blob that was pushed, mounted or looked for under a name, held for the manifest that will name it.
CREATE TABLE blob_link (
    name TEXT NOT NULL,
    blob_id BIGINT NOT NULL REFERENCES blob (id),
    held_until BIGINT NOT NULL,
    PRIMARY KEY (name, blob_id)
) WITHOUT ROWID;
CREATE INDEX blob_link_blob ON blob_link (blob_id);
CREATE INDEX blob_link_held_until ON blob_link (held_until);

-- An upload in several requests: what is received so far and how to go on, on whichever server the next one arrives.
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- `open`, or how it ended: kept for a while, so that its address is known to be over.
    state TEXT NOT NULL CONSTRAINT upload_state_known CHECK (state IN ('open', 'done', 'cancelled')),
    algorithm TEXT NOT NULL,
    received_bytes BIGINT NOT NULL,
    -- The digest of what is received, as the hash function left off.
    digest_state BLOB,
    storage_key TEXT NOT NULL,
    -- The store's own name for the upload and its parts so far, as JSON; NULL before the first part.
    store_state TEXT,
    -- Who works on it at the moment, and until when they have it to themselves.
    holder TEXT,
    held_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX upload_changed ON upload (changed_at);
CREATE INDEX upload_key ON upload (storage_key);

-- What is received and smaller than a part of the store: pieces in order.
CREATE TABLE upload_tail (
    upload_id TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    start_byte BIGINT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (upload_id, start_byte)
);

-- What happened in the registry, in order and without gaps for each repository.
CREATE TABLE registry_event (
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT registry_event_kind_known CHECK (kind IN ('pushed', 'tagged', 'untagged', 'deleted')),
    name TEXT NOT NULL,
    tag TEXT,
    digest TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (repository_id, revision)
) WITHOUT ROWID;

-- Keys that sign what servers hand out and take back: registry tokens and upload addresses. The newest one signs, all
-- that are there verify.
CREATE TABLE signing_key (
    id INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,
    created_at BIGINT NOT NULL
);
