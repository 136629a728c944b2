//! When a row was measured, of which sources, and what else the machine did: rows of one report may be hours apart.

use anyhow::Result;

use crate::machine::{commit, date, load};

/// What stands below the title of a row.
#[derive(Debug)]
pub(crate) struct Circumstances {
    date: String,
    commit: String,
    load_before: String,
    load_after: String,
}

impl Circumstances {
    /// Notes what is so before a row is measured.
    ///
    /// # Errors
    /// When the system does not say.
    pub(crate) fn before() -> Result<Self> {
        let load_before = load()?;
        Ok(Self { date: date()?, commit: commit()?, load_after: load_before.clone(), load_before })
    }

    /// Notes the load once the row is measured, its own part included.
    ///
    /// # Errors
    /// When the system does not say.
    pub(crate) fn note_end(&mut self) -> Result<()> {
        self.load_after = load()?;
        Ok(())
    }

    /// Returns them as a line of Markdown.
    pub(crate) fn to_markdown(&self) -> String {
        let Self { date, commit, load_before, load_after } = self;
        format!(
            "_{date}, commit {commit}; load (1, 5, 15 minutes) {load_before} before, {load_after} after._\n"
        )
    }
}
