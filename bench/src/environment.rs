//! What the environment says about this run: where programs and folders are.
//! Rule: no other module reads the environment.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

#[expect(clippy::disallowed_methods, reason = "this module is the one place that reads the environment")]
fn value(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns the folder of the workspace.
pub(crate) fn repository_root() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().unwrap_or(member).to_path_buf()
}

/// Returns the folder that Cargo builds into: corpora and scratch folders are there, out of version control and on
/// the disk whose figures are wanted.
///
/// # Errors
/// When the running program is in no such folder.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot tell where the running program is")?;
    let folder =
        program.parent().and_then(Path::parent).context("the running program is in no target folder")?;
    Ok(folder.to_path_buf())
}

/// Returns the folder that the system has for temporary files; Postgres and MinIO work in it.
pub(crate) fn temporary_folder() -> PathBuf {
    env::temp_dir()
}

/// Returns `PATH`, which child processes with an otherwise empty environment still need.
pub(crate) fn search_path() -> Option<OsString> {
    value("PATH")
}

/// Returns the server's program, built in the same profile as the running program.
///
/// # Errors
/// When it is not built.
pub(crate) fn chartroom() -> Result<PathBuf> {
    built("chartroom")
}

/// Returns the packager's program, built in the same profile as the running program.
///
/// # Errors
/// When it is not built.
pub(crate) fn chartpack() -> Result<PathBuf> {
    built("chartpack")
}

fn built(name: &str) -> Result<PathBuf> {
    let running = env::current_exe().context("cannot tell where the running program is")?;
    let path = running.with_file_name(name);
    if !path.is_file() {
        bail!("`{}` is not built: run `make bench`, or build it with `--release`", path.display());
    }
    Ok(path)
}

/// Returns the ChartMuseum that `CHARTMUSEUM` names or that is among the tools; none where it is not installed.
pub(crate) fn chartmuseum() -> Option<PathBuf> {
    value("CHARTMUSEUM").map(PathBuf::from).or_else(|| search("chartmuseum"))
}

/// Returns the path of a tool.
///
/// # Errors
/// When it is not installed.
pub(crate) fn tool(name: &str) -> Result<PathBuf> {
    search(name).with_context(|| format!("`{name}` is not installed: run `scripts/install-tools bench`"))
}

fn search(name: &str) -> Option<PathBuf> {
    tool_folders().into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn tool_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    folders.extend(value("CHARTROOM_TOOLS").map(|folder| Path::new(&folder).join("bin")));
    folders.push(repository_root().join(".tools/bin"));
    folders.extend(value("HOME").map(|home| Path::new(&home).join(".cache/chartroom-tools/bin")));
    folders.extend(search_path().iter().flat_map(env::split_paths));
    // Debian keeps daemons where the search path of ordinary users does not lead.
    folders.push(PathBuf::from("/usr/sbin"));
    folders
}
