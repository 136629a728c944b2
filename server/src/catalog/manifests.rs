//! Manifests as they are read: by tag or digest, those that were pushed and those that were minted for a chart's version.

use bytes::Bytes;
use chart::ChartName;
use chart::artifact::{Minted, version_of};
use oci::{Descriptor, Digest, Manifest, Reference, media_type};
use sqlx::FromRow;

use super::blobs::digest_from_catalog;
use super::chart_manifests::set_minted;
use super::connection::{Connection, read};
use super::versions::metadata_of_entry;
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError};

/// A manifest with the bytes that are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManifestRow {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) content: Bytes,
}

/// Where a name's manifests are looked for.
#[derive(Debug, Clone)]
pub(crate) struct ManifestPlace {
    /// The name's id, when somebody pushed to it.
    pub(crate) name_id: Option<i64>,
    /// The repository and the chart whose versions it stands for, when it may hold charts.
    pub(crate) chart: Option<(i64, ChartName)>,
}

/// A version whose manifest an older program did not mint.
#[derive(FromRow)]
struct Unminted {
    id: i64,
    entry: Vec<u8>,
    archive_digest: String,
    archive_size: i64,
    provenance_digest: Option<String>,
    provenance_size: Option<i64>,
}

impl Catalog {
    /// Returns the manifest that `reference` names.
    pub(crate) async fn find_manifest(
        &self,
        place: &ManifestPlace,
        reference: &Reference,
    ) -> Result<Option<ManifestRow>, CatalogError> {
        if let Some(found) = self.find_pushed(place, reference).await? {
            return Ok(Some(found));
        }
        self.find_minted(place, reference).await
    }

    async fn find_pushed(
        &self,
        place: &ManifestPlace,
        reference: &Reference,
    ) -> Result<Option<ManifestRow>, CatalogError> {
        let Some(name_id) = place.name_id else { return Ok(None) };
        let row: Option<(String, String, Vec<u8>)> = match reference {
            Reference::Tag(tag) => read!(self, |database| {
                sqlx::query_as(
                "SELECT m.digest, m.media_type, m.content FROM tag t JOIN manifest m ON m.id = t.manifest_id \
                 WHERE t.name_id = $1 AND t.tag = $2 AND m.removed_at IS NULL"
            )
            .bind(name_id)
            .bind(tag.as_str())
            .fetch_optional(database)
            .await
            })?,
            Reference::Digest(digest) => read!(self, |database| sqlx::query_as(
                "SELECT digest, media_type, content FROM manifest \
                 WHERE name_id = $1 AND digest = $2 AND removed_at IS NULL"
            )
            .bind(name_id)
            .bind(digest.to_string())
            .fetch_optional(database)
            .await)?,
        };
        row.map(|(digest, media_type, content)| {
            Ok(ManifestRow { digest: digest_from_catalog(&digest)?, media_type, content: content.into() })
        })
        .transpose()
    }

    async fn find_minted(
        &self,
        place: &ManifestPlace,
        reference: &Reference,
    ) -> Result<Option<ManifestRow>, CatalogError> {
        let Some((repository_id, chart)) = &place.chart else { return Ok(None) };
        let row: Option<(i64, Option<String>, Option<Vec<u8>>)> = match reference {
            Reference::Tag(tag) => {
                let Some(version) = version_of(tag) else { return Ok(None) };
                read!(self, |database| {
                    sqlx::query_as(
                    "SELECT id, manifest_digest, manifest FROM version WHERE repository_id = $1 AND chart = $2 \
                     AND version = $3 AND state IN ('approved', 'deprecated')"
                )
                .bind(*repository_id)
                .bind(chart.as_str())
                .bind(version.as_str())
                .fetch_optional(database)
                .await
                })?
            }
            Reference::Digest(digest) => read!(self, |database| {
                sqlx::query_as(
                "SELECT id, manifest_digest, manifest FROM version WHERE repository_id = $1 AND chart = $2 \
                 AND manifest_digest = $3 AND state IN ('approved', 'deprecated')"
            )
            .bind(*repository_id)
            .bind(chart.as_str())
            .bind(digest.to_string())
            .fetch_optional(database)
            .await
            })?,
        };
        let (digest, content) = match row {
            None => return Ok(None),
            Some((_, Some(digest), Some(content))) => (digest_from_catalog(&digest)?, content),
            Some((id, _, _)) => {
                let Some(minted) = self.mint_version(id).await? else { return Ok(None) };
                (minted.manifest_digest, minted.manifest)
            }
        };
        let media_type = media_type::IMAGE_MANIFEST.to_owned();
        Ok(Some(ManifestRow { digest, media_type, content: content.into() }))
    }

    /// Mints the manifest of a version that an older program published, and keeps it.
    async fn mint_version(&self, version_id: i64) -> Result<Option<Minted>, CatalogError> {
        let unminted: Option<Unminted> = read!(self, |database| sqlx::query_as(concat!(
            "SELECT v.id, v.entry, a.digest AS archive_digest, a.size_bytes AS archive_size, \
             p.digest AS provenance_digest, p.size_bytes AS provenance_size FROM version v \
             JOIN blob a ON a.id = v.archive_blob_id LEFT JOIN blob p ON p.id = v.provenance_blob_id ",
            "WHERE v.id = $1"
        ))
        .bind(version_id)
        .fetch_optional(database)
        .await)?;
        let Some(unminted) = unminted else { return Ok(None) };
        let minted = unminted.mint()?;
        self.make(KeepMinted { version_id: unminted.id, minted: minted.clone() }).await?;
        Ok(Some(minted))
    }

    /// Mints what older programs published, up to `limit` versions; returns how many these were.
    pub(crate) async fn mint_older_versions(&self, limit: u32) -> Result<u64, CatalogError> {
        let unminted: Vec<i64> = read!(self, |database| sqlx::query_scalar(
            "SELECT id FROM version WHERE manifest IS NULL ORDER BY id LIMIT $1"
        )
        .bind(i64::from(limit))
        .fetch_all(database)
        .await)?;
        for id in &unminted {
            self.mint_version(*id).await?;
        }
        Ok(unminted.len() as u64)
    }

    /// Returns what is attached to `subject` under the name, in the order of the digests, from the one after `after` on,
    /// `limit` of them at most.
    pub(crate) async fn list_referrers(
        &self,
        name_id: i64,
        subject: &Digest,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Descriptor>, CatalogError> {
        let rows: Vec<(String, String, Vec<u8>)> = read!(self, |database| sqlx::query_as(
            "SELECT digest, media_type, content FROM manifest WHERE name_id = $1 AND subject_digest = $2 \
             AND digest > $3 AND removed_at IS NULL ORDER BY digest LIMIT $4"
        )
        .bind(name_id)
        .bind(subject.to_string())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await)?;
        rows.into_iter()
            .map(|(digest, media_type, content)| referrer(&digest, media_type, &content))
            .collect()
    }

    /// Returns every tag of a name that was pushed, with those of the versions of its chart that the index shows.
    pub(crate) async fn list_tags(&self, place: &ManifestPlace) -> Result<Vec<String>, CatalogError> {
        let mut tags: Vec<String> = match place.name_id {
            None => Vec::new(),
            Some(name_id) => read!(self, |database| sqlx::query_scalar(
                "SELECT t.tag FROM tag t JOIN manifest m ON m.id = t.manifest_id \
                 WHERE t.name_id = $1 AND m.removed_at IS NULL"
            )
            .bind(name_id)
            .fetch_all(database)
            .await)?,
        };
        if let Some((repository_id, chart)) = &place.chart {
            let versions: Vec<String> = read!(self, |database| sqlx::query_scalar(
                "SELECT version FROM version WHERE repository_id = $1 AND chart = $2 \
                 AND state IN ('approved', 'deprecated')"
            )
            .bind(*repository_id)
            .bind(chart.as_str())
            .fetch_all(database)
            .await)?;
            let versions = versions.iter().filter_map(|version| version.parse().ok());
            let of_versions = versions.filter_map(|version| chart::artifact::tag_of(&version));
            tags.extend(of_versions.map(|tag| tag.as_str().to_owned()));
        }
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }
}

/// Returns a manifest as the list of referrers shows it (distribution specification, "Listing Referrers").
fn referrer(digest: &str, media_type: String, content: &[u8]) -> Result<Descriptor, CatalogError> {
    let corrupt = || CatalogError::Corrupt { what: "manifest", value: digest.to_owned() };
    let manifest = Manifest::parse(content, Some(&media_type)).map_err(|_| corrupt())?;
    let artifact_type = manifest.artifact_type().map(str::to_owned);
    let annotations = (!manifest.annotations.is_empty()).then(|| manifest.annotations.clone());
    let descriptor = Descriptor::new(media_type, digest_from_catalog(digest)?, content.len() as u64);
    Ok(Descriptor { artifact_type, annotations, ..descriptor })
}

impl Unminted {
    fn mint(&self) -> Result<Minted, CatalogError> {
        let metadata = metadata_of_entry(&self.entry)?;
        let archive = digest_from_catalog(&self.archive_digest)?;
        let provenance = self.provenance_digest.as_deref().map(digest_from_catalog).transpose()?;
        let size = self.provenance_size.unwrap_or_default().unsigned_abs();
        let provenance = provenance.as_ref().map(|digest| (digest, size));
        Ok(Minted::new(&metadata, (&archive, self.archive_size.unsigned_abs()), provenance))
    }
}

struct KeepMinted {
    version_id: i64,
    minted: Minted,
}

impl Change for KeepMinted {
    type Answer = ();

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<()>, CatalogError> {
        set_minted(connection, self.version_id, &self.minted).await?;
        Ok(Outcome::Commit(()))
    }
}
