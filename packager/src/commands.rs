//! The commands: each turns its flags into one operation and hands the result to `report`.

mod completion;
mod new;
mod pack;
mod push;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::cli::Command;
use crate::config::Config;
use crate::pack::PackRefusal;
use crate::push::InvalidClient;
use crate::scaffold::ScaffoldRefusal;

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandRefusal {
    /// `new` did not scaffold.
    #[error(transparent)]
    Scaffold(#[from] ScaffoldRefusal),
    /// `pack` did not pack.
    #[error(transparent)]
    Pack(#[from] PackRefusal),
    /// Two charts would be written to one file.
    #[error(
        "`{first}` and `{second}` would both be written to `{file_name}`: give one of them another version"
    )]
    SameFile {
        /// The first chart.
        first: PathBuf,
        /// The second chart.
        second: PathBuf,
        /// The file.
        file_name: String,
    },
    /// A file cannot be read or written.
    #[error("cannot use `{path}`: {reason}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Client(#[from] InvalidClient),
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Report(#[from] io::Error),
}

/// Runs one command and returns its exit code.
///
/// # Errors
/// [`CommandRefusal`] when the command could not be carried out as a whole; nothing was published then.
pub(crate) fn run(command: Command, config: &Config, out: &mut dyn Write) -> Result<u8, CommandRefusal> {
    match command {
        Command::New(arguments) => new::run(arguments, out),
        Command::Pack(arguments) => pack::run(arguments, config, out),
        Command::Push(arguments) => push::run(arguments, config, out),
        Command::Completion(arguments) => completion::run(&arguments, out),
    }
}
