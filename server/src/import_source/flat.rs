//! ChartMuseum's files: `<name>-<version>.tgz` and its `.prov`, in folders of tenants or in none.

use std::collections::HashMap;

use futures_util::TryStreamExt;

use super::{FetchError, Listing, Named, Offer, OfferedProvenance, Place, Unusable};
use crate::blobs::{BlobError, BlobKey, Blobs, FlatEntry, StageError, StagedBlob, Staging};
use crate::repository_path::RepositoryPath;

const ARCHIVE: &str = ".tgz";
const PROVENANCE: &str = ".tgz.prov";

/// Files that lie `depth` folders below the root, as ChartMuseum's `--depth` has them.
pub(crate) struct FlatSource {
    blobs: Blobs,
    depth: usize,
    is_near: bool,
}

impl FlatSource {
    /// Takes the files of a store in the flat layout; `is_near` says that it is a folder of this machine.
    pub(crate) fn new(blobs: Blobs, depth: usize, is_near: bool) -> Self {
        Self { blobs, depth, is_near }
    }

    pub(super) fn is_near(&self) -> bool {
        self.is_near
    }

    /// Lists archives in the order of their paths.
    pub(super) async fn list(&self) -> Result<Listing, BlobError> {
        let mut files = HashMap::new();
        let mut pages = self.blobs.list_flat(Some(self.depth));
        while let Some(page) = pages.try_next().await? {
            files.extend(page.into_iter().map(|entry| (entry.path.clone(), entry)));
        }
        Ok(gather(&files, self.depth))
    }

    pub(super) async fn fetch(
        &self,
        key: &BlobKey,
        staging: &Staging,
        limit: u64,
    ) -> Result<StagedBlob, FetchError> {
        let reader = match self.blobs.open_reader(key, None).await {
            Ok(reader) => reader,
            Err(BlobError::Missing(_)) => return Err(FetchError::Absent),
            Err(error @ (BlobError::Unavailable(_) | BlobError::Full(_))) => return Err(away(&error)),
        };
        match staging.receive(Box::pin(reader.into_stream()), limit).await {
            Ok(staged) => Ok(staged),
            Err(StageError::TooLarge { limit }) => Err(FetchError::TooLarge { limit }),
            Err(StageError::Cut) => Err(FetchError::Away(format!("`{key}` broke off while it was read"))),
            Err(StageError::Store(error)) => Err(FetchError::Staging(error)),
        }
    }
}

fn away(error: &BlobError) -> FetchError {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    FetchError::Away(format!("{error}{cause}"))
}

/// Makes offers of the archives among `files`, and says what cannot be one.
fn gather(files: &HashMap<String, FlatEntry>, depth: usize) -> Listing {
    let mut paths: Vec<&FlatEntry> = files.values().collect();
    paths.sort_by(|one, other| one.path.cmp(&other.path));
    let mut listing = Listing::default();
    for entry in paths {
        let (folders, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        let segments: Vec<&str> = if folders.is_empty() { Vec::new() } else { folders.split('/').collect() };
        if segments.len() != depth || !(name.ends_with(ARCHIVE) || name.ends_with(PROVENANCE)) {
            continue;
        }
        let unusable = |reason: String| Unusable { name: entry.path.clone(), version: String::new(), reason };
        let tenant = match RepositoryPath::from_tenant_segments(&segments) {
            Ok(tenant) => tenant,
            Err(refusal) => {
                listing.unusable.push(unusable(refusal.to_string()));
                continue;
            }
        };
        if let Some(archive) = entry.path.strip_suffix(".prov") {
            if !files.contains_key(archive) {
                listing
                    .unusable
                    .push(unusable("provenance without its archive: put that beside it".to_owned()));
            }
            continue;
        }
        let provenance = match files.contains_key(&format!("{}.prov", entry.path)) {
            true => OfferedProvenance::Listed(Place::File(BlobKey::flat(&tenant, &format!("{name}.prov")))),
            false => OfferedProvenance::Absent,
        };
        listing.offers.push(Offer {
            archive: Place::File(BlobKey::flat(&tenant, name)),
            tenant,
            named: Named::File(name.to_owned()),
            created: Some(entry.modified),
            digest: None,
            provenance,
        });
    }
    listing
}

#[cfg(test)]
mod tests {
    use chart::Timestamp;

    use super::*;

    fn gathered(paths: &[&str], depth: usize) -> Listing {
        let files = paths.iter().map(|path| {
            let modified = Timestamp::from_micros(7);
            ((*path).to_owned(), FlatEntry { path: (*path).to_owned(), modified, size_bytes: 1 })
        });
        gather(&files.collect(), depth)
    }

    #[test]
    fn archives_at_the_depth_are_offered_with_their_provenance_and_nothing_else() {
        let listing = gathered(
            &["b-1.0.0.tgz", "a-1.0.0.tgz", "a-1.0.0.tgz.prov", "index-cache.yaml", "org/c-1.0.0.tgz"],
            0,
        );
        let offered: Vec<_> = listing.offers.iter().map(|offer| offer.named.file_name()).collect();
        assert_eq!(offered, ["a-1.0.0.tgz", "b-1.0.0.tgz"]);
        assert!(matches!(listing.offers[0].provenance, OfferedProvenance::Listed(_)));
        assert!(matches!(listing.offers[1].provenance, OfferedProvenance::Absent));
        assert_eq!(listing.offers[0].created, Some(Timestamp::from_micros(7)));
        assert!(listing.unusable.is_empty());
    }

    #[test]
    fn tenants_are_the_folders_and_an_orphan_is_named() {
        let listing = gathered(&["org/team/a-1.0.0.tgz", "org/team/b-1.0.0.tgz.prov", "org/a-1.0.0.tgz"], 2);
        assert_eq!(listing.offers.len(), 1);
        assert_eq!(listing.offers[0].tenant.as_str(), "org/team");
        assert_eq!(listing.unusable[0].name, "org/team/b-1.0.0.tgz.prov");
    }
}
