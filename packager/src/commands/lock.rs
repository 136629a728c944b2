//! `chartpack lock`: resolves a catalogue file and writes its lock, or says what moved.

use std::io::Write;

use super::{CommandRefusal, open_vault, read_authorities};
use crate::cli::{LockArguments, Output};
use crate::config::Config;
use crate::lock::{LockSettings, lock, path_beside};
use crate::progress::Progress;
use crate::report;
use crate::target::write_whole;
use crate::upstream::{Fetcher, FetcherSettings, Mirrors};

/// Locks what the flags name.
pub(super) fn run(
    arguments: LockArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let LockArguments { catalogue, check, update, mirror, vault, jobs, retries, ca_file, output } = arguments;
    let authorities = read_authorities(ca_file)?;
    let credentials = config.credentials.clone();
    let mirrors = Mirrors::new(mirror.into_iter().chain(config.mirrors.iter().cloned()));
    let fetcher = Fetcher::new(&FetcherSettings { retries, authorities, credentials, mirrors })?;
    let vault = open_vault(vault, config)?;
    let settings = LockSettings {
        catalogue: &catalogue,
        vault: &vault,
        fetcher: &fetcher,
        update: update.into_iter().collect(),
        is_check: check,
        jobs: usize::from(jobs),
        modified_seconds: config.modified_seconds,
    };
    let verb = if check { "checked" } else { "locked" };
    let progress = Progress::new(verb, config.shows_progress, output == Output::Text);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let locked = runtime.block_on(lock(&settings, &progress));
    progress.finish();
    let locked = locked?;
    let path = path_beside(&catalogue);
    if !check {
        let text = locked.lock.to_text().map_err(std::io::Error::other)?;
        write_whole(&path, text.as_bytes())
            .map_err(|reason| CommandRefusal::File { path: path.clone(), reason })?;
    }
    report::write_locked(out, &path, &locked, check, output)?;
    let has_moved = locked.moved.as_ref().is_some_and(|moved| !moved.is_empty());
    Ok(u8::from(check && has_moved))
}
