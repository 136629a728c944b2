//! What a check can find, and for each kind what it means and what to do.

use serde::Serialize;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// What was found.
    #[serde(flatten)]
    pub(crate) found: Found,
    /// What it means for those who use the server.
    pub(crate) meaning: &'static str,
    /// What to do about it.
    pub(crate) remedy: &'static str,
    /// Whether it has been repaired.
    pub(crate) repaired: bool,
}

/// What can be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Found {
    /// The store has nothing where the catalog says.
    BlobMissing {
        /// Where.
        key: String,
        /// What should lie there.
        digest: String,
        /// Some of the versions and manifests that need it.
        needed_by: Vec<String>,
    },
    /// The store has other bytes than the catalog says.
    BlobDamaged {
        /// Where.
        key: String,
        /// What is wrong.
        reason: String,
        /// Some of the versions and manifests that need it.
        needed_by: Vec<String>,
    },
    /// A version refers to a row that is not there.
    ReferenceBroken {
        /// The repository's path.
        repository: String,
        /// The chart.
        chart: String,
        /// Its version.
        version: String,
        /// `archive` or `provenance`.
        part: &'static str,
    },
    /// A manifest of the registry is not what it is served as, or does not keep what it needs.
    ManifestBroken {
        /// Its name; of one that was minted, its version.
        name: String,
        /// The digest it is served under.
        digest: String,
        /// What is wrong.
        reason: String,
    },
    /// The kept index entry is not of this version.
    EntryDisagrees {
        /// The repository's path.
        repository: String,
        /// The chart.
        chart: String,
        /// Its version.
        version: String,
        /// Where they disagree.
        reason: String,
    },
    /// A repository says it holds something else than it does.
    CountWrong {
        /// The repository's path.
        repository: String,
        /// What it says.
        said: String,
        /// What is there.
        counted: String,
    },
    /// A repository's events do not make up its revision.
    EventsBroken {
        /// The repository's path.
        repository: String,
        /// In what way.
        reason: String,
    },
    /// Old bytes that the catalog does not know.
    Waste {
        /// Where.
        key: String,
    },
}

impl Finding {
    pub(super) fn of(found: Found, repaired: bool) -> Self {
        let (meaning, remedy) = found.advice();
        Self { found, meaning, remedy, repaired }
    }
}

impl Found {
    /// Returns what it means and what to do.
    fn advice(&self) -> (&'static str, &'static str) {
        match self {
            Self::BlobMissing { .. } | Self::BlobDamaged { .. } => (
                "downloads of what needs them fail",
                "--repair takes an intact copy if the store has one; else bring the bytes back from a backup, or delete \
                 what needs them and publish it again",
            ),
            Self::ReferenceBroken { .. } => (
                "the version cannot be downloaded, and the database has lost rows",
                "restore a backup, or delete the version and publish it again",
            ),
            Self::ManifestBroken { .. } => (
                "pulls from the registry fail, or will",
                "restore a backup, or delete the manifest or version and push it again",
            ),
            Self::EntryDisagrees { .. } => (
                "clients see something else in the index than they get",
                "delete the version and publish it again",
            ),
            Self::CountWrong { .. } => ("quotas and figures are off", "--repair counts anew"),
            Self::EventsBroken { .. } => (
                "servers that follow the catalog may have missed a change",
                "restart all servers, which then read everything anew, and look for what else the database has lost",
            ),
            Self::Waste { .. } => {
                ("space is taken and nothing else", "--repair or `chartroom collect-garbage` removes it")
            }
        }
    }

    /// Returns the kind of it as words for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::BlobMissing { .. } => "blob missing",
            Self::BlobDamaged { .. } => "blob damaged",
            Self::ReferenceBroken { .. } => "reference broken",
            Self::ManifestBroken { .. } => "manifest broken",
            Self::EntryDisagrees { .. } => "entry disagrees",
            Self::CountWrong { .. } => "count wrong",
            Self::EventsBroken { .. } => "events broken",
            Self::Waste { .. } => "waste",
        }
    }

    /// Returns what it is about, and the details.
    pub(crate) fn details(&self) -> String {
        let named = |repository: &str, chart: &str, version: &str| format!("{repository} {chart} {version}");
        match self {
            Self::BlobMissing { key, digest, needed_by } => {
                format!("`{key}` ({digest}){}", needed(needed_by))
            }
            Self::BlobDamaged { key, reason, needed_by } => format!("`{key}`: {reason}{}", needed(needed_by)),
            Self::ReferenceBroken { repository, chart, version, part } => {
                format!("{}: its {part} has no row", named(repository, chart, version))
            }
            Self::ManifestBroken { name, digest, reason } => format!("{name} {digest}: {reason}"),
            Self::EntryDisagrees { repository, chart, version, reason } => {
                format!("{}: {reason}", named(repository, chart, version))
            }
            Self::CountWrong { repository, said, counted } => {
                format!("{repository}: says {said}, holds {counted}")
            }
            Self::EventsBroken { repository, reason } => format!("{repository}: {reason}"),
            Self::Waste { key } => format!("`{key}`"),
        }
    }
}

fn needed(by: &[String]) -> String {
    if by.is_empty() { String::new() } else { format!(", needed by {}", by.join(", ")) }
}
