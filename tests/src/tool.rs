//! Finds the programs that stories run beside ours: helm of several versions, gpg, strace, curl.
//! Rule: a story without its tool is skipped in sight, or fails when `CI=true`.

use std::path::PathBuf;

use anyhow::Result;

use crate::environment;
use crate::skip::skip_for_want_of;

/// Returns the path of a tool, or nothing after saying that the story is skipped.
///
/// # Errors
/// When the tool is missing and `CI=true`.
pub fn find_tool(name: &str) -> Result<Option<PathBuf>> {
    let found =
        environment::tool_folders().into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skip_for_want_of(&format!("the tool `{name}`"), "run scripts/install-tools")?;
    }
    Ok(found)
}
