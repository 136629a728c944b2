//! The flags of `chartpack push`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::{Output, parse_seconds};
use crate::push::Destination;

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
