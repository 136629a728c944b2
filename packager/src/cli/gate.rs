//! Flags of `gate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Output, ViewArguments};
use crate::profile::Waiver;

const EXAMPLES: &str = "\
Examples:
  chartpack gate metrics-server-3.8.2.tgz
  chartpack gate dist/harbor-14.0.301.tgz --upstream harbor-14.0.3.tgz
      refuse files that upstream does not have
  chartpack gate dist/*.tgz --site registry.local.cloud:5000 --waive 'icon=shown to people who have the internet'
      refuse everything that would be fetched from elsewhere

Exit codes:
  0  every chart passes
  1  a chart is refused
  2  the command line is wrong";

/// Flags of `gate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GateArguments {
    /// Chart folders, recipe files or archives
    #[arg(required = true, value_name = "CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) charts: Vec<PathBuf>,
    /// The chart as upstream published it: files that only the other one has are refused
    #[arg(long, value_name = "CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) upstream: Option<PathBuf>,
    /// File that the recipe added and upstream does not have; may be given several times
    #[arg(long = "added", value_name = "PATH")]
    pub(crate) added: Vec<String>,
    /// The only host from which anything may be fetched
    #[arg(long, value_name = "HOST")]
    pub(crate) site: Option<String>,
    /// A finding to let pass, as SUBJECT=REASON; may be given several times
    #[arg(long = "waive", value_name = "SUBJECT=REASON", value_parser = parse_waiver)]
    pub(crate) waivers: Vec<Waiver>,
    /// How the charts are looked at
    #[command(flatten)]
    pub(crate) view: ViewArguments,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

fn parse_waiver(text: &str) -> Result<Waiver, String> {
    // A URL may hold `=`; a reason that does is rarer.
    let (subject, reason) = text.rsplit_once('=').ok_or("write SUBJECT=REASON")?;
    if subject.is_empty() || reason.trim().is_empty() {
        return Err("a waiver needs a subject and a reason".to_owned());
    }
    Ok(Waiver { subject: subject.to_owned(), reason: reason.trim().to_owned() })
}
