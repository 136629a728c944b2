//! What became of everything a source has.

use crate::import_source::{Named, Unusable};
use crate::repository_path::RepositoryPath;

/// The outcome of an import.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportReport {
    /// Whether nothing was changed, and `imported` is what would have been.
    pub(crate) dry_run: bool,
    /// How many versions came in, and how many bytes of archives they have.
    pub(crate) imported: u64,
    pub(crate) imported_bytes: u64,
    /// How many were there with the same bytes.
    pub(crate) present: u64,
    /// What may not come in, now or later.
    pub(crate) refused: Vec<Remark>,
    /// What the source did not give; later it may.
    pub(crate) unfetched: Vec<Remark>,
    /// What came in, but not as it was offered.
    pub(crate) notes: Vec<Remark>,
}

/// A version, or a file that is none, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remark {
    pub(crate) repository: String,
    /// The chart, or the file where nobody can tell the chart.
    pub(crate) chart: String,
    pub(crate) version: String,
    pub(crate) reason: String,
}

/// What became of one archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Imported { bytes: u64 },
    Present,
    Refused,
    Unfetched,
}

impl ImportReport {
    pub(super) fn new(dry_run: bool) -> Self {
        Self { dry_run, ..Self::default() }
    }

    /// Counts one archive. A remark about one that came in is a note.
    pub(super) fn add(&mut self, remark: Option<Remark>, fate: Fate) {
        let remarks = match fate {
            Fate::Imported { bytes } => {
                self.imported += 1;
                self.imported_bytes += bytes;
                &mut self.notes
            }
            Fate::Present => {
                self.present += 1;
                &mut self.notes
            }
            Fate::Refused => &mut self.refused,
            Fate::Unfetched => &mut self.unfetched,
        };
        remarks.extend(remark);
    }

    /// Puts remarks in the order of their names: archives arrive in any.
    pub(super) fn sort(&mut self) {
        for remarks in [&mut self.refused, &mut self.unfetched, &mut self.notes] {
            remarks.sort();
        }
    }
}

impl Remark {
    pub(super) fn new(repository: &RepositoryPath, named: &Named, reason: impl ToString) -> Self {
        let (chart, version) = match named {
            Named::File(name) => (name.clone(), String::new()),
            Named::Entry(chart, version) => (chart.to_string(), version.to_string()),
        };
        Self { repository: repository.to_string(), chart, version, reason: reason.to_string() }
    }

    pub(super) fn of_unusable(repository: &RepositoryPath, unusable: Unusable) -> Self {
        let Unusable { name, version, reason } = unusable;
        Self { repository: repository.to_string(), chart: name, version, reason }
    }
}
