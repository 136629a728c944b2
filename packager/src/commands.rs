//! The commands: each turns its flags into one operation and hands the result to `report`.

mod completion;
mod gate;
mod images;
mod new;
mod pack;
mod push;
mod relocate;
mod render;
mod view;

use std::io::{self, Write};
use std::path::PathBuf;

use self::view::InvalidView;
use crate::cli::Command;
use crate::config::Config;
use crate::gate::GateError;
use crate::images::DiscoveryError;
use crate::pack::PackRefusal;
use crate::push::InvalidClient;
use crate::relocate::{InvalidTarget, RelocationError};
use crate::render::{HelmError, StageError, TemplateFailure};
use crate::scaffold::ScaffoldRefusal;
use crate::source::SourceError;

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
    /// A chart cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A chart cannot be laid out for helm.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Helm gave no answer.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// The flags that set values do not fit together.
    #[error(transparent)]
    View(#[from] InvalidView),
    /// The images of a chart cannot be discovered.
    #[error("`{chart}`: {problem}")]
    Discovery {
        /// The chart.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: DiscoveryError,
    },
    /// A chart does not render.
    #[error("`{chart}` does not render: {failure}")]
    NotRendered {
        /// The chart.
        chart: PathBuf,
        /// What helm says.
        failure: TemplateFailure,
    },
    /// The registry to relocate to is none.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// A chart cannot be relocated.
    #[error("`{chart}` cannot be relocated: {problem}")]
    Relocation {
        /// The chart.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: RelocationError,
    },
    /// A chart cannot be judged.
    #[error("`{chart}` cannot be judged: {problem}")]
    Gate {
        /// The chart.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: GateError,
    },
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
        Command::Render(arguments) => render::run(arguments, config, out),
        Command::Images(arguments) => images::run(&arguments, config, out),
        Command::Gate(arguments) => gate::run(&arguments, config, out),
        Command::Relocate(arguments) => relocate::run(&arguments, config, out),
        Command::Completion(arguments) => completion::run(&arguments, out),
    }
}
