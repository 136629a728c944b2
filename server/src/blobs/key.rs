//! Where bytes lie: the only place that spells a path of the blob store.

use std::fmt;
use std::path::{Path, PathBuf};

use oci::Digest;

use crate::repository_path::RepositoryPath;

/// Where bytes lie that came in pieces.
pub(super) const RECEIVED: &str = "blobs/received/";

/// A path below the root of the blob store, made of checked parts only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BlobKey(Box<str>);

impl BlobKey {
    /// Returns `blobs/<algorithm>/<2 hex>/<hex>-<random>`: fresh for every write, so that removing one copy of some
    /// bytes can never hit another.
    pub(crate) fn fresh(digest: &Digest, random: u64) -> Self {
        let hex = digest.hex();
        let fan = hex.get(..2).unwrap_or_default();
        Self(format!("blobs/{}/{fan}/{hex}-{random:016x}", digest.algorithm().name()).into_boxed_str())
    }

    /// Returns `blobs/received/<32 hex>`: for bytes that come in pieces, whose digest is known only when all are there.
    pub(crate) fn received(random: u128) -> Self {
        Self(format!("{RECEIVED}{random:032x}").into_boxed_str())
    }

    /// Returns `<tenant>/<file name>`: ChartMuseum's flat layout, which it can read again.
    pub(crate) fn flat(repository: &RepositoryPath, file_name: &str) -> Self {
        if repository.is_root() {
            Self(file_name.into())
        } else {
            Self(format!("{}/{file_name}", repository.as_str()).into_boxed_str())
        }
    }

    /// Takes a key that a copy of the catalog names, if it is one that [`Self::fresh`] makes for this digest or
    /// [`Self::received`] for any: a copy may come from anywhere, and `../` leads anywhere.
    pub(crate) fn addressed(text: &str, digest: &Digest) -> Option<Self> {
        let is_hex = |random: &str, length| {
            random.len() == length && random.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if let Some(random) = text.strip_prefix(RECEIVED) {
            return is_hex(random, 32).then(|| Self(text.into()));
        }
        let fan = digest.hex().get(..2)?;
        let folder = format!("blobs/{}/{fan}/{}-", digest.algorithm().name(), digest.hex());
        let random = text.strip_prefix(&folder)?;
        is_hex(random, 16).then(|| Self(text.into()))
    }

    /// Returns `<algorithm>/<2 hex>/<hex>`: where a place of backups has bytes, once for all of them.
    pub(crate) fn of_digest(digest: &Digest) -> Self {
        let hex = digest.hex();
        let fan = hex.get(..2).unwrap_or_default();
        Self(format!("{}/{fan}/{hex}", digest.algorithm().name()).into_boxed_str())
    }

    /// Returns `<backup>/<file>`: a part of a backup, whose names are made and checked by its place.
    pub(crate) fn in_backup(backup: &str, file: &str) -> Self {
        Self(format!("{backup}/{file}").into_boxed_str())
    }

    /// Takes a key the catalog holds.
    pub(crate) fn from_catalog(key: String) -> Self {
        Self(key.into_boxed_str())
    }

    /// Takes a key found by listing the store.
    pub(super) fn from_listing(key: String) -> Self {
        Self(key.into_boxed_str())
    }

    /// Returns the key's text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the file it names below `root`.
    pub(super) fn path_below(&self, root: &Path) -> PathBuf {
        root.join(&*self.0)
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_fans_out_by_digest_and_never_repeats() {
        let digest = Digest::sha256(b"chart");
        let key = BlobKey::fresh(&digest, 7);
        let fan = &digest.hex()[..2];
        assert_eq!(key.as_str(), format!("blobs/sha256/{fan}/{}-0000000000000007", digest.hex()));
        assert_ne!(key, BlobKey::fresh(&digest, 8));
    }

    #[test]
    fn a_flat_key_is_the_tenants_folder_and_the_file() {
        let tenant: RepositoryPath = "org/team".parse().unwrap();
        assert_eq!(BlobKey::flat(&tenant, "a-1.0.0.tgz").as_str(), "org/team/a-1.0.0.tgz");
        assert_eq!(BlobKey::flat(&RepositoryPath::root(), "a-1.0.0.tgz").as_str(), "a-1.0.0.tgz");
    }
}
