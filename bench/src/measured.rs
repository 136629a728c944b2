//! A row as it stands in the report: measured under its own circumstances, or what kept it from being measured.

use anyhow::Result;

use crate::bench::Bench;
use crate::circumstances::Circumstances;
use crate::cli::Work;
use crate::report::Section;
use crate::rows;
use crate::stores::Stores;

/// The outcome of one row.
#[derive(Debug)]
pub(crate) struct Measured {
    row: Work,
    outcome: Result<Section>,
    circumstances: Circumstances,
}

impl Measured {
    /// Measures a row.
    ///
    /// # Errors
    /// When the system does not tell date and load; what kept the row from being measured is kept in its place.
    pub(crate) async fn of(row: Work, bench: &Bench) -> Result<Self> {
        let mut circumstances = Circumstances::before()?;
        let outcome = rows::measure(row, bench).await;
        circumstances.note_end()?;
        if let Err(error) = &outcome {
            bench.progress.say(&format!("{row:?} was not measured: {error:#}"));
        }
        Ok(Self { row, outcome, circumstances })
    }

    /// Returns whether there are figures.
    pub(crate) fn is_measured(&self) -> bool {
        self.outcome.is_ok()
    }

    /// Returns the row of the summary.
    pub(crate) fn summary(&self, stores: Stores) -> String {
        let cells = match &self.outcome {
            Ok(section) => section.summary(),
            Err(_) => format!("| {:?} | – | **not measured** |\n", self.row),
        };
        format!("| {} {cells}", stores.title())
    }

    /// Returns the section as Markdown.
    pub(crate) fn to_markdown(&self, stores: Stores) -> String {
        let under = self.circumstances.to_markdown();
        match &self.outcome {
            Ok(section) => section.to_markdown(stores, &under),
            Err(error) => {
                let title = format!("{:?}, on {}", self.row, stores.title());
                format!("### {title}\n\n{under}\nNot measured: {error:#}\n")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_row_that_failed_is_named_in_summary_and_text() {
        let circumstances = Circumstances::before().unwrap();
        let failed = Measured { row: Work::Start, outcome: Err(anyhow!("no room")), circumstances };
        assert!(failed.summary(Stores::Production).contains("**not measured**"));
        assert!(failed.to_markdown(Stores::Production).contains("Not measured: no room"));
    }
}
