//! `chartroom repository`: creates, lists, shows and configures repositories, beside a running server or without one.

use anyhow::bail;

use crate::app::Clock;
use crate::catalog::{Catalog, RepositoryRow, RepositorySettings};
use crate::cli::{Output, RepositoryCommand};
use crate::config::Config;
use crate::repository_path::RepositoryPath;
use crate::start;

/// Does what the command asks for on the catalog of the configuration; a running server follows within its poll interval.
pub(super) async fn run(config: Config, command: &RepositoryCommand) -> anyhow::Result<()> {
    let catalog = start::open_catalog(&config.storage).await?;
    let done = run_on(&catalog, command).await;
    catalog.close().await;
    done
}

async fn run_on(catalog: &Catalog, command: &RepositoryCommand) -> anyhow::Result<()> {
    match command {
        RepositoryCommand::Create { path, settings } => {
            let settings = settings.change().apply_to(&RepositorySettings::default());
            match catalog.create_repository(path, settings, Clock::System.now()).await? {
                (_, true) => super::print_line(&format!("created `{path}`")),
                (_, false) => {
                    bail!("the repository `{path}` exists already: `chartroom repository set` changes it")
                }
            }
        }
        RepositoryCommand::List { output } => print(&catalog.list_repositories().await?, *output),
        RepositoryCommand::Set { path, settings } => {
            let row = find(catalog, path).await?;
            catalog.change_settings(row.id, settings.change()).await?;
            super::print_line(&format!("changed `{path}`"))
        }
        RepositoryCommand::Show { path, output } => print(&[find(catalog, path).await?], *output),
    }
}

async fn find(catalog: &Catalog, path: &RepositoryPath) -> anyhow::Result<RepositoryRow> {
    match catalog.find_repository(path).await? {
        Some(row) => Ok(row),
        None => {
            bail!("the repository `{path}` does not exist: `chartroom repository list` shows those there are")
        }
    }
}

fn print(rows: &[RepositoryRow], output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => {
            let views: Vec<_> = rows.iter().map(view).collect();
            super::print_line(&serde_json::to_string_pretty(&views)?)
        }
        Output::Table => {
            let heading = [
                "PATH",
                "VISIBILITY",
                "OVERWRITE",
                "INDEX",
                "DETAIL",
                "VERSIONS",
                "BYTES",
                "REVISION",
                "CHANGED",
            ];
            let rows = rows.iter().map(|row| {
                vec![
                    row.path.to_string(),
                    row.settings.visibility.word().to_owned(),
                    row.settings.overwrite.word().to_owned(),
                    row.settings.index_format.word().to_owned(),
                    row.settings.index_detail.word().to_owned(),
                    of_limit(row.version_count, row.settings.most_versions),
                    of_limit(row.stored_bytes, row.settings.most_bytes),
                    row.revision.to_string(),
                    row.changed_at.to_string(),
                ]
            });
            super::print_table(
                &std::iter::once(heading.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>(),
            )
        }
    }
}

/// Returns what is held, and how much of it may be where there is a limit.
fn of_limit(held: u64, most: Option<u64>) -> String {
    most.map_or_else(|| held.to_string(), |most| format!("{held} of {most}"))
}

fn view(row: &RepositoryRow) -> serde_json::Value {
    serde_json::json!({
        "path": row.path.as_str(),
        "settings": row.settings,
        "versions": row.version_count,
        "storedBytes": row.stored_bytes,
        "revision": row.revision,
        "created": row.created_at.to_string(),
        "changed": row.changed_at.to_string(),
    })
}
