//! Which images community charts run, as people read them out of the charts' upstreams before anything looked for them.
//! Rule: what these lists name was not found by the packager; each file begins with its source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::environment;

/// The list of one chart.
#[derive(Debug, Default)]
pub struct Expected {
    /// What it runs as delivered, or with any of its switches on or off.
    pub images: BTreeSet<String>,
    /// What it runs after a choice that is no switch: a text, a list, an address.
    pub by_choice: BTreeSet<String>,
}

impl Expected {
    /// Reads the list of a chart, which is named as its archive without the ending.
    ///
    /// # Errors
    /// When there is none, or it names no source.
    pub fn of(chart: &str) -> Result<Self> {
        let path = folder().join("community").join(format!("{chart}.txt"));
        let text = fs::read_to_string(&path).with_context(|| format!("no list `{}`", path.display()))?;
        ensure!(text.starts_with("# "), "`{}` names no source", path.display());
        let mut expected = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.strip_prefix("? ") {
                Some(rest) => {
                    expected.by_choice.insert(rest.split(' ').next().unwrap_or_default().to_owned())
                }
                None => expected.images.insert(line.to_owned()),
            };
        }
        Ok(expected)
    }
}

/// Returns what is known to be missed, by chart.
///
/// # Errors
/// When a line gives no reason.
pub fn read_missed() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut missed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = fs::read_to_string(folder().join("missed.txt"))?;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (entry, reason) = line.split_once(" # ").with_context(|| format!("no reason: {line}"))?;
        let (chart, image) = entry.trim().split_once(' ').with_context(|| format!("no image: {line}"))?;
        ensure!(!reason.trim().is_empty(), "no reason: {line}");
        missed.entry(chart.to_owned()).or_default().insert(image.trim().to_owned());
    }
    Ok(missed)
}

/// Returns the folder of all lists.
pub fn folder() -> PathBuf {
    environment::repository_root().join("tests/expected-images")
}
