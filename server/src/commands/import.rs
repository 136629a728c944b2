//! `chartroom import`: brings charts in from elsewhere, beside a running server or without one.

use std::path::Path;

use anyhow::Context;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::access::{Caller, Role};
use crate::cli::{ImportFlags, Output, SourceAddress};
use crate::config::{BlobsUrl, Config, Secret};
use crate::import_source::{Downloads, FlatSource, ImportSource, Login, Trust};
use crate::operations::import::{Import, ImportReport, ImportStep, Remark, import};
use crate::start;

/// Everything that could be taken was, and some of it was refused.
#[derive(Debug, thiserror::Error)]
#[error("{0} refused: the reasons are above")]
struct SomeRefused(usize);

/// The import stopped, or the source did not give everything; running it again goes on.
#[derive(Debug, thiserror::Error)]
#[error("the import is not finished: run it again to go on")]
pub(super) struct Unfinished;

/// Flags that do not go together.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidFlags {
    /// Files have no server to log in to.
    #[error("`--username`, `--token-file` and `--ca-file` are for an index: leave them out")]
    NoServer,
    /// An index has no folders.
    #[error("`--depth` is for folders and buckets: leave it out")]
    NoFolders,
}

/// Imports, shows progress on a terminal, and prints what became of it.
pub(super) async fn run(config: Config, flags: &ImportFlags) -> anyhow::Result<()> {
    let source = open_source(&config, flags).await?;
    let app = start::open_beside(&config).await?;
    let request = Import {
        source: &source,
        into: flags.into.clone(),
        overwrite: flags.overwrite,
        dry_run: flags.dry_run,
        at_once: flags.jobs,
        caller: Caller::Known { name: "import".to_owned(), role: Role::Admin, repository: None },
    };
    let bar = progress_bar();
    let imported = import(&app, &request, &|step| match step {
        ImportStep::Listed(archives) => bar.set_length(archives),
        ImportStep::Done => bar.inc(1),
    })
    .await;
    bar.finish_and_clear();
    app.catalog.close().await;
    let report = imported.context(Unfinished)?;
    print(&report, flags)?;
    match (report.unfetched.len(), report.refused.len()) {
        (0, 0) => Ok(()),
        (0, refused) => Err(SomeRefused(refused).into()),
        (_, _) => Err(Unfinished.into()),
    }
}

async fn open_source(config: &Config, flags: &ImportFlags) -> anyhow::Result<ImportSource> {
    let files = match &flags.source {
        SourceAddress::Folder(root) => BlobsUrl::Folder(root.clone()),
        SourceAddress::Bucket { bucket, prefix } => {
            BlobsUrl::S3 { bucket: bucket.clone(), prefix: prefix.clone() }
        }
        SourceAddress::Index(url) => {
            if flags.depth > 0 {
                return Err(InvalidFlags::NoFolders.into());
            }
            let downloads = Downloads::new(url.clone(), login(flags)?, trust(flags)?)?;
            return Ok(ImportSource::Index(url.clone(), downloads));
        }
    };
    if flags.username.is_some() || flags.token_file.is_some() || flags.ca_file.is_some() {
        return Err(InvalidFlags::NoServer.into());
    }
    let is_near = matches!(files, BlobsUrl::Folder(_));
    let blobs = start::open_foreign_files(&config.storage, &files).await.context(Unfinished)?;
    Ok(ImportSource::Flat(FlatSource::new(blobs, flags.depth, is_near)))
}

fn login(flags: &ImportFlags) -> anyhow::Result<Login> {
    if let Some(path) = &flags.token_file {
        return Ok(Login::Bearer(read_secret(path)?));
    }
    match (&flags.username, &flags.password_file) {
        (Some(user), Some(path)) => Ok(Login::Basic { user: user.clone(), password: read_secret(path)? }),
        // The command line takes one only with the other.
        (Some(_), None) | (None, Some(_)) | (None, None) => Ok(Login::Nobody),
    }
}

fn trust(flags: &ImportFlags) -> anyhow::Result<Trust> {
    let Some(path) = &flags.ca_file else { return Ok(Trust::System) };
    let pem = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(Trust::AlsoAuthorities(pem))
}

/// Reads a secret from its file; the line end that editors put behind it is no part of it.
fn read_secret(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// Returns a bar on standard error, which draws nothing where that is no terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    let template = "{bar:40} {pos}/{len} archives, {per_sec}, {eta} left";
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn print(report: &ImportReport, flags: &ImportFlags) -> anyhow::Result<()> {
    match flags.output {
        Output::Json => return super::print_line(&serde_json::to_string_pretty(report)?),
        Output::Table => {}
    }
    for (word, remarks) in
        [("refused", &report.refused), ("not fetched", &report.unfetched), ("note", &report.notes)]
    {
        for remark in remarks {
            super::print_line(&line(word, remark))?;
        }
    }
    let verb = if report.dry_run { "would be imported" } else { "imported" };
    let bytes = HumanBytes(report.imported_bytes);
    super::print_line(&format!(
        "{} {verb} into `{}` ({bytes}), {} there already, {} refused, {} not fetched",
        report.imported,
        flags.into,
        report.present,
        report.refused.len(),
        report.unfetched.len()
    ))
}

fn line(word: &str, remark: &Remark) -> String {
    let Remark { repository, chart, version, reason } = remark;
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    format!("{word}: {chart}{version} in {repository}: {reason}")
}
