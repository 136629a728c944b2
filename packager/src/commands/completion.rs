//! `chartpack completion`: prints a completion script.

use std::io::Write;

use clap::CommandFactory;

use super::CommandRefusal;
use crate::cli::{Cli, CompletionArguments};
use crate::report;

/// Prints the script for the shell that the flags name.
pub(super) fn run(arguments: &CompletionArguments, out: &mut dyn Write) -> Result<u8, CommandRefusal> {
    report::write_completion(out, arguments, &mut Cli::command());
    Ok(0)
}
