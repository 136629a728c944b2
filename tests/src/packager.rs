//! The packager as a process.
//! Rule: its token travels in the environment, as users are told.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::{Outcome, run, run_within};
use crate::{binary, command_line, environment};

/// Runs `chartpack` with arguments in a folder.
///
/// # Errors
/// When the program is not built or cannot be started.
pub fn run_packager(folder: &Path, arguments: &[String]) -> Result<Outcome> {
    run(&mut in_folder(folder, arguments)?)
}

/// Runs `chartpack` as [`run_packager`] does, on work that may take longer than programs usually may.
///
/// # Errors
/// As [`run_packager`], and when it has not ended within the limit.
pub fn run_packager_within(folder: &Path, arguments: &[String], limit: Duration) -> Result<Outcome> {
    run_within(&mut in_folder(folder, arguments)?, limit)
}

fn in_folder(folder: &Path, arguments: &[String]) -> Result<Command> {
    let mut command = environment::clean_command(binary::chartpack()?);
    command.current_dir(folder).args(arguments);
    Ok(command)
}

/// Pushes archives to a repository's URL with a token.
///
/// # Errors
/// When the program is not built or cannot be started.
pub fn push(archives: &[&Path], repository_url: &str, token: &str) -> Result<Outcome> {
    let line = command_line::push(archives, repository_url);
    run(environment::clean_command(binary::chartpack()?).env("CHARTPACK_TOKEN", token).args(line))
}
