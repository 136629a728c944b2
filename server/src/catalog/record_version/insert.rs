//! Inserts a version that is not there: its bytes, its row and its event in one question to the database.
//!
//! A publisher waits for each question, so the three go together. Each database has its own words for that: SQLite runs
//! several statements that share their values, Postgres one whose parts feed each other.

use oci::OciName;

use super::refuse::refuse_new;
use super::{Recorded, Row};
use crate::catalog::CatalogError;
use crate::catalog::blobs::BlobToRecord;
use crate::catalog::connection::{Connection, on};
use crate::catalog::events::Locked;

/// Inserts the version with its bytes and its event, or says what stands against it; what was written until then is to be
/// discarded. That the version is there already is for the caller to find out.
pub(super) async fn insert_new(
    connection: &mut Connection,
    row: &Row<'_>,
    locked: Locked,
) -> Result<Option<Recorded>, CatalogError> {
    if let Some(refusal) = refuse_new(connection, row, locked).await? {
        return Ok(Some(refusal));
    }
    if insert(connection, row, locked).await? {
        return Ok(None);
    }
    why_not(connection, row).await.map(Some)
}

/// Bytes are kept only for a version that is not there: a flat file keeps its key, so the row of what is there would
/// speak of the new bytes.
const EMBEDDED: &str = "\
    INSERT INTO blob (digest, size_bytes, storage_key, created_at) \
    SELECT column1, column2, column3, $1 \
    FROM (VALUES ($2, $3, $4, $5), ($6, $7, $8, $9)) \
    WHERE column4 AND NOT EXISTS \
    (SELECT 1 FROM version WHERE repository_id = $10 AND chart = $11 AND version = $12) \
    ON CONFLICT (storage_key) DO UPDATE SET digest = excluded.digest, size_bytes = excluded.size_bytes, \
    created_at = excluded.created_at; \
    INSERT INTO version (repository_id, chart, version, file_name, state, archive_blob_id, provenance_blob_id, \
    entry, created_at, manifest, manifest_digest, config, config_digest) \
    SELECT $10, $11, $12, $13, 'approved', archive.id, provenance.id, $14, $15, $16, $17, $18, $19 \
    FROM blob AS archive LEFT JOIN blob AS provenance ON provenance.storage_key = $8 \
    WHERE archive.storage_key = $4 AND (provenance.id IS NOT NULL OR $8 IS NULL) \
    AND NOT EXISTS (SELECT 1 FROM oci_name WHERE name = $20 AND content = 'images') \
    ON CONFLICT DO NOTHING; \
    INSERT INTO event (repository_id, revision, kind, chart, version, digest, actor, at) \
    SELECT $10, $21, 'published', $11, $12, $2, $22, $1 WHERE changes() = 1 RETURNING revision";

const POSTGRES: &str = "\
    WITH kept AS (\
    INSERT INTO blob (digest, size_bytes, storage_key, created_at) \
    SELECT column1, column2, column3, $1 \
    FROM (VALUES ($2, $3, $4, $5), ($6, $7, $8, $9)) AS offered \
    WHERE column4 AND NOT EXISTS \
    (SELECT 1 FROM version WHERE repository_id = $10 AND chart = $11 AND version = $12) \
    ON CONFLICT (storage_key) DO UPDATE SET digest = excluded.digest, size_bytes = excluded.size_bytes, \
    created_at = excluded.created_at RETURNING id, storage_key), \
    held AS (\
    SELECT id, storage_key FROM kept UNION ALL \
    SELECT id, storage_key FROM blob WHERE storage_key = $4 AND NOT $5 OR storage_key = $8 AND NOT $9), \
    added AS (\
    INSERT INTO version (repository_id, chart, version, file_name, state, archive_blob_id, provenance_blob_id, \
    entry, created_at, manifest, manifest_digest, config, config_digest) \
    SELECT $10, $11, $12, $13, 'approved', archive.id, provenance.id, $14, $15, $16, $17, $18, $19 \
    FROM held AS archive LEFT JOIN held AS provenance ON provenance.storage_key = $8 \
    WHERE archive.storage_key = $4 AND (provenance.id IS NOT NULL OR $8 IS NULL) \
    AND NOT EXISTS (SELECT 1 FROM oci_name WHERE name = $20 AND content = 'images') \
    ON CONFLICT DO NOTHING RETURNING chart) \
    INSERT INTO event (repository_id, revision, kind, chart, version, digest, actor, at) \
    SELECT $10, $21, 'published', $11, $12, $2, $22, $1 FROM added RETURNING revision";

/// Returns false when the version, its file name or its name in the registry is taken, or known bytes are gone.
async fn insert(connection: &mut Connection, row: &Row<'_>, locked: Locked) -> Result<bool, CatalogError> {
    let question = match connection {
        Connection::Sqlite(_) => EMBEDDED,
        Connection::Postgres(_) => POSTGRES,
    };
    let (new, provenance) = (row.new, row.new.provenance.as_ref());
    let inserted: Option<i64> = on!(connection, |database| sqlx::query_scalar(question)
        .bind(locked.at.micros())
        .bind(new.archive.digest().to_string())
        .bind(size_of(&new.archive))
        .bind(new.archive.key().as_str())
        .bind(is_kept(&new.archive))
        .bind(provenance.map(|blob| blob.digest().to_string()))
        .bind(provenance.map(size_of))
        .bind(provenance.map(|blob| blob.key().as_str()))
        .bind(provenance.is_some_and(is_kept))
        .bind(new.repository_id)
        .bind(new.chart.as_str())
        .bind(new.version.as_str())
        .bind(&new.file_name)
        .bind(&*row.entry)
        .bind(row.created_at.micros())
        .bind(new.minted.manifest.as_slice())
        .bind(new.minted.manifest_digest.to_string())
        .bind(new.minted.config.as_slice())
        .bind(new.minted.config_digest.to_string())
        .bind(new.oci_name.as_ref().map(OciName::as_str))
        .bind(locked.revision)
        .bind(&new.actor)
        .fetch_optional(database)
        .await)?;
    Ok(inserted.is_some())
}

fn size_of(blob: &BlobToRecord) -> i64 {
    i64::try_from(blob.size_bytes()).unwrap_or(i64::MAX)
}

/// Tells whether the bytes need a row: known ones have theirs.
fn is_kept(blob: &BlobToRecord) -> bool {
    match blob {
        BlobToRecord::Kept { .. } => true,
        BlobToRecord::Known(_) => false,
    }
}

/// Says who has the file name that the version would have, that its name in the registry is one of images, or else that
/// bytes are gone which were known.
async fn why_not(connection: &mut Connection, row: &Row<'_>) -> Result<Recorded, CatalogError> {
    let holder: Option<(String, String)> = on!(connection, |database| sqlx::query_as(
        "SELECT chart, version FROM version WHERE repository_id = $1 AND file_name = $2"
    )
    .bind(row.new.repository_id)
    .bind(&row.new.file_name)
    .fetch_optional(database)
    .await)?;
    if let Some((chart, version)) = holder {
        return Ok(Recorded::FileNameTaken { chart, version });
    }
    let Some(name) = &row.new.oci_name else { return Ok(Recorded::BlobGone) };
    let images: i64 = on!(connection, |database| sqlx::query_scalar(
        "SELECT COUNT(*) FROM oci_name WHERE name = $1 AND content = 'images'"
    )
    .bind(name.as_str())
    .fetch_one(database)
    .await)?;
    Ok(if images > 0 { Recorded::NameHoldsImages { name: name.clone() } } else { Recorded::BlobGone })
}
