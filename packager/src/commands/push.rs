//! `chartpack push`: checks archives, then publishes them.

use std::io::Write;
use std::path::PathBuf;

use super::CommandRefusal;
use super::fetch::read_authorities;
use crate::cli::PushArguments;
use crate::config::Config;
use crate::push::{Client, ClientSettings, InvalidUpload, Progress, PushSettings, Upload, push};
use crate::report;

/// Publishes what the flags name.
pub(super) fn run(
    arguments: PushArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let PushArguments { archives, to, force, dry_run, jobs, retries, timeout, ca_file, output } = arguments;
    let authorities = read_authorities(ca_file)?;
    let credentials = to.credentials(config.token.as_ref());
    let client = Client::new(credentials, &ClientSettings { retries, timeout, authorities })?;
    let uploads: Vec<(PathBuf, Result<Upload, InvalidUpload>)> = archives
        .into_iter()
        .map(|path| {
            let upload = Upload::read(&path);
            (path, upload)
        })
        .collect();
    let total_bytes =
        uploads.iter().filter_map(|(_, upload)| upload.as_ref().ok()).map(|one| one.size_bytes).sum();
    let progress = Progress::new(total_bytes, config.shows_progress && !dry_run);
    let settings = PushSettings { to, force, dry_run, jobs: usize::from(jobs) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let deliveries = runtime.block_on(push(&client, uploads, &settings, &progress));
    progress.finish();
    report::write_deliveries(out, &settings.to, &deliveries, output)?;
    Ok(report::exit_code_of(&deliveries))
}
