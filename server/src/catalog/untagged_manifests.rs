//! Manifests that nothing keeps: no tag, no index of their name, and no subject that is there. Charts are kept by their
//! versions and are none of these.

use chart::Timestamp;
use oci::Reference;

use super::connection::read;
use super::delete_manifest::ManifestRemoval;
use super::{Catalog, CatalogError, blobs::digest_from_catalog};

/// Whose doing it is that such a manifest goes.
const ACTOR: &str = "retention";
const DAY_MICROS: i64 = 86_400_000_000;

/// That nothing has kept the manifest `m` since a moment, as a condition.
macro_rules! is_unkept_since {
    ($moment:literal) => {
        concat!(
            "(m.archive_digest IS NULL AND m.removed_at IS NULL AND COALESCE(m.untagged_at, m.created_at) < ",
            $moment,
            " AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.manifest_id = m.id) \
             AND NOT EXISTS (SELECT 1 FROM manifest_child c JOIN manifest p ON p.id = c.manifest_id \
             WHERE c.digest = m.digest AND p.name_id = m.name_id) \
             AND (m.subject_digest IS NULL OR NOT ( \
             EXISTS (SELECT 1 FROM manifest s WHERE s.name_id = m.name_id AND s.digest = m.subject_digest) \
             OR EXISTS (SELECT 1 FROM version v WHERE v.manifest_digest = m.subject_digest))))"
        )
    };
}
pub(super) use is_unkept_since;

impl Catalog {
    /// Returns up to `limit` manifests that nothing has kept for longer than their repositories keep such, each to be
    /// removed unless something has come to keep it meanwhile.
    pub(crate) async fn list_unkept_manifests(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ManifestRemoval>, CatalogError> {
        let rows: Vec<(i64, i64, String, String, i64)> = read!(self, |database| {
            sqlx::query_as(concat!(
                "SELECT r.id, n.id, n.name, m.digest, r.keep_untagged_days FROM repository r \
                 JOIN oci_name n ON n.repository_id = r.id JOIN manifest m ON m.name_id = n.id \
                 WHERE r.keep_untagged_days IS NOT NULL AND ",
                is_unkept_since!("$1 - r.keep_untagged_days * 86400000000"),
                " ORDER BY m.id LIMIT $2"
            ))
            .bind(now.micros())
            .bind(i64::from(limit))
            .fetch_all(database)
            .await
        })?;
        let removal = |(repository_id, name_id, name, digest, days): (i64, i64, String, String, i64)| {
            let kept_micros = days.saturating_mul(DAY_MICROS);
            Ok(ManifestRemoval {
                repository_id,
                name_id,
                name: name.parse().map_err(|_| CatalogError::Corrupt {
                    what: "name of the registry",
                    value: name.clone(),
                })?,
                reference: Reference::Digest(digest_from_catalog(&digest)?),
                unkept_since: Some(Timestamp::from_micros(now.micros().saturating_sub(kept_micros))),
                actor: ACTOR.to_owned(),
            })
        };
        rows.into_iter().map(removal).collect()
    }
}
