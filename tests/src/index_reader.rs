//! Other clients' ways to read an index, through the Go program built from `tests/go-index-reader`.
//! Rule: the clients' libraries and rules live in the program; here is only its command line.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;
use tempfile::TempDir;

use crate::environment::clean_command;
use crate::process::run;
use crate::tool::find_tool;

/// One version as a client sees it; what the client does not read is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenVersion {
    /// The key of the chart in `entries`.
    pub chart: String,
    /// The version.
    pub version: String,
    /// The application's version.
    #[serde(default)]
    pub app_version: String,
    /// When it was published, RFC 3339 in UTC.
    pub created: String,
    /// The archive's SHA-256 in hex.
    #[serde(default)]
    pub digest: String,
    /// Where the archive is.
    #[serde(default)]
    pub url: String,
}

/// What a client makes of an index.
#[derive(Debug, Deserialize)]
pub struct SeenIndex {
    /// The SHA-256 of the raw bytes, which Flux calls the revision.
    pub revision: String,
    /// The versions in the client's own order.
    pub rows: Vec<SeenVersion>,
}

/// The program, ready to run.
#[derive(Debug)]
pub struct IndexReader {
    program: PathBuf,
    folder: TempDir,
}

impl IndexReader {
    /// Finds the program; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it is missing and `CI=true`.
    pub fn find() -> Result<Option<Self>> {
        let Some(program) = find_tool("index-reader")? else { return Ok(None) };
        let folder = TempDir::with_prefix("chartroom-index-").context("cannot make a temporary folder")?;
        Ok(Some(Self { program, folder }))
    }

    /// Reads an index as `artifacthub`, `flux`, `argo` or `rancher` would, on a cluster of that version.
    ///
    /// # Errors
    /// When the client could not read it.
    pub fn read(&self, client: &str, index: &[u8], kubernetes: &str) -> Result<SeenIndex> {
        let file = self.folder.path().join("index.yaml");
        fs::write(&file, index)?;
        let printed = run(clean_command(&self.program).arg(client).arg(&file).arg(kubernetes))?.success()?;
        Ok(serde_json::from_str(&printed)?)
    }
}
