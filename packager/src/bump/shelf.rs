//! What a vault holds of each chart, told by the name and version in the archives.
//!
//! A vault knows digests only, so a name says nothing about where the archive came from.

use std::collections::BTreeMap;

use chart::ChartVersion;
use chart::archive::{ChartArchive, Limits};
use oci::Digest;

use crate::vault::{Vault, VaultError};

/// The archives of a vault by name and version.
#[derive(Debug, Default)]
pub(super) struct Shelves(BTreeMap<String, BTreeMap<ChartVersion, Digest>>);

impl Shelves {
    /// Looks at everything that a vault holds; what is no chart archive is passed over.
    ///
    /// # Errors
    /// [`VaultError`], also for a file with other bytes than its name says.
    pub(super) fn of(vault: &Vault) -> Result<Self, VaultError> {
        let limits = Limits::default();
        let mut shelves = Self::default();
        for kept in vault.list()? {
            if kept.size_bytes > limits.compressed_bytes {
                continue;
            }
            let bytes = vault.get(&kept.digest)?;
            // Anything else ends here at once: gzip and tar are told by their first bytes.
            let Ok(metadata) = ChartArchive::inspect(bytes.as_slice(), &limits) else { continue };
            let shelf = shelves.0.entry(metadata.name.to_string()).or_default();
            shelf.insert(metadata.version, kept.digest);
        }
        Ok(shelves)
    }

    /// Returns the versions of a chart.
    pub(super) fn versions(&self, chart: &str) -> impl Iterator<Item = &ChartVersion> {
        self.0.get(chart).into_iter().flat_map(BTreeMap::keys)
    }

    /// Returns the archive of one version.
    pub(super) fn find(&self, chart: &str, version: &ChartVersion) -> Option<&Digest> {
        self.0.get(chart)?.get(version)
    }
}

#[cfg(test)]
mod tests {
    use chart::testing::ChartBuilder;

    use super::*;

    #[test]
    fn only_archives_of_charts_are_on_a_shelf() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let digest = vault.put(&ChartBuilder::new("a", "1.1.0").build()).unwrap();
        vault.put(&ChartBuilder::new("a", "1.0.0").build()).unwrap();
        vault.put(&ChartBuilder::new("b", "3.0.0").build()).unwrap();
        vault.put(b"name: a\nversion: 9.0.0\n").unwrap();
        let shelves = Shelves::of(&vault).unwrap();
        let versions: Vec<_> = shelves.versions("a").map(ChartVersion::as_str).collect();
        assert_eq!(versions, ["1.0.0", "1.1.0"]);
        assert_eq!(shelves.find("a", &"1.1.0".parse().unwrap()), Some(&digest));
        assert!(shelves.find("c", &"1.1.0".parse().unwrap()).is_none());
    }
}
