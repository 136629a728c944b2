//! Each version: its rows are there, and its index entry is of this name, version and archive.

use oci::Digest;
use serde::Deserialize;

use super::{Check, Found, PAGE, VerifyError};
use crate::catalog::InspectedVersion;

/// What of an index entry can be compared.
#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
    digest: Option<String>,
}

impl Check<'_> {
    pub(super) async fn check_versions(&mut self) -> Result<(), VerifyError> {
        let mut after = i64::MIN;
        loop {
            let page = self.stores.catalog.inspect_versions(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for version in &page {
                self.verified.versions += 1;
                self.check_version(version);
            }
        }
    }

    fn check_version(&mut self, row: &InspectedVersion) {
        let repository = row.repository.to_string();
        let (chart, version) = (row.chart.clone(), row.version.clone());
        let broken = |part| Found::ReferenceBroken {
            repository: repository.clone(),
            chart: chart.clone(),
            version: version.clone(),
            part,
        };
        let mut found = Vec::new();
        if row.lacks_provenance {
            found.push(broken("provenance"));
        }
        match &row.archive_digest {
            None => found.push(broken("archive")),
            Some(digest) => found.extend(disagreement(row, digest).map(|reason| Found::EntryDisagrees {
                repository: repository.clone(),
                chart: chart.clone(),
                version: version.clone(),
                reason,
            })),
        }
        for found in found {
            self.found(found, false);
        }
    }
}

/// Says where the entry is not of this version.
fn disagreement(row: &InspectedVersion, digest: &Digest) -> Option<String> {
    let entry: Entry = match serde_json::from_slice(&row.entry) {
        Ok(entry) => entry,
        Err(error) => return Some(format!("the entry is no JSON of an entry: {error}")),
    };
    let told = entry.digest.as_deref().map(Digest::from_sha256_hex);
    if entry.name != row.chart {
        Some(format!("the entry is of the chart `{}`", entry.name))
    } else if entry.version != row.version {
        Some(format!("the entry is of the version `{}`", entry.version))
    } else if told != Some(Ok(digest.clone())) {
        let told = entry.digest.unwrap_or_else(|| "none".to_owned());
        Some(format!("the entry has the digest `{told}`, the archive {digest}"))
    } else {
        None
    }
}
