//! The command line: flags only, one file a command. What they do is in `commands`, what is said about it in `report`.

mod build;
mod bump;
mod completion;
mod diff;
mod fetch;
mod gate;
mod helm;
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

use std::time::Duration;

use chart::ChartVersion;
use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use self::build::BuildArguments;
pub(crate) use self::bump::BumpArguments;
pub(crate) use self::completion::CompletionArguments;
pub(crate) use self::diff::DiffArguments;
pub(crate) use self::fetch::{FetchArguments, VaultFolder};
pub(crate) use self::gate::GateArguments;
pub(crate) use self::helm::{HelmArguments, OptionalHelmArguments};
pub(crate) use self::image::{BuildImageArguments, ImageAction, ImageArguments, LockImageArguments};
pub(crate) use self::images::ImagesArguments;
pub(crate) use self::lock::LockArguments;
pub(crate) use self::new::NewArguments;
pub(crate) use self::pack::PackArguments;
pub(crate) use self::push::PushArguments;
pub(crate) use self::relocate::RelocateArguments;
pub(crate) use self::render::{RenderArguments, ViewArguments};
pub(crate) use self::sign::SignArguments;
pub(crate) use self::vault::{VaultAction, VaultArguments};

const EXAMPLES: &str = "\
A first chart, from nothing to a repository:
  chartpack new hello --image docker.io/library/nginx:1.27
  chartpack pack hello --dry-run
  chartpack pack hello -o dist
  CHARTPACK_TOKEN=… chartpack push dist/hello-0.1.0.tgz --to http://127.0.0.1:8080/playcekube

Exit codes:
  0  everything was done
  1  something was refused
  2  the command line is wrong
  3  a server could not be reached or did not answer";

/// Packs charts for closed networks and publishes them.
#[derive(Debug, Parser)]
#[command(name = "chartpack", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scaffold a chart that lints and renders, with its recipe
    New(NewArguments),
    /// Make reproducible archives from charts and recipes
    Pack(PackArguments),
    /// Resolve a catalogue file to digests, and keep everything it names
    Lock(LockArguments),
    /// Build the charts of a lock, without any network
    Build(BuildArguments),
    /// Prove by rendering that charts may be delivered
    Gate(GateArguments),
    /// Look for newer upstream versions, and what they mean for the recipes
    Bump(BumpArguments),
    /// Say what differs between two charts, or two locks
    Diff(DiffArguments),
    /// Write provenance files that helm verifies, or check them
    Sign(SignArguments),
    /// Look after what was ever locked
    Vault(VaultArguments),
    /// Publish archives, with the provenance files beside them
    Push(PushArguments),
    /// Print what a chart renders to
    Render(RenderArguments),
    /// List the images a chart needs, and where each is named
    Images(ImagesArguments),
    /// Lock and build images of our own
    Image(ImageArguments),
    /// Make every image reference of a chart point at a registry, proven by rendering
    Relocate(RelocateArguments),
    /// Print a completion script for a shell
    Completion(CompletionArguments),
}

/// How a command reports what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Lines for people
    Text,
    /// One JSON document for programs
    Json,
}

/// Helm lints versions strictly, so what is made here follows semantic versioning to the letter.
pub(crate) fn strict(text: &str) -> Result<ChartVersion, String> {
    let version: ChartVersion = text.parse().map_err(|problem: chart::InvalidVersion| problem.to_string())?;
    if version.is_strict() {
        Ok(version)
    } else {
        Err(format!("`{text}` is not a semantic version: write three numbers, as in 1.2.0"))
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err("write a number of seconds above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn versions_must_be_strict() {
        assert!(strict("1.2.3-rc.1+up4").is_ok());
        for bad in ["1.2", "v1.2.3", "x"] {
            assert!(strict(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_are_above_zero() {
        assert_eq!(parse_seconds("5"), Ok(Duration::from_secs(5)));
        assert!(parse_seconds("0").is_err() && parse_seconds("1m").is_err());
    }
}
