//! The command line: what can be asked of the program, as types, and the words that explain it.
//!
//! Nothing is done here. Settings that files and variables give too are only handed on, as `config::Flags`.

mod collect_garbage;
mod import;
mod read_only;
mod removed;
mod repository;
mod safekeeping;
mod token;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::config::Flags;

pub(crate) use collect_garbage::CollectGarbageFlags;
pub(crate) use import::{ImportFlags, SourceAddress};
pub(crate) use read_only::ReadOnlyCommand;
pub(crate) use removed::{RemovedFlags, UndeleteFlags};
pub(crate) use repository::RepositoryCommand;
use safekeeping::{BACKUP_EXAMPLES, COPY_EXAMPLES, RESTORE_EXAMPLES, VERIFY_EXAMPLES};
pub(crate) use safekeeping::{BackupFlags, CopyFlags, RestoreFlags, VerifyFlags};
pub(crate) use token::TokenCommand;

/// The name under which the program behaves as ChartMuseum.
const DROP_IN: &str = "chartmuseum";

/// What the program was asked to be.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// Chartroom with one of its commands.
    Chartroom(CommandLine),
    /// ChartMuseum's replacement, with ChartMuseum's own arguments.
    ChartMuseum(Vec<String>),
}

/// A private Helm chart repository, OCI registry and curated catalogue in one program
#[derive(Debug, Parser)]
#[command(name = "chartroom", version, after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) global: GlobalFlags,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct GlobalFlags {
    /// TOML file with settings; variables and flags win over it [default: none, or what CHARTROOM_CONFIG names]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the embedded catalog, the blobs and the admin token [default: chartroom-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = GLOBAL)]
    pub(crate) data: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve charts, images and the catalogue
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeFlags),
    /// Serve in place of ChartMuseum, with its flags and variables, on its folder
    #[command(
        disable_help_flag = true,
        after_help = "Everything after the word is ChartMuseum's: chartroom chartmuseum --help lists it"
    )]
    Chartmuseum {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        arguments: Vec<OsString>,
    },
    /// Print the settings that `serve` would use, with where each came from, or what is wrong with them
    #[command(after_help = CHECK_CONFIG_EXAMPLES)]
    CheckConfig {
        /// Print every setting with its default and meaning instead, as a file to start from
        #[arg(long)]
        defaults: bool,
        #[command(flatten)]
        serve: ServeFlags,
    },
    /// Bring the catalog's tables up to this version of the program, and make the admin token if there is none
    Migrate,
    /// Make, list and revoke access tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Create, list and change repositories
    #[command(subcommand)]
    Repository(RepositoryCommand),
    /// Bring in what a ChartMuseum folder or bucket has, or what any index of charts lists
    #[command(after_help = import::EXAMPLES)]
    Import(Box<ImportFlags>),
    /// List what was deleted or replaced lately and may be brought back
    #[command(after_help = removed::REMOVED_EXAMPLE)]
    Removed(RemovedFlags),
    /// Bring a deleted or replaced version back as it was, with its bytes and the time of its publication
    #[command(after_help = removed::UNDELETE_EXAMPLE)]
    Undelete(UndeleteFlags),
    /// Stop all writing on every server of this catalog, or let it go on
    #[command(subcommand)]
    ReadOnly(ReadOnlyCommand),
    /// Replace the keys that sign registry tokens and upload addresses, after somebody may have seen the catalog
    #[command(after_help = ROTATE_KEYS_NOTE)]
    RotateKeys,
    /// Delete bytes that nobody refers to any more
    #[command(after_help = collect_garbage::EXAMPLES)]
    CollectGarbage(CollectGarbageFlags),
    /// Check that everything the catalog says is stored, byte for byte, and nothing else
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyFlags),
    /// Copy catalog and bytes while the server runs
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(BackupFlags),
    /// Bring a backup back into an empty place, after checking every byte of it
    #[command(after_help = RESTORE_EXAMPLES)]
    Restore(RestoreFlags),
    /// Move everything to other stores: from the embedded ones to Postgres and S3, or back
    #[command(after_help = COPY_EXAMPLES)]
    Copy(CopyFlags),
    /// Print a script that completes commands and flags
    #[command(after_help = "Example:\n  chartroom completion bash > /etc/bash_completion.d/chartroom")]
    Completion {
        /// The shell that will read the script
        shell: clap_complete::Shell,
    },
}

/// Flags of `serve`.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeFlags {
    /// Address to listen on, may be repeated; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Vec<String>,
    /// Let anyone write without a credential; for trials only
    #[arg(long)]
    pub(crate) open: bool,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON document for programs.
    Json,
}

const GLOBAL: &str = "Options of every command";

const EXAMPLES: &str = "\
Examples:
  chartroom serve                                     serve ./chartroom-data
  helm repo add room http://127.0.0.1:8080            read from it
  chartroom token create --name ci --role publisher   make a token
  chartroom check-config                              see the settings

Each setting is a key in the file, a variable CHARTROOM_… and, for some, a flag; flags win over variables, these over \
the file. `chartroom check-config --defaults` lists them all.";

const SERVE_EXAMPLES: &str = "\
Examples:
  chartroom serve --open          for a trial: anyone may publish
  chartroom serve --listen 0.0.0.0:8080 --data /srv/chartroom
  CHARTROOM_TLS_CERTIFICATE=tls.crt CHARTROOM_TLS_KEY=tls.key chartroom serve --listen 0.0.0.0:8443

When it is ready it prints `listening on http://ADDRESS:PORT`. The first start writes the admin token to \
DIR/admin-token; as a password it goes with any user name. SIGTERM lets running requests finish, SIGHUP reads the \
certificate again.";

const ROTATE_KEYS_NOTE: &str = "\
Servers change the keys by themselves every 30 days. This forgets the old ones at once: running servers follow within \
a minute, registry clients ask for new tokens by themselves, uploads that are under way begin again.";

const CHECK_CONFIG_EXAMPLES: &str = "\
Examples:
  chartroom check-config --config chartroom.toml
  chartroom check-config --defaults > chartroom.toml

It ends with 0, or with 2 and a line for each thing that is wrong.";

impl Invocation {
    /// Returns what the arguments, the program's own name first, ask for.
    ///
    /// # Errors
    /// The command line library's own error, which also stands for `--help` and `--version`; its `exit` prints it and
    /// ends the program with 0 or 2.
    pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Self, clap::Error> {
        let name = arguments.first().and_then(|program| Path::new(program).file_stem()).unwrap_or_default();
        let drop_in_arguments = match (name == DROP_IN, arguments.get(1).is_some_and(|word| word == DROP_IN))
        {
            (true, _) => arguments.get(1..),
            (false, true) => arguments.get(2..),
            (false, false) => None,
        };
        if let Some(arguments) = drop_in_arguments {
            return Ok(Self::ChartMuseum(
                arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect(),
            ));
        }
        let line = CommandLine::try_parse_from(arguments)?;
        if matches!(line.command, Command::Chartmuseum { .. }) {
            // ChartMuseum has a `--config` of its own, so nothing of ours may stand around its arguments.
            let text = "`chartmuseum` must be the first word: give `--data` as the variable `CHARTROOM_DATA`";
            return Err(CommandLine::command().error(ErrorKind::ArgumentConflict, text));
        }
        Ok(Self::Chartroom(line))
    }
}

impl CommandLine {
    /// Returns what the flags say about settings.
    pub(crate) fn flags(&self) -> Flags {
        let (listen, open) = match &self.command {
            Command::Serve(serve) | Command::CheckConfig { serve, .. } => (serve.listen.clone(), serve.open),
            Command::Chartmuseum { .. }
            | Command::Migrate
            | Command::Token(_)
            | Command::Repository(_)
            | Command::Import(_)
            | Command::Removed(_)
            | Command::Undelete(_)
            | Command::ReadOnly(_)
            | Command::RotateKeys
            | Command::CollectGarbage(_)
            | Command::Verify(_)
            | Command::Backup(_)
            | Command::Restore(_)
            | Command::Copy(_)
            | Command::Completion { .. } => (Vec::new(), false),
        };
        Flags { config: self.global.config.clone(), listen, data: self.global.data.clone(), open }
    }
}

/// Writes the script that completes the program's command line in `shell`.
pub(crate) fn write_completion(shell: clap_complete::Shell, out: &mut dyn Write) {
    clap_complete::generate(shell, &mut CommandLine::command(), "chartroom", out);
}

#[cfg(test)]
mod tests;
