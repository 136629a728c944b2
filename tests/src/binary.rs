//! Finds the built programs beside the running test.
//! Rule: a binary older than one of its sources is never tested in silence.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

use crate::environment;

/// Returns the path of the server's program.
///
/// # Errors
/// When it was not built, or is older than its sources.
pub fn chartroom() -> Result<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    remembered(&FOUND, "chartroom")
}

/// Returns the path of the packager's program.
///
/// # Errors
/// When it was not built, or is older than its sources.
pub fn chartpack() -> Result<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    remembered(&FOUND, "chartpack")
}

fn remembered(found: &OnceLock<Result<PathBuf, String>>, name: &str) -> Result<PathBuf> {
    found
        .get_or_init(|| find(name).map_err(|error| format!("{error:#}")))
        .clone()
        .map_err(|text| anyhow!(text))
}

fn find(name: &str) -> Result<PathBuf> {
    if let Some(folder) = environment::binaries_folder() {
        let path = folder.join(name);
        if !path.is_file() {
            bail!("`{}` is missing, which CHARTROOM_BINARIES promises", path.display());
        }
        return Ok(path);
    }
    let path = profile_folder()?.join(name);
    if !path.is_file() {
        bail!(
            "`{}` is not built: run `make test`, or build it with the command in the Makefile",
            path.display()
        );
    }
    refuse_stale(&path)?;
    Ok(path)
}

/// The folder of the profile the running program was built in: `target/debug` for the test
/// `target/debug/deps/stories-…`, `target/release` for the benchmark `target/release/bench`.
fn profile_folder() -> Result<PathBuf> {
    let program = environment::running_test().context("cannot tell where the running program is")?;
    let folder = program.parent().context("the running program is in no folder")?;
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    Ok(profile.context("the running program is in no target folder")?.to_path_buf())
}

/// Returns Cargo's target folder, where what is made once for all runs may stay.
///
/// # Errors
/// When the running test is in none.
pub fn target_folder() -> Result<PathBuf> {
    let profile = profile_folder()?;
    Ok(profile.parent().context("the running test is in no target folder")?.to_path_buf())
}

/// Cargo writes beside each program the list of the sources it was made of.
fn refuse_stale(program: &Path) -> Result<()> {
    let list = program.with_extension("d");
    let text = fs::read_to_string(&list).with_context(|| format!("cannot read `{}`", list.display()))?;
    let built = fs::metadata(program)?.modified()?;
    for source in listed_sources(&text) {
        let newer =
            fs::metadata(&source).and_then(|metadata| metadata.modified()).map_or(true, |time| time > built);
        if newer {
            let (program, source) = (program.display(), source.display());
            bail!("`{program}` is older than `{source}`: run `make test`, or build it first");
        }
    }
    Ok(())
}

fn listed_sources(text: &str) -> Vec<PathBuf> {
    let sources = text.split_once(": ").map_or("", |(_, sources)| sources);
    // Makefile syntax: a blank inside a path is written with a backslash before it.
    sources
        .replace("\\ ", "\0")
        .split_whitespace()
        .map(|path| PathBuf::from(path.replace('\0', " ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn sources_are_read_from_the_list_cargo_writes() {
        let listed = listed_sources("/t/debug/chartroom: /w/a.rs /w/with\\ blank.rs\n");
        assert_eq!(listed, [PathBuf::from("/w/a.rs"), PathBuf::from("/w/with blank.rs")]);
    }

    #[test]
    fn a_binary_older_than_a_source_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (program, source) = (folder.path().join("chartroom"), folder.path().join("main.rs"));
        fs::write(&program, "").unwrap();
        fs::write(&source, "").unwrap();
        fs::write(
            folder.path().join("chartroom.d"),
            format!("{}: {}\n", program.display(), source.display()),
        )
        .unwrap();
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let set = |path: &Path, time| fs::File::open(path).unwrap().set_modified(time).unwrap();
        set(&source, epoch);
        set(&program, epoch + Duration::from_secs(1));
        refuse_stale(&program).unwrap();
        set(&source, epoch + Duration::from_secs(2));
        let refusal = refuse_stale(&program).unwrap_err().to_string();
        assert!(refusal.contains("main.rs"), "{refusal}");
    }
}
