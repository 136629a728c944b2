//! `chartroom read-only`: the switch that stops all writing.

use clap::Subcommand;

use super::Output;

/// What can be done with the switch; running servers obey at once, reading goes on.
#[derive(Debug, Subcommand)]
pub(crate) enum ReadOnlyCommand {
    /// Refuse every write with 503 and this reason until `chartroom read-only off`
    #[command(after_help = "\
Example:
  chartroom read-only on --reason 'moving to another disk until 14:00'")]
    On {
        /// What is going on and until when: whoever tries to write reads it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take writes again
    Off,
    /// Tell whether writes are taken, and why not
    Status {
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}
