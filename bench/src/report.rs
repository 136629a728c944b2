//! The report: what was measured, beside whom, against which bar, and whether the bar is met.
//! Rule: a bar that is missed stands in the summary as plainly as one that is met.

use std::fmt::Write;

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::environment;
use crate::figures::number;
use crate::machine::{Machine, said};
use crate::measured::Measured;
use crate::stores::Stores;

/// What one row of the design's table came to.
#[derive(Debug)]
pub(crate) struct Section {
    /// The work.
    pub(crate) title: &'static str,
    /// What was done and how it was counted.
    pub(crate) method: String,
    /// What the peer showed when the design was written.
    pub(crate) published: &'static str,
    /// Who stands in the column beside ours.
    pub(crate) peer: &'static str,
    /// What was measured.
    pub(crate) lines: Vec<Line>,
}

/// One measured figure beside its peer's.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    what: String,
    ours: String,
    peer: String,
    chartmuseum: String,
    judged: Option<(f64, Bar)>,
}

/// What a ratio or value has to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// At least that much.
    AtLeast(f64),
    /// At most that much.
    AtMost(f64),
    /// At most that many seconds.
    Seconds(f64),
    /// At most that many bytes.
    Bytes(f64),
    /// Nothing: the ratio informs.
    None,
}

impl Bar {
    fn is_met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(limit) => Some(value >= limit),
            Self::AtMost(limit) | Self::Seconds(limit) | Self::Bytes(limit) => Some(value <= limit),
            Self::None => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(limit) => format!("≥ {}", number(limit)),
            Self::AtMost(limit) => format!("≤ {}", number(limit)),
            Self::Seconds(limit) => format!("≤ {} s", number(limit)),
            Self::Bytes(limit) => format!("≤ {} MB", number(limit / 1e6)),
            Self::None => "–".to_owned(),
        }
    }

    fn value(self, value: f64) -> String {
        match self {
            Self::AtLeast(_) | Self::AtMost(_) | Self::None => number(value),
            Self::Seconds(_) => format!("{} s", number(value)),
            Self::Bytes(_) => format!("{} MB", number(value / 1e6)),
        }
    }
}

impl Line {
    /// Begins a line with what was measured and our own figure.
    pub(crate) fn new(what: impl Into<String>, ours: impl Into<String>) -> Self {
        let none = || "–".to_owned();
        Self { what: what.into(), ours: ours.into(), peer: none(), chartmuseum: none(), judged: None }
    }

    /// Sets the peer's figure.
    pub(crate) fn beside(mut self, peer: impl Into<String>) -> Self {
        self.peer = peer.into();
        self
    }

    /// Sets ChartMuseum's figure, or says that it was not run.
    pub(crate) fn chartmuseum(mut self, figure: Option<String>) -> Self {
        self.chartmuseum = figure.unwrap_or_else(|| "not run".to_owned());
        self
    }

    /// Sets what is judged and the bar it is judged by.
    pub(crate) fn judged(mut self, value: f64, bar: Bar) -> Self {
        self.judged = Some((value, bar));
        self
    }

    /// Returns whether the bar is met; nothing for a line that only informs.
    pub(crate) fn is_met(&self) -> Option<bool> {
        self.judged.and_then(|(value, bar)| bar.is_met(value))
    }

    fn cells(&self) -> String {
        let (ratio, bar) = match self.judged {
            None => ("–".to_owned(), "–".to_owned()),
            Some((value, bar)) => (bar.value(value), bar.text()),
        };
        let met = match self.is_met() {
            None => "–",
            Some(true) => "met",
            Some(false) => "**missed**",
        };
        let Self { what, ours, peer, chartmuseum, .. } = self;
        format!("| {what} | {ours} | {peer} | {chartmuseum} | {ratio} | {bar} | {met} |\n")
    }
}

impl Section {
    /// Returns the section as Markdown, with a line that tells the circumstances below the title.
    pub(crate) fn to_markdown(&self, stores: Stores, circumstances: &str) -> String {
        let Self { title, method, published, peer, lines } = self;
        let on = stores.title();
        let mut text = format!("### {title}, on {on}\n\n{circumstances}\n{method}\n\n");
        let _ = writeln!(text, "Published peer figure: {published}.\n");
        let _ = writeln!(text, "| what | Chartroom | {peer} | ChartMuseum | ratio or value | bar | met |");
        text.push_str("|---|---|---|---|---|---|---|\n");
        text.extend(lines.iter().map(Line::cells));
        text
    }

    /// Returns the cells of the summary: title, bars met, verdict.
    pub(crate) fn summary(&self) -> String {
        let judged = self.lines.iter().filter_map(|line| Some((line, line.is_met()?)));
        let (met, missed): (Vec<_>, Vec<_>) = judged.partition(|(_, is_met)| *is_met);
        let total = met.len() + missed.len();
        let names: Vec<_> = missed.iter().map(|(line, _)| line.what.as_str()).collect();
        let verdict = match (total, missed.is_empty()) {
            (0, _) => "no bar at this size".to_owned(),
            (_, true) => "met".to_owned(),
            (_, false) => format!("**missed**: {}", names.join("; ")),
        };
        format!("| {} | {} of {total} | {verdict} |\n", self.title, met.len())
    }
}

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    coverage: String,
    command: String,
    parts: Vec<(Stores, Vec<Measured>)>,
}

impl Report {
    /// Begins a report of so much work, which a command repeats.
    pub(crate) fn new(machine: Machine, coverage: String, command: String) -> Self {
        Self { machine, coverage, command, parts: Vec::new() }
    }

    /// Begins the part on such stores.
    ///
    /// # Errors
    /// When their servers do not tell their versions.
    pub(crate) fn begin(&mut self, stores: Stores, bench: &Bench) -> Result<()> {
        match stores {
            Stores::Embedded => {}
            Stores::Production => {
                let postgres = bench.production()?.postgres_version()?;
                self.machine.note("Postgres", format!("{postgres}, its log synced at every commit"));
                self.machine.note("MinIO", said(&environment::tool("minio")?, &["--version"])?);
            }
        }
        self.parts.push((stores, Vec::new()));
        Ok(())
    }

    /// Adds a row to the part that was begun last.
    pub(crate) fn add(&mut self, measured: Measured) {
        if let Some((_, rows)) = self.parts.last_mut() {
            rows.push(measured);
        }
    }

    /// Returns an error when a row could not be measured.
    ///
    /// # Errors
    /// That one.
    pub(crate) fn expect_all_measured(&self) -> Result<()> {
        ensure!(!self.parts.is_empty(), "this row is not measured on those stores");
        let failed = self.parts.iter().flat_map(|(_, rows)| rows).filter(|row| !row.is_measured()).count();
        ensure!(failed == 0, "{failed} rows could not be measured");
        Ok(())
    }

    /// Returns the whole report as Markdown.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = String::from("# Chartroom beside its peers\n\n");
        let _ = writeln!(text, "{}\n", self.coverage);
        if let Some(warning) = self.machine.warning() {
            let _ = writeln!(text, "{warning}\n");
        }
        text.push_str(
            "Measured on one machine, in turns, with the client and the stores on the same cores: trust the ratios, not \
             the absolutes. \"Not run\" means that the program was not on the machine; the figure published for it stands \
             above the table.\n\n",
        );
        text.push_str(&self.machine.to_markdown());
        let _ = write!(text, "\nTo repeat it: `{}`.\n\n## Summary\n\n", self.command);
        text.push_str("| stores | work | bars met | verdict |\n|---|---|---|---|\n");
        for (stores, rows) in &self.parts {
            text.extend(rows.iter().map(|row| row.summary(*stores)));
        }
        for (stores, rows) in &self.parts {
            let (title, missing) = (stores.title(), stores.rows().len() - rows.len());
            let _ = writeln!(text, "\n## {title}");
            if missing > 0 {
                let _ = writeln!(text, "\n{missing} rows were not measured in this run.");
            }
            text.extend(rows.iter().map(|row| format!("\n{}", row.to_markdown(*stores))));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(lines: Vec<Line>) -> Section {
        Section { title: "work", method: "done".to_owned(), published: "fast", peer: "nginx", lines }
    }

    #[test]
    fn a_missed_bar_is_named_in_table_and_summary() {
        let section = section(vec![
            Line::new("small", "9/s").beside("10/s").judged(0.9, Bar::AtLeast(0.95)),
            Line::new("large", "10/s").beside("10/s").judged(1.0, Bar::AtLeast(0.95)),
            Line::new("for information", "7 MB"),
        ]);
        let markdown = section.to_markdown(Stores::Embedded, "today");
        assert!(markdown.contains("| small | 9/s | 10/s | – | 0.90 | ≥ 0.95 | **missed** |"));
        assert_eq!(section.summary(), "| work | 1 of 2 | **missed**: small |\n");
    }

    #[test]
    fn nothing_judged_is_nothing_met() {
        let section = section(vec![Line::new("for information", "7 MB").judged(1.0, Bar::None)]);
        assert_eq!(section.summary(), "| work | 0 of 0 | no bar at this size |\n");
    }

    #[test]
    fn no_figure_meets_no_bar() {
        for bar in [Bar::AtLeast(0.1), Bar::AtMost(9.0), Bar::Seconds(1.0), Bar::Bytes(1.0)] {
            assert_eq!(Line::new("x", "y").judged(f64::NAN, bar).is_met(), Some(false));
        }
    }
}
