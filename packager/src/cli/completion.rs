//! The flags of `chartpack completion`.

use clap::Args;

/// Flags of `completion`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chartpack completion bash > /etc/bash_completion.d/chartpack")]
pub(crate) struct CompletionArguments {
    /// Shell to complete for
    pub(crate) shell: clap_complete::Shell,
}
