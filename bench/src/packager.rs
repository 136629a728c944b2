//! The packager over a folder of charts: what it finds and moves in each, and how long that takes.
//! Rule: each chart begins with an empty cache of its own; "again" is the same commands with what these left there.

mod recipes;
mod row;
mod site;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use self::recipes::Recipes;
use self::row::Row;
use self::site::Packager;
use crate::environment;
use crate::progress::Progress;

/// Runs the packager over the archives of a folder and writes the table to `report`, after each chart anew.
///
/// # Errors
/// When a chart is refused, or the packager is not built.
pub(crate) fn measure(folder: &Path, report: &Path) -> Result<()> {
    let packager = Packager { program: environment::chartpack()?, helm: environment::tool("helm4")? };
    let mut archives: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        archives.push(entry?.path());
    }
    archives.retain(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    archives.sort();
    ensure!(!archives.is_empty(), "`{}` holds no charts", folder.display());
    let (head, recipes, progress) = (table::head(&packager)?, Recipes::read()?, Progress::new());
    let mut rows = Vec::new();
    for archive in archives {
        progress.say(&archive.file_stem().unwrap_or_default().to_string_lossy());
        rows.push(Row::measure(&packager, &archive, &recipes)?);
        fs::write(report, format!("{head}{}", table::to_markdown(&rows)))
            .with_context(|| format!("cannot write `{}`", report.display()))?;
    }
    Ok(())
}
