//! The commands: each turns its flags into one operation and hands the result to `report`.

mod build;
mod bump;
mod completion;
mod diff;
mod fetch;
mod gate;
mod image;
mod images;
mod lock;
mod new;
mod pack;
mod push;
mod relocate;
mod render;
mod sign;
mod vault;
mod view;

use std::io::{self, Write};
use std::path::PathBuf;

use chart::InvalidMetadata;
use chart::archive::ArchiveError;

use self::view::InvalidView;
use crate::build::DeliverRefusal;
use crate::bump::RewriteRefusal;
use crate::cli::{Command, OptionalHelmArguments};
use crate::config::Config;
use crate::diff::{LockDiffRefusal, RenderBothError, SideRefusal};
use crate::gate::GateError;
use crate::image_build::ImageBuildRefusal;
use crate::images::DiscoveryError;
use crate::lock::{LockRefusal, Moved};
use crate::pack::PackRefusal;
use crate::push::InvalidClient;
use crate::relocate::{InvalidSite, RelocationError};
use crate::render::{HelmError, Renderer, StageError, TemplateFailure};
use crate::scaffold::ScaffoldRefusal;
use crate::sign::{KeyRefusal, SignRefusal};
use crate::source::SourceError;
use crate::upstream::InvalidFetcher;
use crate::vault::VaultError;

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandRefusal {
    /// `new` did not scaffold.
    #[error(transparent)]
    Scaffold(#[from] ScaffoldRefusal),
    /// The version of a new chart is none that Helm lints.
    #[error("{0}")]
    Version(String),
    /// `pack` did not pack.
    #[error(transparent)]
    Pack(#[from] PackRefusal),
    /// `lock` did not lock, or a lock cannot be read.
    #[error(transparent)]
    Lock(#[from] LockRefusal),
    /// `build` did not build.
    #[error(transparent)]
    Build(#[from] DeliverRefusal),
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// There is no place for a vault.
    #[error("there is no home folder to keep a vault in: name a folder with `--vault` or `CHARTPACK_VAULT`")]
    NoVault,
    /// The recipes are not those that were locked.
    #[error(
        "`{lock}` is of other recipes:{}\nrun `chartpack lock`, or give the lock itself to build what was locked",
        listed(changed)
    )]
    Unlocked {
        /// The lock.
        lock: PathBuf,
        /// What changed.
        changed: Vec<Moved>,
    },
    /// There is no client for upstreams.
    #[error(transparent)]
    Fetcher(#[from] InvalidFetcher),
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
    /// An image was not locked or not built.
    #[error(transparent)]
    Image(Box<ImageBuildRefusal>),
    /// A chart cannot be judged.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A chart that is built or judged cannot be read.
    #[error("what was built of `{recipe}` cannot be read: {problem}")]
    Built {
        /// The recipe.
        recipe: String,
        /// What is wrong.
        #[source]
        problem: Box<ArchiveError>,
    },
    /// The gate refuses charts.
    #[error(
        "the gate refuses {refused} of {charts} charts, and nothing was written: do as it says, or build with `--no-gate`"
    )]
    Refused {
        /// How many are refused.
        refused: usize,
        /// How many were judged.
        charts: usize,
    },
    /// A chart does not render.
    #[error("`{chart}` does not render: {failure}")]
    NotRendered {
        /// The chart.
        chart: PathBuf,
        /// What helm says.
        failure: TemplateFailure,
    },
    /// A side of a comparison cannot be read.
    #[error(transparent)]
    Side(#[from] SideRefusal),
    /// A lock was to be compared with a chart.
    #[error("`{0}` is a lock and `{1}` is one chart: compare two locks, or two charts")]
    UnlikeSides(PathBuf, PathBuf),
    /// Two locks cannot be compared.
    #[error(transparent)]
    LockDiff(#[from] LockDiffRefusal),
    /// A chart to compare is not valid.
    #[error("a chart to compare is not valid: {0}")]
    Metadata(#[from] Box<InvalidMetadata>),
    /// Two charts cannot be rendered.
    #[error(transparent)]
    RenderBoth(#[from] RenderBothError),
    /// `--to` is for one recipe.
    #[error("--to is for one recipe, and {0} are named: name one with --only, or its folder")]
    NotOneRecipe(usize),
    /// A recipe cannot be rewritten.
    #[error("no recipe is written: {0}")]
    Rewrite(#[from] RewriteRefusal),
    /// The signing key cannot be used.
    #[error(transparent)]
    SigningKey(#[from] KeyRefusal),
    /// An archive is not signed.
    #[error(transparent)]
    Sign(#[from] SignRefusal),
    /// The registry to relocate to is none.
    #[error(transparent)]
    Site(#[from] InvalidSite),
    /// A chart cannot be relocated.
    #[error("`{chart}` cannot be relocated: {problem}")]
    Relocation {
        /// The chart.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: RelocationError,
    },
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Report(#[from] io::Error),
}

impl From<ImageBuildRefusal> for CommandRefusal {
    fn from(refusal: ImageBuildRefusal) -> Self {
        Self::Image(Box::new(refusal))
    }
}

impl CommandRefusal {
    /// Returns the exit code: 3 when nothing else is wrong than servers that do not answer, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Lock(refusal) if refusal.is_of_the_network() => 3,
            Self::Scaffold(refusal) if refusal.is_of_the_network() => 3,
            Self::Image(refusal) if refusal.is_of_the_network() => 3,
            Self::Lock(_)
            | Self::Version(_)
            | Self::Scaffold(_)
            | Self::Pack(_)
            | Self::Build(_)
            | Self::Vault(_)
            | Self::NoVault
            | Self::Unlocked { .. }
            | Self::Fetcher(_)
            | Self::SameFile { .. }
            | Self::File { .. }
            | Self::Client(_)
            | Self::Source(_)
            | Self::Stage(_)
            | Self::Helm(_)
            | Self::View(_)
            | Self::Discovery { .. }
            | Self::Image(_)
            | Self::Gate(_)
            | Self::Built { .. }
            | Self::Refused { .. }
            | Self::NotRendered { .. }
            | Self::Side(_)
            | Self::UnlikeSides(..)
            | Self::LockDiff(_)
            | Self::Metadata(_)
            | Self::RenderBoth(_)
            | Self::NotOneRecipe(_)
            | Self::Rewrite(_)
            | Self::SigningKey(_)
            | Self::Sign(_)
            | Self::Site(_)
            | Self::Relocation { .. }
            | Self::Report(_) => 1,
        }
    }
}

fn listed(changed: &[Moved]) -> String {
    changed.iter().map(|Moved { recipe, what }| format!("\n  {recipe}: {what}")).collect()
}

/// Opens the renderer that the flags ask for, if they ask for one.
fn helm_renderer(
    arguments: &OptionalHelmArguments,
    config: &Config,
) -> Result<Option<Renderer>, CommandRefusal> {
    if arguments.without_helm {
        return Ok(None);
    }
    view::open_renderer(&arguments.helm, config).map(Some)
}

/// Runs one command and returns its exit code.
///
/// # Errors
/// [`CommandRefusal`] when the command could not be carried out as a whole; nothing was published then.
pub(crate) fn run(command: Command, config: &Config, out: &mut dyn Write) -> Result<u8, CommandRefusal> {
    match command {
        Command::New(arguments) => new::run(arguments, config, out),
        Command::Pack(arguments) => pack::run(arguments, config, out),
        Command::Lock(arguments) => lock::run(arguments, config, out),
        Command::Build(arguments) => build::run(arguments, config, out),
        Command::Gate(arguments) => gate::run(arguments, config, out),
        Command::Bump(arguments) => bump::run(arguments, config, out),
        Command::Diff(arguments) => diff::run(arguments, config, out),
        Command::Sign(arguments) => sign::run(arguments, config, out),
        Command::Vault(arguments) => vault::run(arguments, config, out),
        Command::Push(arguments) => push::run(arguments, config, out),
        Command::Render(arguments) => render::run(arguments, config, out),
        Command::Image(arguments) => image::run(arguments, config, out),
        Command::Images(arguments) => images::run(&arguments, config, out),
        Command::Relocate(arguments) => relocate::run(&arguments, config, out),
        Command::Completion(arguments) => completion::run(&arguments, out),
    }
}
