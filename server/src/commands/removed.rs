//! `chartroom removed` and `chartroom undelete`, beside a running server or without one.

use crate::access::{Caller, Role};
use crate::cli::{Output, RemovedFlags, UndeleteFlags};
use crate::config::Config;
use crate::operations::restore_version::{KeptVersion, list_removed, restore_version};
use crate::start;

/// The most rows a list has; older ones are nearest to their end.
const MOST: u32 = 10_000;

/// Prints what may be brought back and until when.
pub(super) async fn list(config: Config, flags: &RemovedFlags) -> anyhow::Result<()> {
    let app = start::open_beside(&config).await?;
    let rows = list_removed(&app, &flags.repository, MOST, &operator()).await;
    let printed = match rows {
        Ok(rows) => print(&rows, flags.output),
        Err(error) => Err(error.into()),
    };
    app.catalog.close().await;
    printed
}

/// Brings a version back; running servers show it within their poll interval.
pub(super) async fn undelete(config: Config, flags: &UndeleteFlags) -> anyhow::Result<()> {
    let app = start::open_beside(&config).await?;
    let restored = restore_version(&app, &flags.repository, &flags.chart, &flags.version, &operator()).await;
    app.catalog.close().await;
    restored?;
    let UndeleteFlags { chart, version, repository } = flags;
    super::print_line(&format!("brought back `{chart}` `{version}` in `{repository}`"))
}

/// Returns the caller that commands act as: whoever may open the stores may do everything.
fn operator() -> Caller {
    Caller::Known { name: "command line".to_owned(), role: Role::Admin, repository: None }
}

fn print(rows: &[KeptVersion], output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => super::print_line(&serde_json::to_string_pretty(rows)?),
        Output::Table => {
            let heading = ["CHART", "VERSION", "REMOVED", "BY", "KEPT UNTIL"].map(str::to_owned).to_vec();
            let rows = rows.iter().map(|row| {
                vec![
                    row.chart.clone(),
                    row.version.clone(),
                    row.removed.to_string(),
                    row.removed_by.clone(),
                    row.kept_until.to_string(),
                ]
            });
            super::print_table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
        }
    }
}
