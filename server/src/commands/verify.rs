//! `chartroom verify`: compares catalog and store, and prints what is not as it should be.

use anyhow::{Context, bail};

use crate::app;
use crate::cli::{Output, VerifyFlags};
use crate::config::Config;
use crate::safekeeping::progress::Progress;
use crate::safekeeping::verify::{Verification, Verified, verify};
use crate::start;

/// A store did not answer, so that nothing can be said of what is in it.
#[derive(Debug, thiserror::Error)]
#[error("could not look, so nothing is known")]
pub(super) struct CouldNotLook;

/// Checks everything and prints the report; findings that still stand are a failure.
pub(super) async fn run(config: Config, flags: &VerifyFlags) -> anyhow::Result<()> {
    let verified = check(&config, flags).await.context(CouldNotLook)?;
    print(&verified, flags.output)?;
    match verified.standing() {
        0 => Ok(()),
        1 => bail!("1 finding stands"),
        more => bail!("{more} findings stand"),
    }
}

async fn check(config: &Config, flags: &VerifyFlags) -> anyhow::Result<Verified> {
    let verification = Verification {
        grace: flags.grace.unwrap_or(config.upkeep.collection_grace),
        bytes_per_second: flags.rate.map(|rate| rate.bytes()),
        repairs: flags.repair,
    };
    let progress = Progress::new();
    let held;
    let stores = if flags.repair {
        held = start::open_existing_stores(&config.storage).await?;
        held.stores.clone()
    } else {
        start::open_stores_to_read(&config.storage).await?
    };
    let verified = verify(&stores, verification, app::random_number, &progress).await;
    progress.finish();
    stores.catalog.close().await;
    Ok(verified?)
}

fn print(verified: &Verified, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => super::print_line(&serde_json::to_string_pretty(verified)?),
        Output::Table => print_for_people(verified),
    }
}

fn print_for_people(verified: &Verified) -> anyhow::Result<()> {
    for finding in &verified.findings {
        let state = if finding.repaired { ", repaired" } else { "" };
        super::print_line(&format!("{}{state}: {}", finding.found.kind(), finding.found.details()))?;
        super::print_line(&format!("  {}", finding.meaning))?;
        if !finding.repaired {
            super::print_line(&format!("  {}", finding.remedy))?;
        }
    }
    super::print_line(&format!(
        "looked at {} repositories, {} versions, {} manifests and {} blobs of {} bytes: {} findings, {} repaired",
        verified.repositories,
        verified.versions,
        verified.manifests,
        verified.blobs,
        verified.bytes,
        verified.findings.len(),
        verified.findings.len() - verified.standing()
    ))
}
