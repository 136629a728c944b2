//! The helm that tests of renderings run: one of those that `scripts/install-tools` installs, else the user's.
//! Rule: without one a test is skipped in sight, or fails when `CI=true`.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

/// Returns the program; nothing after saying that the running test is skipped.
pub(crate) fn helm() -> Option<PathBuf> {
    let in_folder = |folder: PathBuf| ["helm4", "helm3", "helm"].map(|name| folder.join(name));
    let found = folders().into_iter().flat_map(in_folder).find(|path| path.is_file());
    if found.is_none() {
        assert!(!is_ci(), "helm is missing, and with CI=true that is a failure: run scripts/install-tools");
        let current = thread::current();
        let test = current.name().unwrap_or("test");
        // Written to the stream itself: what `eprintln!` prints is captured while a test passes.
        let _ = writeln!(io::stderr(), "skipped: {test}: helm is missing: run scripts/install-tools");
    }
    found
}

/// Returns whether a missing tool is a failure.
pub(crate) fn is_ci() -> bool {
    variable("CI").is_some_and(|value| value == "true")
}

/// Returns whether the longest tests are wanted (`CHARTROOM_TEST_ALL=1`, as `make test-all` sets).
pub(crate) fn wants_all() -> bool {
    variable("CHARTROOM_TEST_ALL").is_some_and(|value| value == "1")
}

fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    folders.extend(variable("CHARTROOM_TOOLS").map(|folder| Path::new(&folder).join("bin")));
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin"));
    folders.extend(variable("HOME").map(|home| Path::new(&home).join(".cache/chartroom-tools/bin")));
    folders.extend(variable("PATH").iter().flat_map(env::split_paths));
    folders
}

/// Returns a variable of the tester's environment that is set to something.
#[expect(clippy::disallowed_methods, reason = "the one place of these tests that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
