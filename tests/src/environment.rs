//! What the environment says about this run: folders of tools and binaries, and which stories are wanted.
//! Rule: no other module of the harness reads the environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "this module is the one place of the harness that reads it")]
fn value(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns whether a missing tool is a failure (`CI=true`) instead of a visible skip.
pub fn demands_every_tool() -> bool {
    value("CI").is_some_and(|value| value == "true")
}

/// Returns whether the longest stories are wanted (`CHARTROOM_TEST_ALL=1`, as `make test-all` sets).
pub fn wants_longest_stories() -> bool {
    value("CHARTROOM_TEST_ALL").is_some_and(|value| value == "1")
}

/// Returns whether the cluster story is wanted (`CHARTROOM_TEST_CLUSTER=1`, as `make test-cluster` sets).
pub fn wants_cluster_story() -> bool {
    value("CHARTROOM_TEST_CLUSTER").is_some_and(|value| value == "1")
}

/// Returns whether the story of the server's image is wanted (`CHARTROOM_TEST_IMAGE=1`, or all of the longest).
pub fn wants_image_story() -> bool {
    value("CHARTROOM_TEST_IMAGE").is_some_and(|value| value == "1") || wants_longest_stories()
}

/// Returns the ChartMuseum program named by `CHARTMUSEUM`.
pub fn chartmuseum() -> Option<PathBuf> {
    value("CHARTMUSEUM").map(PathBuf::from)
}

/// Returns the folder whose `chartroom` and `chartpack` are to be tested in place of the ones beside the
/// test (`CHARTROOM_BINARIES`): a release build, an installed package.
pub fn binaries_folder() -> Option<PathBuf> {
    value("CHARTROOM_BINARIES").map(PathBuf::from)
}

/// Returns the folders that may hold a tool, in the order they are searched: `CHARTROOM_TOOLS`, `.tools` of
/// the repository, the user's cache, Debian's folder of Postgres's programs, which are not in `PATH`, and `PATH`.
pub fn tool_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    folders.extend(value("CHARTROOM_TOOLS").map(|folder| Path::new(&folder).join("bin")));
    folders.push(repository_root().join(".tools/bin"));
    folders.extend(value("HOME").map(|home| Path::new(&home).join(".cache/chartroom-tools/bin")));
    folders.push(PathBuf::from("/usr/lib/postgresql/15/bin"));
    folders.extend(search_path().iter().flat_map(env::split_paths));
    folders
}

/// Returns the start of a command line whose program sees nothing of this environment but `PATH`: no setting of
/// the person who runs the stories reaches them.
pub fn clean_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(search_path().map(|path| ("PATH", path)));
    command
}

fn search_path() -> Option<OsString> {
    value("PATH")
}

/// Returns the folder where the logs of servers stay after a run.
pub fn log_folder() -> PathBuf {
    env::temp_dir().join("chartroom-stories")
}

/// Returns the path of the running test.
///
/// # Errors
/// When the system does not tell.
pub fn running_test() -> io::Result<PathBuf> {
    env::current_exe()
}

/// Returns the folder of the workspace.
pub fn repository_root() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().unwrap_or(member).to_path_buf()
}
