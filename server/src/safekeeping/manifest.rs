//! What a backup consists of: written last, so that a backup without it is none, and sealed by its own digest.

use chart::Timestamp;
use oci::Digest;
use serde::{Deserialize, Serialize};

use super::transcript::{BlobTotals, Part, RepositoryRevision, tables};

/// The only format there is so far.
const FORMAT: u32 = 1;

/// A backup's contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    /// The backup's name, which tells its time and orders them.
    pub(crate) name: String,
    /// When the catalog was read.
    pub(crate) created: Timestamp,
    /// The version of the program.
    program: String,
    /// The number of the tables' last migration.
    pub(crate) schema: i64,
    /// The tables' files in the order in which they are to be loaded.
    pub(crate) parts: Vec<Part>,
    /// How far each repository was.
    pub(crate) repositories: Vec<RepositoryRevision>,
    /// The bytes that belong to it.
    pub(crate) blobs: BlobTotals,
}

/// Why a text is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidManifest {
    /// Its last line is not the digest of the first.
    #[error("it does not have the digest that it ends with")]
    BrokenSeal,
    /// It is of another format.
    #[error("it has the format {0}, which this version does not know: use a newer one")]
    UnknownFormat(u32),
    /// It is sealed and yet no manifest.
    #[error("{0}")]
    Unreadable(String),
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Manifest {
    /// Returns the manifest of a backup that is taken now.
    pub(super) fn new(
        created: Timestamp,
        schema: i64,
        parts: Vec<Part>,
        repositories: Vec<RepositoryRevision>,
        blobs: BlobTotals,
    ) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, name: name_of(created), created, program, schema, parts, repositories, blobs }
    }

    /// Returns the manifest as one line, and its digest as another.
    ///
    /// # Errors
    /// Never in practice: every field has a form in JSON.
    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        let line = serde_json::to_string(self)?;
        Ok(format!("{line}\n{}\n", Digest::sha256(line.as_bytes())))
    }

    /// Reads what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// [`InvalidManifest`] when a single byte is another.
    pub(super) fn parse(text: &[u8]) -> Result<Self, InvalidManifest> {
        let text = std::str::from_utf8(text).map_err(|_| InvalidManifest::BrokenSeal)?;
        let (line, _) = text.split_once('\n').ok_or(InvalidManifest::BrokenSeal)?;
        if text != format!("{line}\n{}\n", Digest::sha256(line.as_bytes())) {
            return Err(InvalidManifest::BrokenSeal);
        }
        let unreadable = |error: serde_json::Error| InvalidManifest::Unreadable(error.to_string());
        let Format { format } = serde_json::from_str(line).map_err(unreadable)?;
        if format != FORMAT {
            return Err(InvalidManifest::UnknownFormat(format));
        }
        let manifest: Self = serde_json::from_str(line).map_err(unreadable)?;
        let named = manifest.parts.iter().map(|part| part.table.as_str());
        // The names of files are made of these.
        if !named.eq(tables()) {
            return Err(InvalidManifest::Unreadable("its tables are not those of a catalog".to_owned()));
        }
        Ok(manifest)
    }
}

/// Returns the time in a form that is a file name everywhere and sorts as time does.
fn name_of(created: Timestamp) -> String {
    let text = created.to_string();
    let (seconds, fraction) = match text.trim_end_matches('Z').split_once('.') {
        Some((seconds, fraction)) => (seconds.to_owned(), fraction.to_owned()),
        None => (text.trim_end_matches('Z').to_owned(), String::new()),
    };
    format!("{}.{fraction:0<6}Z", seconds.replace(['-', ':'], ""))
}

/// Tells whether a text may be a backup's name: it becomes part of a path.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let part = |table: &str| Part {
            table: table.to_owned(),
            rows: 1,
            size_bytes: 2,
            digest: Digest::sha256(table.as_bytes()),
        };
        Manifest::new(
            Timestamp::from_micros(1_700_000_000_000_000),
            2,
            tables().map(part).collect(),
            vec![RepositoryRevision { path: String::new(), revision: 7 }],
            BlobTotals { count: 1, bytes: 5 },
        )
    }

    #[test]
    fn a_manifest_comes_back_and_not_one_of_its_bytes_may_be_another() {
        let text = manifest().to_text().unwrap().into_bytes();
        assert_eq!(Manifest::parse(&text), Ok(manifest()));
        for place in 0..text.len() {
            let mut other = text.clone();
            other[place] ^= 1;
            assert!(Manifest::parse(&other).is_err(), "byte {place}");
            assert!(Manifest::parse(&text[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn another_format_and_other_tables_are_refused() {
        let newer = Manifest { format: 2, ..manifest() };
        assert_eq!(
            Manifest::parse(newer.to_text().unwrap().as_bytes()),
            Err(InvalidManifest::UnknownFormat(2))
        );
        let mut other = manifest();
        other.parts[0].table = "../../secrets".to_owned();
        let refused = Manifest::parse(other.to_text().unwrap().as_bytes());
        assert!(matches!(refused, Err(InvalidManifest::Unreadable(_))), "{refused:?}");
    }

    #[test]
    fn names_sort_as_times_and_lead_nowhere() {
        for (micros, name) in [
            (1_700_000_000_000_000, "20231114T221320.000000Z"),
            (1_700_000_000_000_010, "20231114T221320.000010Z"),
            (1_700_000_000_120_000, "20231114T221320.120000Z"),
        ] {
            assert_eq!(name_of(Timestamp::from_micros(micros)), name);
            assert!(is_name(name));
        }
        for odd in ["", "..", "../1", "1/2", ".1", "a"] {
            assert!(!is_name(odd), "{odd}");
        }
    }
}
