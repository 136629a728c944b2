//! The command line: flags only. What they do is in `commands`, what is said about it in `report`.

mod gate;
mod images;
mod relocate;
mod render;

use std::path::PathBuf;
use std::time::Duration;

use chart::{ChartName, ChartVersion};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub(crate) use self::gate::GateArguments;
pub(crate) use self::images::ImagesArguments;
pub(crate) use self::relocate::RelocateArguments;
pub(crate) use self::render::{RenderArguments, ViewArguments};
use crate::push::Destination;
use crate::scaffold::{ImageReference, Kind};

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
    /// Publish archives, with the provenance files beside them
    Push(PushArguments),
    /// Print what a chart renders to
    Render(RenderArguments),
    /// List the images a chart needs, and where each is named
    Images(ImagesArguments),
    /// Check that a chart renders in every way it will be used
    Gate(GateArguments),
    /// Make every image reference of a chart point at a registry, proven by rendering
    Relocate(RelocateArguments),
    /// Print a completion script for a shell
    Completion(CompletionArguments),
}

const NEW_EXAMPLES: &str = "\
Examples:
  chartpack new hello
      a Deployment with a Service, in ./hello
  chartpack new keepalived --kind daemonset --image ubuntu/keepalived:v2.2.4 --app-version 2.2.4
      one pod on every node, no Service
  chartpack new hello --dir seed-charts --version 1.0.0
      in ./seed-charts/hello

The folder holds the chart and recipe.yaml, which names the edits that `chartpack pack` makes.
Nothing is ever overwritten.";

/// Flags of `new`.
#[derive(Debug, Args)]
#[command(after_help = NEW_EXAMPLES)]
pub(crate) struct NewArguments {
    /// Name of the chart and of its folder
    pub(crate) name: ChartName,
    /// What the chart runs
    #[arg(long, value_enum, default_value_t = Kind::Deployment)]
    pub(crate) kind: Kind,
    /// Image to run, as REPOSITORY[:TAG][@DIGEST] [default: NAME, tagged with the app version]
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) image: Option<ImageReference>,
    /// Version of the chart
    #[arg(long, default_value = "0.1.0", value_parser = parse_version)]
    pub(crate) version: ChartVersion,
    /// Version of the application inside [default: the image's tag, else 1.0.0]
    #[arg(long, value_name = "VERSION")]
    pub(crate) app_version: Option<String>,
    /// Folder in which the chart's folder is made
    #[arg(long, default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}

const PACK_EXAMPLES: &str = "\
Examples:
  chartpack pack seed-charts/keepalived
      apply recipe.yaml and write ./keepalived-0.1.0.tgz
  chartpack pack seed-charts/* -o dist
      several at once; nothing is written unless all of them pack
  chartpack pack seed-charts/keepalived --dry-run
      show the edits as a diff and what would be written
  chartpack pack upstream-1.2.3.tgz --version 1.2.301 -o dist
      pack an archive again under a version of your own

A folder with recipe.yaml is packed by its recipe, any other chart folder and every .tgz as it is.
The same input gives the same bytes on every run and machine; SOURCE_DATE_EPOCH sets the time of the files inside.";

/// Flags of `pack`.
#[derive(Debug, Args)]
#[command(after_help = PACK_EXAMPLES)]
pub(crate) struct PackArguments {
    /// Chart folders, recipe files or archives
    #[arg(required = true, value_name = "CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) sources: Vec<PathBuf>,
    /// Folder to write the archives to
    #[arg(short, long = "out-dir", value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Version to give the chart, over Chart.yaml and recipe
    #[arg(long, value_parser = parse_version)]
    pub(crate) version: Option<ChartVersion>,
    /// App version to give the chart, over Chart.yaml and recipe
    #[arg(long, value_name = "VERSION")]
    pub(crate) app_version: Option<String>,
    /// Write nothing: show the edits and what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

const PUSH_EXAMPLES: &str = "\
Examples:
  chartpack push dist/*.tgz --to http://127.0.0.1:8080/playcekube
  chartpack push dist/*.tgz --to https://charts.local.cloud/playcekube --dry-run
      compare with the repository's index and send nothing
  chartpack push a-1.0.0.tgz --to https://charts.local.cloud/playcekube --ca-file ca.pem --output json

The token in CHARTPACK_TOKEN is sent to that server only; user:password in the URL is sent as HTTP Basic.
A file NAME.tgz.prov beside an archive goes along. Publishing the same bytes again is no error.

Exit codes:
  0  every archive is in the repository now
  1  some archives were refused
  2  the command line is wrong
  3  the server could not be reached or did not answer";

/// Flags of `push`.
#[derive(Debug, Args)]
#[command(after_help = PUSH_EXAMPLES)]
pub(crate) struct PushArguments {
    /// Archives to publish
    #[arg(required = true, value_name = "ARCHIVE", value_hint = ValueHint::FilePath)]
    pub(crate) archives: Vec<PathBuf>,
    /// URL of the repository, as in `helm repo add`
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) to: Destination,
    /// Replace versions that hold other bytes, where the repository allows it
    #[arg(long)]
    pub(crate) force: bool,
    /// Send nothing: say what would happen
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many archives to send at once
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// How often to try again when the server is busy or away
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    pub(crate) retries: u32,
    /// How long one request may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = parse_seconds)]
    pub(crate) timeout: Duration,
    /// PEM file with the certificate authorities to trust besides the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// Flags of `completion`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chartpack completion bash > /etc/bash_completion.d/chartpack")]
pub(crate) struct CompletionArguments {
    /// Shell to complete for
    pub(crate) shell: clap_complete::Shell,
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
fn parse_version(text: &str) -> Result<ChartVersion, String> {
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
        assert!(parse_version("1.2.3-rc.1+up4").is_ok());
        for bad in ["1.2", "v1.2.3", "x"] {
            assert!(parse_version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_are_above_zero() {
        assert_eq!(parse_seconds("5"), Ok(Duration::from_secs(5)));
        assert!(parse_seconds("0").is_err() && parse_seconds("1m").is_err());
    }
}
