//! `chartroom read-only`: turns the switch, beside running servers or without one.

use crate::cli::{Output, ReadOnlyCommand};
use crate::config::Config;
use crate::operations::switch_read_only::switch_read_only;
use crate::start;

/// Does what the command asks for on the catalog of the configuration.
pub(super) async fn run(config: Config, command: &ReadOnlyCommand) -> anyhow::Result<()> {
    let catalog = start::open_catalog(&config.storage).await?;
    let done = match command {
        ReadOnlyCommand::On { reason } => {
            switch_read_only(&catalog, Some(reason)).await?;
            super::print_line("writes are refused: `chartroom read-only off` takes them again")
        }
        ReadOnlyCommand::Off => {
            switch_read_only(&catalog, None).await?;
            super::print_line("writes are taken")
        }
        ReadOnlyCommand::Status { output } => print(catalog.read_only_reason().await?.as_deref(), *output),
    };
    catalog.close().await;
    done
}

fn print(reason: Option<&str>, output: Output) -> anyhow::Result<()> {
    match (output, reason) {
        (Output::Json, _) => super::print_line(
            &serde_json::json!({ "readOnly": reason.is_some(), "reason": reason }).to_string(),
        ),
        (Output::Table, None) => super::print_line("writes are taken"),
        (Output::Table, Some(reason)) => super::print_line(&format!("writes are refused: {reason}")),
    }
}
